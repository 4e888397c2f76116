"""The command line as a whole: help, version, completion, start-up; and `deepmoji info`."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import deepmoji
from deepmoji.cli.common import COMMANDS


def test_help_lists_every_command(call):
    result = call("--help")
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f" {name} " in result.stdout


GROUPS = {"annotate", "benchmark", "corpus", "emojis"}
LEAVES = [[name] for name in COMMANDS if name not in GROUPS] + [
    *(["benchmark", name] for name in ("run", "report", "curve", "check")),
    *(
        ["annotate", name]
        for name in (
            *("new", "invite", "revoke", "serve", "status", "export", "crowd-out", "crowd-in"),
        )
    ),
    ["corpus", "build"],
    ["corpus", "report"],
    *(["emojis", name] for name in ("map", "nearest", "typical")),
]


@pytest.mark.parametrize("names", LEAVES, ids=" ".join)
def test_help_of_every_command_has_an_example(call, names):
    result = call(*names, "--help")
    assert result.exit_code == 0
    assert f"Example: deepmoji {' '.join(names)} " in " ".join(result.stdout.split())


def test_version(call):
    assert call("--version").stdout == f"deepmoji {deepmoji.__version__}\n"


def test_shell_completion_knows_commands_and_options(run):
    environment = {
        "_DEEPMOJI_COMPLETE": "complete_bash",
        "COMP_WORDS": "deepmoji pr",
        "COMP_CWORD": "1",
    }
    # The name comes from the program: `python -m deepmoji` would be asked for otherwise.
    program = "import sys; sys.argv[0] = 'deepmoji'; from deepmoji.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env=os.environ | environment,
    )  # fmt: skip
    assert result.stdout.split() == ["predict", "pretrain"]


@pytest.mark.parametrize("module", sorted(set(COMMANDS.values())))
def test_commands_load_libraries_only_when_they_run(module):
    code = f"import sys, deepmoji.cli, deepmoji.cli.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    libraries = {name.split(".")[0] for name in loaded.stdout.split()}
    assert libraries & {"numpy", "onnxruntime", "pyarrow", "daft", "torch", "sklearn"} == set()


def test_info(call, model):
    result = call("info", model)
    assert result.exit_code == 0
    for part in ("48 tokens", "7 units", "64: 😂 😒", "24 words", "model.onnx", "A tiny model"):
        assert part in result.stdout


def test_info_leaves_out_what_hubs_read(call, model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "copy")
    card = Path(copy) / "README.md"
    card.write_text("---\nlicense: mit\n---\n" + card.read_text("utf-8"), encoding="utf-8")
    shown = call("info", copy).stdout
    assert "A tiny model" in shown
    assert "license" not in shown


def test_a_full_disk_is_told_with_what_to_do(call, model, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out.json")

    monkeypatch.setattr("deepmoji.bundle.Bundle.open", full)
    result = call("info", model)
    assert result.exit_code == 1
    assert result.stderr == (
        "error: No space left on device: out.json; make room and run the same command again\n"
    )


def test_info_as_json(call, model):
    facts = json.loads(call("info", model, "--json").stdout)
    assert facts["model"]["features"] == 34
    assert len(facts["labels"]) == 64
    assert facts["files"]["model.onnx"] > 0
    assert facts["training"]["seed"] == 0
    assert facts["card"].startswith("# A tiny model")


ODD = {
    "nothing": None,
    "empty": "{}",
    "numbers": '{"scores": 3, "seed": "x", "precision": [1], "settings": null}',
    "lists": '{"scores": [1, null, {"natural_top1": "high"}], "corpus": false}',
    "no numbers": '{"scores": {"natural_top1": NaN, "natural_top5": Infinity, "x": [[]]}}',
    "surrogates": '{"scores": {"\\ud83d": "\\udcff"}, "command": "\\ud800"}',
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_info_of_a_bundle_with_an_odd_history(run, model, tmp_path, content):
    folder = shutil.copytree(model, tmp_path / "copy")
    (folder / "training.json").unlink()
    if content is not None:
        (folder / "training.json").write_text(content, "utf-8")
    for options in ([], ["--json"]):
        result = run("info", folder, *options)
        assert (result.returncode, result.stderr) == (0, b"")
    training = json.loads(result.stdout.decode("utf-8"))["training"]
    assert json.dumps(training) == json.dumps(json.loads(content or "{}"))


@pytest.mark.parametrize(
    ("first", "said"), [("\ud83d", "half a character"), ("😒", "twice; each class needs its own")]
)
def test_labels_that_no_answer_can_have_are_told(run, model, tmp_path, first, said):
    """Files and web answers could not hold the one, nor tell the other from its like."""
    folder = shutil.copytree(model, tmp_path / "copy")
    labels = json.loads((folder / "labels.json").read_text("utf-8"))
    (folder / "labels.json").write_text(json.dumps([first, *labels[1:]]), "utf-8")
    for command in (["info"], ["predict", "hi", "--top", "64", "-m"]):
        result = run(*command, folder)
        assert (result.returncode, result.stdout) == (1, b"")
        assert said in result.stderr.decode()


def test_errors_that_no_encoding_has_are_shown(run):
    missing = run("predict", "-f", b"\xff.csv".decode("utf-8", "surrogateescape"))
    assert missing.returncode == 1
    assert len(missing.stderr.splitlines()) == 1


def test_shipped_models_have_names_in_every_command(call, model, tmp_path, monkeypatch):
    from deepmoji import bundle

    shutil.copytree(model, tmp_path / "models" / "small")
    monkeypatch.setattr(bundle, "MODELS", tmp_path / "models")
    monkeypatch.chdir(tmp_path)
    shown = call("info", "small").stdout
    assert "48 tokens" in shown
    assert "shipped" in shown
    assert json.loads(call("info", "small", "--json").stdout)["shipped"] == ["small"]
    assert len(json.loads(call("predict", "--model", "small", "--json", "hi").stdout)["top"]) == 5
    encoded = json.loads(call("encode", "--model", "small", "--json", "hi").stdout)
    assert len(encoded["encoding"]) == 34
    assert call("info", "large").exit_code == 1
