"""Posts and corpora in object stores: servers on this machine that speak as S3 and Google's do."""

import gzip
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus import build
from deepmoji.corpus.posts import find_posts
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.urls import Url, is_url, working_folder
from deepmoji.errors import InputError
from tests.corpus.conftest import SETTINGS
from tests.corpus.test_build import contents, facts
from tests.helpers.raycluster import started
from tests.helpers.stores import fetch, names, put


def test_corpus_is_that_of_the_same_files_here(bucket, post_file, corpus, posts, tmp_path):
    lines = post_file.read_bytes().splitlines(keepends=True)
    put(f"{bucket}/posts/2015/a.jsonl", b"".join(lines[:700]))
    packed = gzip.compress(b"".join(lines[700:1200]))
    put(f"{bucket}/posts/b.jsonl.gz", packed)
    rest = posts[1200:]
    table = pa.table({"text": [text for text, _ in rest], "lang": [lang for _, lang in rest]})
    pq.write_table(table, tmp_path / "c.parquet")
    put(f"{bucket}/posts/c.parquet", (tmp_path / "c.parquet").read_bytes())
    put(f"{bucket}/posts/_SUCCESS", b"")
    report = build(f"{bucket}/posts", tmp_path / "out", settings=SETTINGS, workers=2)
    assert report["unreadable"] == {"rows": 0, "examples": [], "files": []}
    assert contents(tmp_path / "out") == contents(corpus)
    assert facts(tmp_path / "out") == facts(corpus)
    assert [each["file"] for each in report["inputs"]] == [
        f"{bucket}/posts/{name}" for name in ("2015/a.jsonl", "b.jsonl.gz", "c.parquet")
    ]


def test_a_corpus_is_sent_and_known_again(bucket, post_file, corpus, tmp_path):
    out = f"{bucket}/made/corpus"
    command = ["corpus", "build", str(post_file), "--out", out, "--per-emoji", "6", "--natural"]
    command += ["40", "--vocabulary-size", "45", "--workers", "1"]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert [name for name in names(out) if "part-" not in name] == sorted(
        path.name for path in corpus.iterdir() if path.is_file()
    )
    fetch(out, tmp_path / "back")
    local = tmp_path / "local"
    settings = CorpusSettings(per_emoji=6, natural=40, vocabulary_size=45)
    build(post_file, local, settings=settings, workers=1)
    assert contents(tmp_path / "back") == contents(local)
    assert not any((tmp_path / "cache").rglob("*.parquet"))
    before = {each: modified for each, _, modified in Url(out).files()}
    assert CliRunner().invoke(app, command).exit_code == 0
    assert {each: modified for each, _, modified in Url(out).files()} == before
    other = CliRunner().invoke(app, [*command, "--seed", "1"])
    assert other.exit_code == 1
    assert "other posts or settings" in other.stderr
    assert CliRunner().invoke(app, [*command, "--seed", "1", "--overwrite"]).exit_code == 0
    assert b'"seed": 1' in (Url(out) / "report.json").read()


def test_what_was_not_sent_is_sent_by_the_same_command(bucket, post_file, monkeypatch):
    write, out = Url.write, f"{bucket}/corpus"

    def broken(url, content):
        if url.text.endswith("vocabulary.json"):
            raise OSError("connection lost")
        write(url, content)

    monkeypatch.setattr(Url, "write", broken)
    with pytest.raises(InputError, match="cannot be reached: connection lost"):
        build(post_file, out, settings=SETTINGS, workers=1)
    assert "report.json" not in names(out)
    monkeypatch.setattr(Url, "write", write)
    monkeypatch.setattr("deepmoji.corpus.builder.Build.run", None)  # nothing is built again
    build(post_file, out, settings=SETTINGS, workers=1)
    assert {"report.json", "vocabulary.json", "train/part-00000.parquet"} <= set(names(out))


def test_patterns_and_what_is_passed_over(bucket):
    for name in ("a/x.txt", "a/y.csv", "a/b/z.txt", "c/x.txt", "a/.hidden/h.txt", "a/readme"):
        put(f"{bucket}/{name}", b"text")

    def found(source, out=None):
        return [each.path.text.removeprefix(f"{bucket}/") for each in find_posts([source], out)]

    assert found(f"{bucket}/a") == ["a/b/z.txt", "a/x.txt", "a/y.csv"]
    assert found(f"{bucket}/*/x.txt") == ["a/x.txt", "c/x.txt"]
    assert found(f"{bucket}/**/*.txt")[-1] == "c/x.txt"
    assert found(f"{bucket}/a/[xy].*") == ["a/x.txt", "a/y.csv"]
    assert found(f"{bucket}/[ac]*") == ["a/b/z.txt", "a/x.txt", "a/y.csv", "c/x.txt"]
    assert found(bucket, Url(f"{bucket}/a")) == ["c/x.txt"]
    for source in (f"{bucket}/nothing", f"{bucket}/*.csv", f"{bucket}-none/x"):
        with pytest.raises(InputError, match=r"no such file|cannot be reached"):
            find_posts([source])
    with pytest.raises(InputError, match="format"):
        find_posts([f"{bucket}/a/readme"])
    with pytest.raises(InputError, match=r"a lies inside .*, the folder to write"):
        find_posts([f"{bucket}/a"], Url(bucket))


def test_a_name_with_brackets_is_a_name(bucket):
    for name in ("a[1].txt", "a1.txt", "b/.scores/x.txt", "b/y.txt", "d[1] ?*/z.txt"):
        put(f"{bucket}/{name}", b"text")
    (found,) = find_posts([f"{bucket}/a[1].txt"])
    assert found.path == Url(f"{bucket}/a[1].txt")
    assert Url(f"{bucket}/a[1].txt").file() == (found.path, found.size, found.modified)
    assert Url(f"{bucket}/a[12].txt").file() is None
    (found,) = find_posts([f"{bucket}/d[1] ?*/"])
    assert found.path == Url(f"{bucket}/d[1] ?*/z.txt")
    *_, last = find_posts([f"{bucket}/b/**/*.txt"])
    assert last.path == Url(f"{bucket}/b/y.txt")
    assert len(find_posts([f"{bucket}/**/.scores/*.txt"])) == 1


@pytest.mark.parametrize("size", [100, 12_000_000])
def test_a_file_that_was_not_sent_whole_is_not_there(bucket, size):
    def broken_off():
        yield b"x" * size
        raise KeyboardInterrupt

    put(f"{bucket}/file", b"before")
    with pytest.raises(KeyboardInterrupt):
        Url(f"{bucket}/file").write(broken_off())
    assert names(bucket) == []


def test_places_that_cannot_be_written(bucket, post_file):
    put(f"{bucket}/file", b"text")
    with pytest.raises(InputError, match=r"file is a file; give a folder with --out"):
        build(post_file, f"{bucket}/file", settings=SETTINGS, overwrite=True)
    with pytest.raises(InputError, match="not written there"):
        build(post_file, "hf://datasets/me/corpus", settings=SETTINGS)


def test_a_folder_of_other_things_is_left_alone(bucket, post_file):
    put(f"{bucket}/mine/thesis.txt", b"precious")
    with pytest.raises(InputError, match="not empty"):
        build(post_file, f"{bucket}/mine", settings=SETTINGS, workers=1)


def test_files_that_break_off_or_go_away(bucket, tmp_path, monkeypatch):
    put(f"{bucket}/a.txt", "so funny 😂\n".encode())
    put(f"{bucket}/b.txt.gz", gzip.compress("so sad 😭\n".encode() * 9)[:-9])
    settings = CorpusSettings(per_emoji=0, natural=0, language="any")
    report = build(bucket, tmp_path / "out", settings=settings, workers=1)
    (broken,) = report["unreadable"]["files"]
    assert broken["file"] == f"{bucket}/b.txt.gz"
    files = find_posts([bucket])
    monkeypatch.setattr("deepmoji.corpus.builder.find_posts", lambda *_: files)
    Url(f"{bucket}/b.txt.gz").remove()
    with pytest.raises(InputError, match=r"b\.txt\.gz was there when the build began, and is gone"):
        build(bucket, tmp_path / "again", settings=settings, workers=1)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_cluster_reads_and_the_one_who_asked_writes(bucket, post_file, tmp_path):
    """On two nodes, which share no folder of this build."""
    pytest.importorskip("ray", reason="needs ray: pip install 'deepmoji[cluster]'")
    lines = post_file.read_bytes().splitlines(keepends=True)
    for number in range(4):
        put(f"{bucket}/posts/{number}.jsonl", b"".join(lines[number::4]))
    out = f"{bucket}/corpus"
    command = [sys.executable, "-m", "deepmoji", "corpus", "build", f"{bucket}/posts"]
    command += ["--per-emoji", "6", "--natural", "40", "--runner", "ray", "--out", out]
    with started(2) as nodes:
        run = subprocess.run(
            [*command, "--address", nodes.address],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONFAULTHANDLER": "1"},  # it has crashed in native code, once
        )
    assert run.returncode == 0, run.stderr
    fetch(out, tmp_path / "back")
    local = tmp_path / "local"
    build(post_file, local, settings=CorpusSettings(per_emoji=6, natural=40), workers=1)
    assert contents(tmp_path / "back") == contents(local)
    assert facts(tmp_path / "back") == facts(local)
    assert not any((tmp_path / "cache").rglob("*.parquet"))


def test_urls_are_built_in_folders_of_their_own():
    folders = {working_folder(Url(f"s3://a/{name}"), "builds") for name in ("b", "c", "b/")}
    assert len(folders) == 2
    assert not is_url("s3:///b")
