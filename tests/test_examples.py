"""Every script of examples/ runs as it stands."""

import subprocess
import sys

import pytest

from deepmoji.bundle import SHIPPED
from tests.helpers.bundles import make_bundle
from tests.source_tree import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
OF_A_MODEL = [path for path in EXAMPLES if "[MODEL]" in path.read_text(encoding="utf-8")]


def run(example, *arguments):
    command = [sys.executable, "-W", "error", example, *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("example", OF_A_MODEL, ids=lambda path: path.name)
def test_example_runs_with_any_model(example, tmp_path):
    result = run(example, make_bundle(tmp_path / "model").folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="needs the shipped model")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_runs_as_it_stands(example):
    result = run(example)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout
