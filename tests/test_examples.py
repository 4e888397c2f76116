"""Every script of examples/, and every line of docs/predict.md, runs as it stands."""

import re
import shlex
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from deepmoji.bundle import SHIPPED
from deepmoji.cli import app
from deepmoji.inference import predictor
from tests.helpers.bundles import make_bundle
from tests.source_tree import ROOT

GUIDE = (ROOT / "docs" / "predict.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
OF_A_MODEL = [path for path in EXAMPLES if "[MODEL]" in path.read_text(encoding="utf-8")]


def run(example, *arguments):
    # daft leaves the pipes of its worker processes to the garbage collector.
    warnings = ["-W", "error", "-W", "ignore::ResourceWarning"]
    command = [sys.executable, *warnings, example, *arguments]
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


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Someone who follows the guide, with a tiny model as the shipped one."""
    monkeypatch.setattr(predictor, "SHIPPED", make_bundle(tmp_path / "model").folder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posts.txt").write_text("so tired\n\nlove\n", encoding="utf-8")
    (tmp_path / "posts.csv").write_text("id,body\n1,so tired\n", encoding="utf-8")


@pytest.mark.usefixtures("reader")
def test_python_of_the_guide_runs():
    snippets = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert len(snippets) == 3
    names = {}
    for snippet in snippets:
        exec(snippet, names)  # noqa: S102 - our own documentation


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("command", re.findall(r"^deepmoji .*$", GUIDE, re.MULTILINE))
def test_commands_of_the_guide_run(command):
    result = CliRunner().invoke(app, shlex.split(command, comments=True)[1:])
    assert result.exit_code == 0


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="needs the shipped model")
def test_scikit_learn_of_the_guide_runs(capsys):
    guide = (ROOT / "docs" / "finetune.md").read_text(encoding="utf-8")
    (snippet,) = (
        each for each in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "sklearn" in each
    )
    exec(snippet, {})  # noqa: S102 - what the page tells readers to run
    assert capsys.readouterr().out in {"['up']\n", "['down']\n"}
