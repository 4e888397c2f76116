"""What is left when a run goes wrong, and how the next one goes on from it."""

import errno
import os
import signal
import sys
import threading
from multiprocessing import connection

import pyarrow.parquet as pq
import pytest

from deepmoji.errors import InputError
from deepmoji.scoring import line, workers
from deepmoji.scoring.workers import WorkerDied
from tests.helpers.scorefiles import contents, make_texts, write_texts


def parts(folder):
    """The files of the output and of unfinished segments."""
    return sorted(path for path in (folder / "out").rglob("*.parquet") if path.is_file())


class StopError(Exception):
    pass


class StopAfter:
    """Progress that ends the run, as Ctrl-C might, after some rows."""

    def __init__(self, rows):
        self.left = rows

    def begin(self, total, done):
        pass

    def advance(self, size, rows):
        self.left -= rows
        if self.left < 0:
            raise StopError


@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_that_broke_off_goes_on_from_its_last_segment(run, tmp_path, small_segments, workers):
    files = [write_texts(tmp_path / f"{n}.txt", 10_000, n) for n in range(2)]
    with pytest.raises(StopError):
        run(*files, workers=workers, progress=StopAfter(16_500))
    left = ["000000.parquet", "000001.parquet", "0.parquet"]
    assert [path.name for path in parts(tmp_path)] == left
    assert list((tmp_path / "out").rglob("*.partial")) == []
    report = run(*files)
    assert (report.parts_before, report.rows, report.rows_now) == (1, 20_000, 10_000 - 2 * 4096)
    run(*files, out=tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_segments_of_a_file_that_changed_are_not_used(run, tmp_path, small_segments):
    path = write_texts(tmp_path / "a.txt", 10_000)
    with pytest.raises(StopError):
        run(path, progress=StopAfter(9000))
    write_texts(path, 9_000, seed=5)
    assert run(path).rows_now == 9000
    assert pq.read_table(tmp_path / "out" / "a.parquet")["text"].to_pylist() == make_texts(9000, 5)


def test_json_lines_go_on_too(run, tmp_path, small_segments):
    path = write_texts(tmp_path / "a.txt", 10_000)
    with pytest.raises(StopError):
        run(path, progress=StopAfter(9000), format="jsonl")
    run(path, format="jsonl")
    run(path, format="jsonl", out=tmp_path / "whole")
    written = (tmp_path / "out" / "a.jsonl").read_bytes()
    assert written == (tmp_path / "whole" / "a.jsonl").read_bytes()
    assert written.count(b"\n") == 10_000


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_whole_parts(run, tmp_path, monkeypatch, code):
    files = [write_texts(tmp_path / f"{n}.txt", 3000, n) for n in range(2)]
    seen = []
    whole = line.NewColumns.append

    def full(columns, table, scored):
        seen.append(table.num_rows)
        if len(seen) == 4:
            raise OSError(code, os.strerror(code))
        return whole(columns, table, scored)

    monkeypatch.setattr(line.NewColumns, "append", full)
    with pytest.raises(InputError, match=r"no space left for .*make room and run the same"):
        run(*files)
    assert [path.name for path in parts(tmp_path)] == ["0.parquet"]
    assert list((tmp_path / "out").rglob("*.partial")) == []
    monkeypatch.undo()
    assert run(*files).rows_now == 3000


def test_a_disk_that_refuses_bytes(run, tmp_path):
    """The operating system itself refuses, in the middle of a write of pyarrow's."""
    resource = pytest.importorskip("resource")
    path = write_texts(tmp_path / "a.txt", 3000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(InputError, match="no space left for"):
            run(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert parts(tmp_path) == []
    assert run(path).rows_now == 3000


def test_a_file_that_vanishes_or_changes(run, tmp_path):
    files = [write_texts(tmp_path / f"{n}.txt", 5000, n) for n in range(3)]

    class Vanish(StopAfter):
        def advance(self, size, rows):
            files[1].unlink(missing_ok=True)
            with files[2].open("a") as file:
                file.write("one more\n")

    # The third has changed before it was opened, or while it was read: the state was another.
    with pytest.raises(
        InputError, match=r"1\.txt cannot be read: No such file .*2\.txt|and 1 more"
    ):
        run(*files, progress=Vanish(0))
    assert [path.name for path in parts(tmp_path)] == ["0.parquet"]
    assert run(files[0], files[2]).rows > 10_000


@pytest.mark.parametrize("killed", [1, 2])
def test_a_worker_that_is_killed(run, tmp_path, killed):
    psutil = pytest.importorskip("psutil")
    path = write_texts(tmp_path / "a.txt", 40_000)

    def kill():
        children = psutil.Process().children(recursive=True)
        found = [each for each in children if "spawn_main" in " ".join(each.cmdline())]
        for worker in found[-killed:]:
            worker.kill()

    class Kill(StopAfter):
        def advance(self, size, rows):
            if rows and self.left:
                self.left = 0
                threading.Thread(target=kill).start()

    with pytest.raises(WorkerDied, match="run the same command again"):
        run(path, workers=2, progress=Kill(1))
    assert run(path).rows == 40_000


def die_sending(settings, texts):
    """Work in a worker that is killed when half of its answer is sent."""

    def send(self, buffer, write=None):
        os.write(self.fileno(), bytes(buffer[: len(buffer) // 2]))
        os.kill(os.getpid(), signal.SIGKILL)

    connection.Connection._send = send
    return b"half of this" * 1000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends a Unix signal")
def test_a_worker_that_is_killed_while_it_answers(run, tmp_path, monkeypatch):
    """The others wait for it to end its answer, and so did the run, for ever."""
    path = write_texts(tmp_path / "a.txt", 8_000)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_score", die_sending)
        with pytest.raises(WorkerDied, match="run the same command again"):
            run(path, workers=2)
    assert run(path).rows == 8_000
