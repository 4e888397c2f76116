"""The base install is enough to predict, and what needs an extra says so in one line."""

import subprocess
import sys

import pytest

from tests.source_tree import PACKAGE
from tests.test_architecture import EXTRAS

SHIPPED = PACKAGE / "models" / "default"
THERE = {"pydantic"}  # belongs to an extra, but newer versions of typer bring it
# Runs the command line in a Python where importing a library of an extra fails as if it were not
# installed.
PROGRAM = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted(EXTRAS.keys() - THERE)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from deepmoji.cli import main
main()
"""


def deepmoji(*arguments, folder):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, check=False)


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="needs the shipped model")
@pytest.mark.parametrize(
    "arguments",
    [("predict", "so it begins"), ("predict", "--as", "emotions", "so it begins"), ("info",)],
)
def test_base_install_is_enough(arguments, tmp_path):
    run = deepmoji(*arguments, folder=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("corpus", "build", "posts.txt", "--out", "corpus"), "corpus"),
        (("score", "posts.txt", "--out", "scored"), "corpus"),
        (("pretrain", "corpus", "--out", "model"), "train"),
        (("finetune", "posts.txt", "--out", "model"), "train"),
        (("convert-benchmark", "posts.txt", "--out", "data.parquet"), "train"),
        (("download", "hf://someone/moji"), "hub"),
        (("emojis", "map", "--file", "posts.txt"), "eval"),
        (("study", "posts.txt"), "eval"),
        (("annotate", "new", "moods", "posts.txt"), "annotate"),
        (("serve",), "web"),
    ],
)
def test_missing_extra_is_told_in_one_line(arguments, extra, tmp_path, monkeypatch):
    (tmp_path / "posts.txt").write_text("so it begins 😂\n", encoding="utf-8")
    (tmp_path / "corpus").mkdir()
    monkeypatch.setenv("DEEPMOJI_HOME", str(tmp_path / "home"))
    run = deepmoji(*arguments, folder=tmp_path)
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) == 1
    assert f"pip install 'deepmoji[{extra}]'" in run.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("predict", "corpus", "pretrain", "export", "download", "study", "emojis"),
        *("fit-projection", "annotate", "score", "serve"),
    ],
)
def test_help_needs_no_extra(command, tmp_path):
    run = deepmoji(command, "--help", folder=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
