"""What the folder of a run may hold, and what is refused for what it holds."""

import os
import sys
from pathlib import Path

import pytest

from deepmoji.errors import InputError
from deepmoji.scoring.folder import ScoreFolder
from tests.helpers.bundles import Tiny, make_bundle
from tests.helpers.scorefiles import contents, write_texts


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


def test_a_file_that_no_run_wrote_is_not_replaced(run, tmp_path):
    write_texts(tmp_path / "in" / "a.txt", 10)
    run(tmp_path / "in")
    mine = tmp_path / "out" / "b.parquet"
    mine.write_text("mine")
    write_texts(tmp_path / "in" / "a.txt", 20)
    write_texts(tmp_path / "in" / "b.txt", 10)
    before = contents(tmp_path / "out")
    with pytest.raises(
        InputError, match=r"out.b\.parquet was not written by deepmoji score; move .*--overwrite"
    ):
        run(tmp_path / "in")
    assert contents(tmp_path / "out") == before  # nor was anything removed for a new start
    assert run(tmp_path / "in", overwrite=True).rows == 30
    assert mine.read_bytes()[:4] == b"PAR1"


def test_a_file_that_no_run_wrote_stays_until_there_is_another(run, tmp_path):
    write_texts(tmp_path / "in" / "a.txt", 10)
    (tmp_path / "in" / "b.jsonl").write_text("no JSON")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.parquet").write_text("mine")
    with pytest.raises(InputError, match="is not JSON"):
        run(tmp_path / "in", overwrite=True)
    assert (tmp_path / "out" / "b.parquet").read_text() == "mine"


def test_a_part_is_known_for_ours_from_before_it_is_there(run, tmp_path, monkeypatch):
    """A run that is killed between writing a part and noting it as finished."""
    write_texts(tmp_path / "a.txt", 10)

    def killed(folder, part, rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ScoreFolder, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "a.txt")
    assert (tmp_path / "out" / "a.parquet").exists()
    assert run(tmp_path / "a.txt").rows == 10


@pytest.mark.skipif(
    sys.platform != "linux", reason="others insist on UTF-8 names, or have no bytes"
)
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_working_directory_whose_name_is_no_utf8(run, tmp_path, monkeypatch, form):
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    write_texts(folder / "a.txt", 10)
    monkeypatch.chdir(folder)
    assert run("a.txt", out=Path("out"), format=form).rows_now == 10
    assert run("a.txt", out=Path("out"), format=form).rows_now == 0
    assert (folder / "out" / f"a.{form}").is_file()


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
