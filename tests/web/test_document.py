"""What the OpenAPI document promises, a fuzzer finds to be so."""

import subprocess
import sys

import pytest

from deepmoji.web.settings import Limits

pytest.importorskip("schemathesis", reason="needs schemathesis")

LIMITS = Limits(texts=20, characters=300, body_bytes=20_000, occluded_texts=20)


@pytest.mark.parametrize("key", [None, "sesame"])
def test_schemathesis_finds_nothing(serving, models, tmp_path, key):
    with serving(models, limits=LIMITS, api_key=key) as (url, _):
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
            *("--checks", "all", "--max-examples", "15", "--generation-deterministic"),
            *("--continue-on-failure", "--warnings", "off", "--no-color"),
            *(("--header", f"Authorization: Bearer {key}") if key else ()),
        ]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 0, run.stdout[-6000:]
    assert "No issues found" in run.stdout
    assert "6 selected / 6 total" in run.stdout
