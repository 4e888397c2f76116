import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from tests.corpus.conftest import write_jsonl
from tests.helpers.signals import gone, heed_interrupts


def call(*arguments):
    return CliRunner().invoke(app, ["corpus", *map(str, arguments)])


def test_build_and_report(post_file, tmp_path):
    arguments = ["build", post_file, "--out", tmp_path / "out", "--natural", 5, "--workers", 1]
    result = call(*arguments, "--without", "link", "--without", "retweet")
    assert result.exit_code == 0
    assert "1,535 posts" in result.stdout or " posts, " in result.stdout
    assert "nothing to do" in call(*arguments, "--without", "retweet", "--without", "link").stdout
    shown = call("report", tmp_path / "out")
    assert shown.exit_code == 0
    for part in ("dropped by link (off)", "dropped by language", "no puedo", "😂", "peak memory"):
        assert part in shown.stdout
    report = json.loads(call("report", tmp_path / "out", "--json").stdout)
    assert report == json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert report["run"]["seconds"] > 0
    assert 0.01 < report["run"]["peak_memory_gb"] < 6
    text = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "| dropped by link (off) | 0 |" in text
    assert "- no puedo más con esto 😂" in text


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["build", "nowhere.txt", "--out", "out"], ["nowhere.txt", "no such file"]),
        (["build", "{posts}", "--out", "out", "--text-column", "x"], ["'x'", "--text-column"]),
        (["build", "{posts}", "--out", "out", "--without", "x"], ["'x'", "retweet, link"]),
        (["build", "{posts}", "--out", "{posts}"], ["is a file"]),
        (["build", "{posts}", "--out", "out", "--labels", "nope"], ["nope", "top:K"]),
        (["build", "{posts}", "--out", "out", "--workers", "0"], ["workers"]),
        (["report", "nowhere"], ["nowhere", "corpus build"]),
    ],
)
def test_errors_are_one_line(arguments, parts, post_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*(each.format(posts=post_file) for each in arguments))
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert [part for part in parts if part not in line] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="sends a Unix signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_signals_end_workers_and_leave_nothing_half_written(posts, tmp_path, number):
    write_jsonl(tmp_path / "a.jsonl", posts * 200)
    command = [sys.executable, "-m", "deepmoji", "corpus", "build", tmp_path, "--out", "out"]
    with subprocess.Popen(
        [*map(str, command)],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    ) as process:
        work = tmp_path / "out" / ".work"
        deadline = time.monotonic() + 60
        while not list(work.glob("*.partial")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        assert process.poll() is None
        os.killpg(process.pid, number)  # as a terminal does: the workers get it too
        process.wait(60)
        assert process.stderr.read() == b"error: interrupted\n"
    assert process.returncode == 1
    assert [path.name for path in work.iterdir()] == ["build.json"]
    assert gone(process.pid)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="looks for processes as Unix shows them")
@pytest.mark.parametrize("after", [0.0, 0.8])
def test_a_worker_that_is_killed_is_told_in_one_line(posts, tmp_path, after):
    """Also one that dies before it has begun: Daft itself would wait for it for ever."""
    write_jsonl(tmp_path / "a.jsonl", posts * 200)
    command = [sys.executable, "-m", "deepmoji", "corpus", "build", tmp_path, "--out", "out"]
    with subprocess.Popen(
        [*map(str, command)], stderr=subprocess.PIPE, cwd=tmp_path, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 60
        while not (workers := workers_of(process.pid)) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after)
        random.Random(after).choice(workers).kill()
        process.wait(60)
        (line,) = process.stderr.read().decode().splitlines()
    assert process.returncode == 1
    assert line.startswith("error: a worker process was ended from outside")
    assert gone(process.pid)
    again = subprocess.run([*map(str, command)], cwd=tmp_path, capture_output=True, check=False)
    assert again.returncode == 0, again.stderr


def workers_of(pid):
    """Daft's worker processes of a command, those that have been given their program."""
    with suppress(psutil.Error):
        children = psutil.Process(pid).children(recursive=True)
        return [each for each in children if "daft.execution.udf_worker" in each.cmdline()]
    return []
