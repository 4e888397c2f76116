"""Scoring from and to object stores: the same parts as here, whole or absent."""

import gzip
import subprocess
import sys
from contextlib import suppress

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.scoring import score
from deepmoji.scoring.runners import Local
from deepmoji.scoring.sending import UrlFolder
from deepmoji.scoring.settings import ScoreSettings
from tests.helpers.raycluster import started
from tests.helpers.scorefiles import contents, write_texts
from tests.helpers.stores import fetch, names, put


@pytest.fixture
def posts(bundle, tmp_path):
    """Files of all formats that are read in their own way, one of them compressed, in folders."""
    folder = tmp_path / "posts"
    (folder / "2015").mkdir(parents=True)
    write_texts(folder / "2015" / "a.txt", 300, 1)
    rows = (folder / "2015" / "a.txt").read_text("utf-8").splitlines()
    packed = gzip.compress("\n".join(f'{{"text": "{number}"}}' for number in rows).encode())
    (folder / "b.jsonl.gz").write_bytes(packed)
    (folder / "c.csv").write_text("id,text\n1,so happy\n2,so tired\n", encoding="utf-8")
    run(folder / "2015", tmp_path / "made", ScoreSettings(model=bundle.folder, prefix="first_"))
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


def test_parts_are_those_of_the_same_files_here(bucket, posts, settings, tmp_path, monkeypatch):
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
    assert not any((tmp_path / "cache").rglob("*.parquet"))
    monkeypatch.setattr(Url, "write", None)  # nothing is sent again
    assert run(f"{bucket}/posts", f"{bucket}/scored/", settings).rows_now == 0


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


@pytest.mark.parametrize("name", ["a.parquet", "a.parquet.json", "_score.json"])
def test_interrupted_while_it_sends_it_goes_on(bucket, settings, monkeypatch, name):
    put(f"{bucket}/posts/a.csv", b"text\nso happy\n")
    put(f"{bucket}/posts/b.csv", b"text\nso tired\n")
    write = Url.write

    def interrupted(url, content):
        def broken_off():
            yield next(content)[:9]
            raise KeyboardInterrupt

        write(url, broken_off() if url.text.endswith(f"/{name}") else content)

    monkeypatch.setattr(Url, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(f"{bucket}/posts", f"{bucket}/scored", settings)
    monkeypatch.setattr(Url, "write", write)
    report = run(f"{bucket}/posts", f"{bucket}/scored", settings)
    assert (report.parts, report.rows) == (2, 2)
    assert {"_score.json", "a.parquet", "b.parquet"} <= set(names(f"{bucket}/scored"))
    assert run(f"{bucket}/posts", f"{bucket}/scored", settings).parts_before == 2


def test_nothing_stays_of_a_part_that_was_being_sent_when_other_settings_come(
    bucket, settings, monkeypatch
):
    put(f"{bucket}/posts/a.csv", b"text\nso happy\n")
    put(f"{bucket}/posts/b.csv", b"text\nso tired\n")
    write, out, left = Url.write, f"{bucket}/scored", [0]

    def killed(url, content):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(url, content)

    other = ScoreSettings(model=settings.model, format="jsonl")
    for count in range(6):
        monkeypatch.setattr(Url, "write", killed)
        left[0] = count
        with suppress(KeyboardInterrupt):
            run(f"{bucket}/posts", out, settings, overwrite=True)
        monkeypatch.setattr(Url, "write", write)
        run(f"{bucket}/posts/b.csv", out, other, overwrite=True)
        assert [name for name in names(out) if "/" not in name] == ["_score.json", "b.jsonl"]


def test_one_run_at_a_time_on_a_url(bucket, settings):
    put(f"{bucket}/a.csv", b"text\nso happy\n")
    other = ScoreSettings(model=settings.model, top=1)
    with (
        UrlFolder.at(Url(f"{bucket}/scored"), settings.request()).locked(),
        pytest.raises(InputError, match=r"another run is writing to .*/scored/"),
    ):
        run(f"{bucket}/a.csv", f"{bucket}/scored/", other, overwrite=True)


def test_nothing_of_other_settings_stays_if_overwriting_is_broken_off(
    bucket, settings, monkeypatch
):
    put(f"{bucket}/posts/a.csv", b"text\nso happy\n")
    put(f"{bucket}/posts/b.csv", b"text\nso tired\n")
    out, remove, left = f"{bucket}/scored", Url.remove, [2]

    def broken(url):
        left[0] -= 1
        if left[0] < 0:
            raise OSError("connection lost")
        remove(url)

    run(f"{bucket}/posts", out, settings)
    other = ScoreSettings(model=settings.model, format="jsonl")
    monkeypatch.setattr(Url, "remove", broken)
    with pytest.raises(InputError, match="connection lost"):
        run(f"{bucket}/posts/a.csv", out, other, overwrite=True)
    monkeypatch.setattr(Url, "remove", remove)
    run(f"{bucket}/posts/a.csv", out, other, overwrite=True)
    assert [name for name in names(out) if "/" not in name] == ["_score.json", "a.jsonl"]


def test_names_and_places(bucket, settings):
    put(f"{bucket}/posts/a[1] b%20c.csv", b"text\nso happy\n")
    out = f"{bucket}/scored [x]*"
    assert run(f"{bucket}/posts", out, settings).rows_now == 1
    assert run(f"{bucket}/posts", out, settings).rows_now == 0
    assert "a[1] b%20c.parquet" in Url(out).inside()
    with pytest.raises(InputError, match=r"posts/a.* is a file; give a folder with --out"):
        run(f"{bucket}/posts", f"{bucket}/posts/a[1] b%20c.csv", settings, overwrite=True)
    with pytest.raises(InputError, match="not written there"):
        run(f"{bucket}/posts", "hf://datasets/me/scored", settings)


def test_a_note_that_cannot_be_read_is_made_again(bucket, settings):
    put(f"{bucket}/a.csv", b"text\nso happy\n")
    run(f"{bucket}/a.csv", f"{bucket}/scored", settings)
    for content in (b"", b"[]", b"{}"):
        put(f"{bucket}/scored/.score/done/a.parquet.json", content)
        assert run(f"{bucket}/a.csv", f"{bucket}/scored", settings).rows_now == 1


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


def test_a_part_that_no_run_wrote_is_left_alone(bucket, settings):
    put(f"{bucket}/a.csv", b"text\nso happy\n")
    run(f"{bucket}/a.csv", f"{bucket}/scored", settings)
    put(f"{bucket}/b.jsonl", b"no JSON\n")
    put(f"{bucket}/scored/b.parquet", b"mine")
    both = [f"{bucket}/a.csv", f"{bucket}/b.jsonl"]
    with pytest.raises(InputError, match=r"scored/b\.parquet was not written by deepmoji score"):
        run(both, f"{bucket}/scored", settings)
    with pytest.raises(InputError, match="is not JSON"):
        run(both, f"{bucket}/scored", settings, overwrite=True)
    assert (Url(f"{bucket}/scored") / "b.parquet").read() == b"mine"


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
@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_cluster_whose_machines_share_nothing_but_the_store(
    bucket, posts, settings, tmp_path, monkeypatch
):
    pytest.importorskip("ray", reason="needs ray: pip install 'deepmoji[cluster]'")
    send(posts, f"{bucket}/posts")
    command = [sys.executable, "-m", "deepmoji", "score", f"{bucket}/posts"]
    command += ["--model", str(settings.model), "--prefix", settings.prefix, "--runner", "ray"]
    command += ["--out", f"{bucket}/scored"]
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
        with started(2) as nodes:
            patch.setenv("XDG_CACHE_HOME", str(tmp_path / "ours"))
            done = subprocess.run(
                [*command, "--address", nodes.address], check=False, capture_output=True, text=True
            )
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "theirs").rglob("*")}
    assert "2015" in made  # the folder of segments, in the machines' own cache
    run(posts, tmp_path / "here", settings)
    fetch(f"{bucket}/scored", tmp_path / "back")
    assert contents(tmp_path / "back") == contents(tmp_path / "here")
