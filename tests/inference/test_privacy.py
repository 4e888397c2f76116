"""ONNX Runtime keeps no number of the machine and tells nobody of its use."""

import os
import subprocess
import sys

import pytest

# Where these are set it keeps quiet by itself.
QUIET = {"ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "CI"}


@pytest.mark.parametrize(
    "code",
    [
        "import deepmoji; deepmoji.load().predict('hi')",
        "from deepmoji.classic.model import define_deepmoji; import onnxruntime",
    ],
)
def test_nothing_is_written_for_telemetry(code, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in QUIET}
    homes = {name: str(tmp_path) for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment | homes)
    assert list(tmp_path.rglob("*onnxruntime*")) == []
