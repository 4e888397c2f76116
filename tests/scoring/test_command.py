"""`deepmoji score` as a user runs it: what it prints, and what kills and signals leave behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from tests.helpers.scorefiles import contents, make_texts, write_texts
from tests.helpers.signals import gone, heed_interrupts

ROWS = (12_000, 30_000)
# The command line with short segments, so that a short run has many.
PROGRAM = """
import sys
from deepmoji.scoring import writing
writing.SEGMENT_ROWS = writing._GROUP_ROWS = 2048
from deepmoji.cli import main
if __name__ == "__main__":
    main()
"""
unix = pytest.mark.skipif(os.name == "nt", reason="sends Unix signals")


@pytest.fixture(scope="module")
def posts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("posts")
    for number, count in enumerate(ROWS):
        write_texts(folder / f"{number}.txt", count, number)
    return folder


@pytest.fixture
def command(bundle, posts, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    fixed = ["--model", bundle.folder, "--workers", "2"]
    return [*map(str, [sys.executable, program, "score", posts, *fixed, "--out"])]


@pytest.fixture(scope="module")
def unbroken(bundle, posts, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "out"
    program = out.with_name("program.py")
    program.write_text(PROGRAM)
    options = ["--model", bundle.folder, "--workers", "1", "--out", out]
    command = [sys.executable, program, "score", posts, *options]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return contents(out)


def start(command, out):
    return subprocess.Popen(
        [*command, str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )


def wait_for(process, out, files):
    """Wait until a run has written so many files, unfinished ones included."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if len([path for path in out.rglob("*.par*") if path.is_file()]) >= files:
            return
        time.sleep(0.002)


def check_whole(out):
    """Every part that is there is whole."""
    for number, count in enumerate(ROWS):
        if (out / f"{number}.parquet").exists():
            texts = pq.read_table(out / f"{number}.parquet").column("text").to_pylist()
            assert texts == make_texts(count, number)


def finish(command, out):
    run = subprocess.run([*command, str(out)], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@unix
@pytest.mark.slow
def test_killed_at_any_moment_the_same_command_finishes(command, unbroken, tmp_path):
    out = tmp_path / "out"
    draw = random.Random(0)
    for files in (0, 1, 3, 7, 8, 12, 20):  # of about 30
        with start(command, out) as process:
            wait_for(process, out, files)
            time.sleep(draw.random() / 10)
            process.kill()  # the workers are left to themselves
        assert gone(process.pid)
        check_whole(out)
    finish(command, out)
    assert contents(out) == unbroken  # bytes
    assert list(out.rglob("*.partial")) == []


@unix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
@pytest.mark.parametrize("everyone", [True, False], ids=["group", "parent"])
def test_signals_end_it_in_one_line(command, unbroken, tmp_path, number, everyone):
    out = tmp_path / "out"
    with start(command, out) as process:
        wait_for(process, out, 4)
        assert process.poll() is None
        (os.killpg if everyone else os.kill)(process.pid, number)
        process.wait(60)
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert said.splitlines() == [
        "error: interrupted; what is finished is kept: the same command goes on from there"
    ]
    assert gone(process.pid)
    assert list(out.rglob("*.partial")) == []
    check_whole(out)
    finish(command, out)
    assert contents(out) == unbroken


@unix
@pytest.mark.slow
def test_interrupted_while_its_workers_start_it_says_one_line(command, tmp_path):
    """Semaphores that nobody takes down would be told of by Python."""
    with start(command, tmp_path / "out") as process:
        while not workers_of(process):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert len(said.splitlines()) == 1, said
    assert gone(process.pid)


def workers_of(process):
    lines = [" ".join(each.cmdline()) for each in psutil.Process(process.pid).children()]
    return [line for line in lines if "spawn_main" in line]


MEASURE = """
import re, sys
from pathlib import Path
from deepmoji.scoring import score
from deepmoji.scoring.runners import Local
from deepmoji.scoring.settings import ScoreSettings
model, source, out = sys.argv[1:]
score(source, out, runner=Local(1), settings=ScoreSettings(model=Path(model)))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def write_wide(path, rows):
    """A file of 2.5 KB a row, few of them text."""
    table = {
        "text": make_texts(rows),
        "other": [random.Random(row).randbytes(1250).hex() for row in range(rows)],
    }
    pairs = list(zip(table["text"], table["other"], strict=True))
    if path.suffix == ".parquet":
        pq.write_table(pa.table(table), path, compression="none")
    elif path.suffix == ".csv":
        path.write_text("text,other\n" + "".join(f"{text},{other}\n" for text, other in pairs))
    else:
        lines = (json.dumps({"text": text, "other": other}) for text, other in pairs)
        path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_memory_does_not_grow_with_the_input(bundle, tmp_path, suffix):
    """125 MB of input more take less than 60 MB of memory more.

    Memory grows while buffers and the allocator's pools fill and until segments are joined, from
    16,384 rows on, then stays: measured 315 MB at 20,000 rows of CSV, 304 at 40,000, 305 at 80,000.
    How much the pools keep differs between machines, by tens of megabytes.
    """
    peaks = []
    for rows in (30_000, 80_000):
        source = write_wide(tmp_path / f"{rows}.{suffix}", rows)
        arguments = [bundle.folder, source, tmp_path / f"out-{rows}"]
        command = [sys.executable, "-c", MEASURE, *map(str, arguments)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(run.stdout) / 1000)  # MB
    assert peaks[1] - peaks[0] < 60, peaks


def call(*arguments):
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def test_what_it_prints(bundle, tmp_path):
    source = write_texts(tmp_path / "a.txt", 30)
    arguments = [source, "--model", bundle.folder, "--out", tmp_path / "out", "--workers", 1]
    result = call(*arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("1 files; 30 rows, 30 scored now (")
    result = call(*arguments)
    assert "is finished already, nothing to do." in result.stdout
    report = json.loads(call(*arguments, "--json").stdout)
    assert {key: report[key] for key in ("parts", "parts_before", "rows", "rows_now")} == {
        "parts": 1,
        "parts_before": 1,
        "rows": 30,
        "rows_now": 0,
    }
    result = call(*arguments, "--encode")
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert "other settings (encode False there, True now)" in line


@pytest.mark.parametrize(
    "wrong",
    [["--address", "auto"], ["--runner", "ray", "--workers", "2"], ["--format", "csv"], ["-n", -1]],
    ids=str,
)
def test_usage(tmp_path, wrong):
    assert call(tmp_path / "a.txt", "--out", tmp_path / "out", *wrong).exit_code == 2


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    from deepmoji.cli import score as command

    now = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(command.sys.stderr, "isatty", lambda: True)
    with command._Shown() as shown:
        shown.begin(1_000, 0)
        now[0] = 1.0
        shown.advance(10, 500)
        assert shown._bar is None  # a run that is over at once shows nothing
        now[0] = 4.0
        shown.advance(190, 500)
        (task,) = shown._bar.tasks
        assert (task.completed, task.total) == (200, 1_000)
        assert task.fields["told"] == "1,000 rows, 250/s, 0:00:16 left"


def test_progress_is_told_once_a_minute_where_no_terminal_is(monkeypatch, capsys):
    from deepmoji.cli import score as command

    now = [0.0]
    monkeypatch.setattr(command.time, "monotonic", lambda: now[0])
    shown = command._Shown()
    shown.begin(1_000_000, 100_000)
    shown.advance(100_000, 0)  # found in segments
    for _ in range(8):
        now[0] += 20
        shown.advance(25_000, 500)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["1,500 rows, 25/s, 0:09:40 left", "3,000 rows, 25/s, 0:08:40 left"]
