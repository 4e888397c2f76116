"""Scoring from and to object stores: the same parts as here, whole or absent, in few requests."""

import gzip
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.scoring import score
from deepmoji.scoring.runners import Local
from deepmoji.scoring.settings import ScoreSettings
from tests.helpers.raycluster import started
from tests.helpers.stores import fetch, names, put
from tests.scoring.test_run import contents, write_texts


@pytest.fixture
def posts(tmp_path):
    """Files of all formats that are read in their own way, one of them compressed, in folders."""
    folder = tmp_path / "posts"
    (folder / "2015").mkdir(parents=True)
    write_texts(folder / "2015" / "a.txt", 300, 1)
    rows = (folder / "2015" / "a.txt").read_text("utf-8").splitlines()
    packed = gzip.compress("\n".join(f'{{"text": "{number}"}}' for number in rows).encode())
    (folder / "b.jsonl.gz").write_bytes(packed)
    (folder / "c.csv").write_text("id,text\n1,so happy\n2,so tired\n", encoding="utf-8")
    run(folder / "2015", tmp_path / "made", ScoreSettings(top=0))
    pq.write_table(pq.read_table(tmp_path / "made" / "a.parquet"), folder / "d.parquet")
    return folder


def run(inputs, out, settings, **options):
    return score(inputs, out, settings=settings, runner=Local(1), **options)


def send(folder, url):
    for path in folder.rglob("*"):
        if path.is_file():
            put(f"{url}/{path.relative_to(folder).as_posix()}", path.read_bytes())


@pytest.fixture
def settings(bundle):
    return ScoreSettings(model=bundle.folder, prefix="tiny_")


def test_parts_are_those_of_the_same_files_here(bucket, posts, settings, tmp_path):
    send(posts, f"{bucket}/posts")
    here = tmp_path / "here"
    run(posts, here, settings)
    report = run([f"{bucket}/posts"], f"{bucket}/scored", settings)
    assert (report.parts, report.parts_before) == (4, 0)
    fetch(f"{bucket}/scored", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(here)
    assert set(map(str, contents(here))) == {
        "2015/a.parquet",
        "b.parquet",
        "c.parquet",
        "d.parquet",
    }
    before = {each: modified for each, _, modified in Url(f"{bucket}/scored").files()}
    assert run(f"{bucket}/posts", f"{bucket}/scored", settings).rows_now == 0
    after = {each: modified for each, _, modified in Url(f"{bucket}/scored").files()}
    changed = {each.text.rsplit("/", 1)[1] for each in after if after[each] != before[each]}
    assert changed <= {"_score.json"}
    assert not any((tmp_path / "cache").rglob("*.parquet"))


def test_a_part_that_was_not_sent_is_sent_without_being_scored_again(
    bucket, posts, settings, monkeypatch, tmp_path
):
    write, out = Url.write, f"{bucket}/scored"

    def broken(url, content):
        if url.text.endswith("/c.parquet"):
            raise OSError("connection lost")
        write(url, content)

    monkeypatch.setattr(Url, "write", broken)
    with pytest.raises(InputError, match="scored: cannot be reached: connection lost"):
        run(posts, out, settings)
    assert "b.parquet" in names(out)
    assert "c.parquet" not in names(out)
    monkeypatch.setattr(Url, "write", write)
    report = run(posts, out, settings)
    assert (report.parts, report.parts_before) == (4, 3)
    assert report.rows_now == 300  # of the one that had not been begun
    here = tmp_path / "here"
    run(posts, here, settings)
    fetch(out, tmp_path / "back")
    assert contents(tmp_path / "back") == contents(here)


def test_a_file_that_changes_is_scored_anew(bucket, settings):
    put(f"{bucket}/a.csv", b"text\nso happy\n")
    put(f"{bucket}/b.csv", b"text\nso tired\n")
    run([f"{bucket}/*.csv"], f"{bucket}/scored", settings)
    put(f"{bucket}/b.csv", b"text\nso tired\nof it\n")
    report = run([f"{bucket}/a.csv", f"{bucket}/b.csv"], f"{bucket}/scored", settings)
    assert (report.parts_before, report.rows, report.rows_now) == (1, 3, 2)


def test_what_else_is_there_is_left_alone(bucket, posts, settings):
    put(f"{bucket}/mine/thesis.txt", b"precious")
    with pytest.raises(InputError, match=r"mine is not empty and holds no scores"):
        run(posts, f"{bucket}/mine", settings)
    run(posts, f"{bucket}/mine", settings, overwrite=True)
    other = ScoreSettings(model=settings.model, prefix="other_")
    with pytest.raises(InputError, match=r"mine holds scores of other settings \(prefix tiny_"):
        run(posts, f"{bucket}/mine", other)
    run(posts / "c.csv", f"{bucket}/mine", other, overwrite=True)
    left = [name for name in names(f"{bucket}/mine") if not name.startswith(".score")]
    assert left == ["_score.json", "c.parquet", "thesis.txt"]


def test_from_the_command_line(bucket, bundle):
    put(f"{bucket}/posts/a.txt", b"so happy\nso tired\n")
    command = ["score", f"{bucket}/posts", "--model", str(bundle.folder), "--out", f"{bucket}/out"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("1 files; 2 rows, 2 scored now")
    assert "a.parquet" in names(f"{bucket}/out")
    again = CliRunner().invoke(app, command)
    assert again.stdout.startswith(f"{bucket}/out is finished already")
    missing = CliRunner().invoke(app, ["score", f"{bucket}/none", "--out", f"{bucket}/out2"])
    assert missing.exit_code == 1
    assert f"{bucket}/none: no such file or folder" in missing.stderr


@pytest.mark.slow
def test_a_cluster_whose_machines_share_nothing_but_the_store(bucket, posts, bundle, tmp_path):
    pytest.importorskip("ray", reason="needs ray: pip install 'deepmoji[cluster]'")
    send(posts, f"{bucket}/posts")
    command = [sys.executable, "-m", "deepmoji", "score", f"{bucket}/posts"]
    command += ["--model", str(bundle.folder), "--runner", "ray", "--out", f"{bucket}/scored"]
    with started(2) as nodes:
        done = subprocess.run(
            [*command, "--address", nodes.address], check=False, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    run(posts, tmp_path / "here", ScoreSettings(model=bundle.folder))
    fetch(f"{bucket}/scored", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tmp_path / "here")
