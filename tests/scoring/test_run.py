"""Runs: order, completeness, what a folder may hold, and what is left when something goes wrong."""

import errno
import os
import random
import signal
import sys
import threading
from multiprocessing import connection

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.errors import BundleError, InputError, MissingDependency
from deepmoji.scoring import formats, line, score, workers, writing
from deepmoji.scoring.folder import ScoreFolder
from deepmoji.scoring.runners import Local, Ray
from deepmoji.scoring.settings import ScoreSettings
from deepmoji.scoring.workers import WorkerDied
from tests.helpers.bundles import WORDS, Tiny, make_bundle


def make_texts(count, seed=0):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 30))) for _ in range(count)]


def write_texts(path, count, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in make_texts(count, seed)), encoding="utf-8")
    return path


def contents(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*.parquet")}


def parts(folder):
    """The files of the output and of unfinished segments."""
    return sorted(path for path in (folder / "out").rglob("*.parquet") if path.is_file())


@pytest.fixture
def run(bundle, tmp_path):
    def run(*inputs, out=tmp_path / "out", workers=1, overwrite=False, progress=None, **settings):
        settings = {"model": bundle.folder, **settings}
        return score(
            [str(each) for each in inputs],
            out,
            settings=ScoreSettings(**settings),
            runner=Local(workers),
            overwrite=overwrite,
            progress=progress,
        )

    return run


@pytest.fixture
def small_segments(monkeypatch):
    monkeypatch.setattr(writing, "SEGMENT_ROWS", 4096)
    monkeypatch.setattr(writing, "_GROUP_ROWS", 2048)


def test_processes_give_the_rows_in_order(run, predictor, tmp_path, small_segments):
    for number, count in enumerate((9000, 1, 5000)):
        write_texts(tmp_path / "posts" / f"{number}.txt", count, number)
    report = run(tmp_path / "posts", workers=2)
    assert (report.parts, report.parts_before, report.rows, report.rows_now) == (3, 0, 14001, 14001)
    for number, count in enumerate((9000, 1, 5000)):
        texts = make_texts(count, number)
        table = pq.read_table(tmp_path / "out" / f"{number}.parquet").to_pydict()
        assert table["text"] == texts
        best = [predictor.labels[k] for k in predictor.scores(texts).argmax(axis=1)]
        assert [top[0]["label"] for top in table["deepmoji_top"]] == best
    assert pq.read_table(tmp_path / "out").num_rows == 14001  # nothing else is in the way
    run(tmp_path / "posts", out=tmp_path / "alone")
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_a_finished_run_does_nothing_and_new_files_are_added(run, tmp_path, monkeypatch):
    write_texts(tmp_path / "posts" / "a.txt", 10)
    run(tmp_path / "posts")
    before = (tmp_path / "out" / "a.parquet").stat().st_mtime_ns
    report = run(tmp_path / "posts")
    assert (report.parts_before, report.rows, report.rows_now) == (1, 10, 0)
    write_texts(tmp_path / "posts" / "sub" / "a.txt", 5)
    report = run(tmp_path / "posts")
    assert (report.parts, report.parts_before, report.rows, report.rows_now) == (2, 1, 15, 5)
    assert (tmp_path / "out" / "a.parquet").stat().st_mtime_ns == before
    assert (tmp_path / "out" / "sub" / "a.parquet").is_file()
    assert not (tmp_path / "out" / ".score" / "work").exists()


def test_a_file_that_changed_is_scored_again(run, tmp_path):
    write_texts(tmp_path / "a.txt", 10)
    run(tmp_path / "a.txt")
    write_texts(tmp_path / "a.txt", 12)
    assert run(tmp_path / "a.txt").rows_now == 12
    (tmp_path / "out" / "a.parquet").unlink()
    assert run(tmp_path / "a.txt").rows_now == 12


def test_other_settings_are_refused(run, tmp_path):
    write_texts(tmp_path / "a.txt", 10)
    run(tmp_path / "a.txt")
    before = contents(tmp_path / "out")
    with pytest.raises(
        InputError, match=r"other settings \(top 5 there, 3 now; encode False there"
    ):
        run(tmp_path / "a.txt", top=3, encode=True)
    other = make_bundle(tmp_path / "other", Tiny(seed=1))
    with pytest.raises(InputError, match=r"other settings \(model\)"):
        run(tmp_path / "a.txt", model=other.folder)
    assert contents(tmp_path / "out") == before
    run(tmp_path / "a.txt", top=3, overwrite=True)
    assert contents(tmp_path / "out") != before


def test_the_same_name_from_elsewhere_is_refused(run, tmp_path):
    for folder in ("one", "two"):
        write_texts(tmp_path / folder / "a.txt", 10)
    with pytest.raises(
        InputError, match=r"one.a\.txt and .*two.a\.txt would both become .*a\.parq"
    ):
        run(tmp_path / "one" / "a.txt", tmp_path / "two" / "a.txt")
    run(tmp_path / "one")
    with pytest.raises(InputError, match=r"was made of .*one.a\.txt, not of .*two.a\.txt"):
        run(tmp_path / "two")


def test_a_run_killed_while_it_wrote_its_first_file_is_no_other_run(run, tmp_path):
    write_texts(tmp_path / "a.txt", 10)
    (tmp_path / "out" / ".score").mkdir(parents=True)
    (tmp_path / "out" / ".score" / "lock").touch()
    (tmp_path / "out" / "._score.json.123.partial").write_text('{"requ')
    run(tmp_path / "a.txt")
    assert list((tmp_path / "out").rglob("*.partial")) == []


def test_folders_that_hold_something_else(run, tmp_path):
    write_texts(tmp_path / "a.txt", 10)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.doc").write_text("mine")
    with pytest.raises(InputError, match="not empty and holds no scores"):
        run(tmp_path / "a.txt")
    run(tmp_path / "a.txt", overwrite=True)
    run(tmp_path / "a.txt", overwrite=True, top=2)
    assert (tmp_path / "out" / "mine.doc").read_text() == "mine"
    with pytest.raises(InputError, match="is a file; give a folder"):
        run(tmp_path / "a.txt", out=tmp_path / "a.txt")


def test_inputs_that_are_none(run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file of posts in this folder"):
        run(tmp_path / "empty")
    with pytest.raises(InputError, match="no such file"):
        run(tmp_path / "nothing.txt")
    inside = write_texts(tmp_path / "out" / "a.txt", 3)
    with pytest.raises(InputError, match="lies inside"):
        run(inside)
    with pytest.raises(InputError, match="lie inside"):
        run(tmp_path / "out", overwrite=True)


def test_names_that_cannot_be_written_are_told_before(run, tmp_path):
    (tmp_path / "c" / "tweets.parquet").mkdir(parents=True)
    write_texts(tmp_path / "c" / "tweets.txt", 3)
    write_texts(tmp_path / "c" / "tweets.parquet" / "part.txt", 3)
    with pytest.raises(InputError, match=r"part\.txt lie in a folder of that name"):
        run(tmp_path / "c")
    long = write_texts(tmp_path / f"{'x' * 230}.txt", 3)
    with pytest.raises(InputError, match="name is too long"):
        run(long)
    assert not (tmp_path / "out").exists()


def test_other_files_that_look_like_what_a_writer_left_stay(run, tmp_path):
    write_texts(tmp_path / "a.txt", 3)
    run(tmp_path / "a.txt")
    (tmp_path / "out" / ".mine.partial").write_text("mine")
    (tmp_path / "out" / ".more.7.partial").mkdir()
    left = tmp_path / "out" / ".a.parquet.123.partial"
    left.write_text("of a run that was killed")
    run(tmp_path / "a.txt")
    assert (tmp_path / "out" / ".mine.partial").read_text() == "mine"
    assert not left.exists()


def test_what_the_folder_holds_is_no_input(run, tmp_path):
    write_texts(tmp_path / "a.txt", 3)
    assert run(tmp_path, out=tmp_path / "out").parts == 1
    assert run(tmp_path, out=tmp_path / "out").parts == 1


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"request": 3}'])
def test_manifest_that_says_nothing(run, tmp_path, damage):
    write_texts(tmp_path / "a.txt", 3)
    run(tmp_path / "a.txt")
    (tmp_path / "out" / "_score.json").write_text(damage)
    with pytest.raises(InputError, match=r"_score\.json"):
        run(tmp_path / "a.txt")
    (tmp_path / "out" / ".score" / "done" / "a.parquet.json").write_text(damage)
    assert run(tmp_path / "a.txt", overwrite=True).rows_now == 3


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


def test_one_run_at_a_time(run, tmp_path):
    pytest.importorskip("fcntl")
    write_texts(tmp_path / "a.txt", 3)
    (tmp_path / "out").mkdir()
    with (
        ScoreFolder(path=tmp_path / "out", request={}).locked(),
        pytest.raises(InputError, match="another run is writing to"),
    ):
        run(tmp_path / "a.txt")
    run(tmp_path / "a.txt")


def test_a_model_that_cannot_be_used(run, bundle, tmp_path):
    write_texts(tmp_path / "a.txt", 3)
    with pytest.raises(BundleError, match="no model folder"):
        run(tmp_path / "a.txt", model=tmp_path / "none")
    broken = make_bundle(tmp_path / "broken", Tiny()).folder
    (broken / "model.onnx").write_bytes(b"no graph")
    for count in (1, 2):
        with pytest.raises(BundleError, match="cannot be used"):
            run(tmp_path / "a.txt", model=broken, workers=count, overwrite=True)


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


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top": -1}, "top has to be 0 or more"),
        ({"format": "csv"}, "parquet or jsonl"),
        ({"prefix": ""}, "cannot be empty"),
        ({"long_texts": "windows"}, "one of cut, attention, mean"),
        ({"stride": 3}, "read in windows"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        ScoreSettings(**settings)
    with pytest.raises(InputError, match="at least 1"):
        Local(0)


def test_labels_that_do_not_exclude_each_other(tmp_path, bundle, monkeypatch):
    import numpy as np

    from deepmoji.scoring.columns import NewColumns
    from deepmoji.scoring.scorer import Scored

    limits = np.full(len(bundle.labels), 0.5, np.float32)
    monkeypatch.setattr("deepmoji.scoring.columns.limits_of", lambda _: limits)
    columns = NewColumns(bundle, ScoreSettings(top=0))
    held = np.zeros((3, len(bundle.labels)), np.bool_)
    held[0, [1, 4]] = held[2, 0] = True
    scored = Scored(
        unknown_share=np.zeros(3, np.float32),
        truncated=np.zeros(3, np.bool_),
        windows=None,
        top=np.zeros((3, 0), np.int32),
        probabilities=np.zeros((3, 0), np.float32),
        held=held,
        scores=None,
        features=None,
    )
    rows = columns.append(pa.table({"text": ["a", "b", "c"]}), scored)["deepmoji_labels"]
    assert rows.to_pylist() == [
        [bundle.labels[1], bundle.labels[4]],
        [],
        [bundle.labels[0]],
    ]


def test_numbers_get_no_dictionary():
    schema = pa.schema([("text", pa.string()), ("features", pa.list_(pa.float32(), 4))])
    assert formats._worth_a_dictionary(schema) == ["text"]


def test_ray_that_is_missing(bundle, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    write_texts(tmp_path / "a.txt", 3)
    with pytest.raises(MissingDependency, match=r"deepmoji\[cluster\]"):
        score(tmp_path / "a.txt", tmp_path / "out", runner=Ray())
    assert not (tmp_path / "out").exists()
