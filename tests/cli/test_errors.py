"""What a user sees when something is wrong: one line, exit code 1, or 2 for usage."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers.bundles import Tiny, make_bundle
from tests.helpers.signals import heed_interrupts


def is_one_line(result, *parts):
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert [part for part in parts if str(part) not in line] == []


@pytest.fixture
def folder(model, tmp_path):
    return shutil.copytree(model, tmp_path / "copy")


def test_model_that_is_not_there(call, tmp_path):
    for command in (("predict", "hi", "-m"), ("info",)):
        is_one_line(call(*command, tmp_path / "nowhere"), "no model folder", "nowhere")


@pytest.mark.parametrize("part", ["config.json", "vocabulary.json", "labels.json", "model.onnx"])
def test_model_with_a_part_missing_or_damaged(call, folder, part):
    (folder / part).write_bytes(b"{damaged")
    is_one_line(call("predict", "hi", "-m", folder), part)
    (folder / part).unlink()
    is_one_line(call("predict", "hi", "-m", folder), part, "missing")


def test_model_of_a_newer_version(call, folder):
    config = folder / "config.json"
    changed = config.read_text("utf-8").replace('"format_version": 1', '"format_version": 99')
    config.write_text(changed, "utf-8")
    is_one_line(call("predict", "hi", "-m", folder), "99", "pip install --upgrade deepmoji")


def test_original_weights(call, tmp_path):
    (tmp_path / "deepmoji_weights.hdf5").write_bytes(b"\x89HDF")
    result = call("predict", "hi", "-m", tmp_path / "deepmoji_weights.hdf5")
    is_one_line(result, "is a file, but a model is a folder", "deepmoji import")


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("missing.txt", None, ["missing.txt", "does not exist"]),
        ("posts.parquet", b"PAR1\x15\x00\x00", ["posts.parquet", "binary"]),
        ("utf16.txt", "so tired".encode("utf-16"), ["utf16.txt", "UTF-8"]),
        ("a.csv", b"id,body\n1,hi\n", ["a.csv", "'text'", "id, body", "--text-column"]),
        ("empty.csv", b"", ["empty.csv", "'text'"]),
        ("twice.csv", b"text,text\na,b\n", ["twice.csv", "two columns 'text'"]),
        ("short.csv", b"id,text\n1,a\n2\n", ["short.csv, line 3: 1 fields, but 2 columns"]),
        ("long.csv", b"id,text\n1,hello, world\n", ["line 2: 3 fields", "stands in quotes"]),
        ("quote.csv", b'id,text\n1,"never closed\n2,b\n3,c\n', ["quote.csv, line "]),
        ("a.jsonl", b'{"text": "fine"}\n{broken\n', ["a.jsonl, line 2"]),
        ("b.jsonl", b'{"text": 3}\n', ["b.jsonl, line 1", "'text'"]),
        ("c.jsonl", b"[1]\n", ["c.jsonl, line 1"]),
    ],
)
def test_foreign_files(call, model, tmp_path, name, content, parts):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    is_one_line(
        call("encode", "-m", model, "-o", tmp_path / "x.npy", "-f", tmp_path / name), *parts
    )
    assert not list(tmp_path.glob("*x.npy*"))


ACTING = ("a\x1b]0;title\x07", "x[/b]", "[bold]y[/bold]", "up\u202edown\x9b")


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (("info", "MODEL"), ["x[/b]", "[bold]y[/bold]", "]0;title"]),
        (("info", "MODEL", "--json"), ["\\u009b", "\\u202e"]),
        (("predict", "-m", "MODEL", "hi"), ["x[/b]", "[bold]y[/bold]"]),
        (("verify", "MODEL"), ["This is not the original"]),
        (("emojis", "nearest", "zzz", "-m", "MODEL"), ["is no label of the model"]),
        (("emojis", "nearest", "x[/b]", "-m", "MODEL"), ["[bold]y[/bold]"]),
        (("predict", "--as", "emotions", "-m", "MODEL", "hi"), ["lacks"]),
    ],
)
def test_nothing_of_a_model_acts_on_the_terminal(call, tmp_path, command, shown):
    """Neither its labels nor its card; nor does either change what is shown as markup would."""
    folder = make_bundle(tmp_path / "evil", Tiny(labels=ACTING)).folder
    (folder / "README.md").write_text("# A card\n\n`\x1b]52;c;AAAA\x07` [b]\u009b1m", "utf-8")
    result = call(*(str(folder) if each == "MODEL" else each for each in command),
                  stdin="so happy\nso sad\nhi there\n")  # fmt: skip
    assert isinstance(result.exception, SystemExit | None)
    said = result.stdout + result.stderr
    assert [part for part in shown if part not in said] == []
    assert not set("\x1b\x07\x9b\u202e") & set(said)


def test_folder_as_file(call, model, tmp_path):
    is_one_line(call("predict", "-m", model, "-f", tmp_path), "is a folder")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_disk_full(call, model, monkeypatch, tmp_path):
    from deepmoji.inference import encodings

    real = encodings._npy
    monkeypatch.setattr(encodings, "_npy", lambda path, size: real(Path("/dev/full"), size))
    texts = "so tired\n" * 20_000
    is_one_line(call("encode", "-m", model, "-o", tmp_path / "x.npy", stdin=texts), "No space left")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_may_not_be_written(call, model, tmp_path):
    (tmp_path / "file").touch()
    result = call("encode", "-m", model, "-o", tmp_path / "file" / "x.npy", "hi")
    is_one_line(result, "file")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["predict", "--top", "0", "hi"], "--top"),
        (["predict", "--nonsense", "hi"], "--nonsense"),
        (["predict", "hi", "-f", "x.txt"], "not both"),
        (["predict", "hi", "--text-column", "text"], "--text-column"),
        (["predict", "-f", "a.csv", "-f", "x.txt", "--text-column", "body"], "x.txt"),
        (["predict", "--text-column", "body"], "standard input"),
        (["encode", "--out", "x.npy", "-f", "-", "--text-column", "body"], "standard input"),
        (["encode", "hi"], "--out"),
        (["encode", "hi", "--out", "x.txt"], ".npy"),
        (["encode", "hi", "--out", "x.npy", "--json"], "--out"),
        (["predikt", "hi"], "predict"),
    ],
)
def test_usage(call, arguments, hint):
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert hint in result.stderr


def test_debug_shows_where(run):
    for arguments in (["--debug", "info", "nowhere"], ["info", "nowhere", "--debug"]):
        result = run(*arguments)
        assert result.returncode == 1
        assert b"Traceback" in result.stderr
        assert b"BundleError" in result.stderr
    result = run("info", "nowhere")
    assert result.returncode == 1
    assert b"Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_text_may_look_like_an_option(call, model):
    result = call("predict", "--json", "-m", model, "--", "--debug", "-x")
    assert [line[:18] for line in result.stdout.splitlines()] == [
        '{"text": "--debug"',
        '{"text": "-x", "to',
    ]


@pytest.mark.skipif(os.name == "nt", reason="sends a Unix signal")
def test_interrupt_leaves_nothing_behind(model, tmp_path):
    command = [sys.executable, "-m", "deepmoji", "encode", "-m", model, "-o", "x.npy"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        preexec_fn=heed_interrupts,
    ) as process:
        process.stdin.write(b"so tired\n" * 50)
        process.stdin.flush()
        deadline = time.monotonic() + 20
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert list(tmp_path.iterdir())
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert process.stderr.read() == b"error: interrupted\n"
    assert process.returncode == 1
    assert list(tmp_path.iterdir()) == []
