"""`deepmoji finetune`."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import deepmoji
from deepmoji.files import LOCK, locked
from tests.helpers.tunable import make_texts, make_tunable

FAST = ("--epochs", 3, "--epoch-size", 64, "--batch-size", 16, "--device", "cpu",
        "--precision", "32-true", "--new-learning-rate", 0.02)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_tunable(tmp_path_factory.mktemp("bundles") / "base").folder


def write(path, texts, labels):
    rows = [json.dumps({"text": t, "label": n}) for t, n in zip(texts, labels, strict=True)]
    path.write_text("\n".join(rows), "utf-8")
    return path


def test_a_file_becomes_a_model_that_predicts(call, base, tmp_path):
    train = write(tmp_path / "train.jsonl", *make_texts(60))
    test = write(tmp_path / "test.jsonl", *make_texts(21, seed=1))
    out = tmp_path / "model"
    result = call("finetune", train, "--test", test, "--out", out, "--base", base, *FAST)
    assert result.exit_code == 0, result.stderr
    lines = {line.split("│")[1].strip(): line for line in result.stdout.splitlines() if "│" in line}
    assert lines["anger"].split("│")[2:5] == ["    18 ", "          2 ", "    7 "]
    assert {"accuracy", "macro f1", "class average f1"} <= lines.keys()
    assert "6 training texts were held out for validation." in result.stdout
    assert "words were added" in result.stdout
    assert "stage 6/6 all layers" in result.stderr
    assert deepmoji.load(out).labels == ("anger", "fear", "joy")
    assert not (tmp_path / "model.training").exists()
    shown = call("predict", "--model", out, "so happy today")
    assert all(name in shown.stdout for name in ("anger", "fear", "joy"))


def test_names_of_classes_are_no_markup(call, base, tmp_path):
    texts, labels = make_texts(40, ("fear", "joy"))
    names = {"fear": "x[/b]pos", "joy": ":smile: [red]\x1b[31m"}
    train = write(tmp_path / "train.jsonl", texts, [names[each] for each in labels])
    result = call("finetune", train, "--out", tmp_path / "m", "--base", base, "--method", "last",
                  *FAST)  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "x[/b]pos" in result.stdout
    assert ":smile: [red]\ufffd[31m" in result.stdout


def test_json_is_the_report(call, base, tmp_path):
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    result = call("finetune", train, "--out", tmp_path / "m", "--base", base, "--method", "last",
                  "--json", "--seed", 3, "--class-weights", *FAST)  # fmt: skip
    report = json.loads(result.stdout)
    assert (report["method"], report["seed"]) == ("last", 3)
    assert report["settings"]["class_weights"] is True
    assert report["settings"]["epochs"] == 3
    assert report["arithmetic"] == "32-true"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--text-column", "body"), "no column 'body'"),
        (("--patience", 0), "patience has to be"),
        (("--validation", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_errors_are_one_line(call, base, tmp_path, arguments, message):
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    out = tmp_path / "model"
    result = call("finetune", train, "--out", out, "--base", base, *FAST, *arguments)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert message in result.stderr
    assert not out.exists()


def test_what_would_be_lost_is_refused_before_training(call, base, tmp_path):
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("a", "utf-8")
    result = call("finetune", train, "--out", tmp_path / "notes", "--base", base, *FAST)
    assert result.exit_code == 1
    assert "no model bundle" in result.stderr
    assert "stage" not in result.stderr


@pytest.mark.slow
def test_a_folder_of_something_else_is_left_alone(call, base, tmp_path):
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    (tmp_path / "model.training").mkdir()
    (tmp_path / "model.training" / "notes.txt").write_text("mine", "utf-8")
    out = tmp_path / "model"
    result = call("finetune", train, "--out", out, "--base", base, "--method", "last", *FAST)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "model.training, where the run would be kept until it is finished" in result.stderr
    assert (tmp_path / "model.training" / "notes.txt").read_text("utf-8") == "mine"
    assert not out.exists()


def test_the_folder_one_is_in(call, base, tmp_path, monkeypatch):
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = call("finetune", train, "--out", ".", "--base", base, "--method", "last", *FAST)
    assert result.exit_code == 0, result.stderr
    assert deepmoji.load(tmp_path / "here").labels == ("anger", "fear", "joy")


def test_where_nothing_can_be_written_nothing_is_trained(call, base, tmp_path):
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    result = call("finetune", train, "--out", train / "model", "--base", base, *FAST)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "cannot write to" in result.stderr


def test_one_run_at_a_time(call, base, tmp_path):
    pytest.importorskip("fcntl")
    train = write(tmp_path / "train.jsonl", *make_texts(30))
    with locked(tmp_path / "model.training" / LOCK, "model"):
        out = tmp_path / "model"
        result = call("finetune", train, "--out", out, "--base", base, "--method", "last", *FAST)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "another run is writing to" in result.stderr
    assert not (tmp_path / "model.training").exists()


def test_a_run_that_was_interrupted_is_finished_by_the_same_command(base, tmp_path):
    """Killed after a checkpoint; the result is that of an unbroken run."""
    train = write(tmp_path / "train.jsonl", *make_texts(60))
    program = (
        "from tests.helpers.signals import heed_interrupts; heed_interrupts()\n"
        "import deepmoji.training.tuner as tuner; tuner._SAVE_SECONDS = 0\n"
        "from deepmoji.cli import main; main()"
    )

    def command(out):
        options = ("--base", base, "--method", "new", *FAST, "--epochs", 40, "--patience", 40)
        arguments = [str(each) for each in ("finetune", train, "--out", out, *options)]
        return [sys.executable, "-c", program, *arguments]

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    # One thread: of a model so small, several would mostly wait for each other.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(command(whole), check=True, capture_output=True, env=environment)
    with subprocess.Popen(command(broken), stderr=subprocess.PIPE, env=environment) as process:
        checkpoint = tmp_path / "broken.training" / "latest.pt"
        while not checkpoint.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        error = process.stderr.read().decode()
    assert process.returncode == 1
    assert error.splitlines()[-1] == "error: interrupted"
    assert not broken.exists()
    subprocess.run(command(broken), check=True, capture_output=True, env=environment)
    assert not checkpoint.parent.exists()
    parts = [(folder / "model.safetensors").read_bytes() for folder in (whole, broken)]
    assert parts[0] == parts[1]
