"""What a build makes of odd inputs, and of an output that lies among them."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.corpus import build
from deepmoji.corpus.posts import find_posts
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.errors import InputError
from deepmoji.files import LOCK, locked
from tests.corpus.conftest import SETTINGS, write_jsonl
from tests.corpus.test_build import contents


def test_unreadable_files_and_rows_stop_nothing_unless_strict(tmp_path):
    posts = tmp_path / "posts"
    posts.mkdir()
    (posts / "a.jsonl").write_text('{"text": "fine 😂", "lang": "en"}\noops\n', encoding="utf-8")
    (posts / "b.parquet").write_bytes(b"no parquet")
    report = build([posts], tmp_path / "out", workers=1)
    assert report["unreadable"]["rows"] == 1
    (row,), (file,) = report["unreadable"]["examples"], report["unreadable"]["files"]
    assert row["file"].endswith("a.jsonl")
    assert row["row"] == 2
    assert "not JSON" in row["problem"]
    assert file["file"].endswith("b.parquet")
    assert report["pairs"]["train"] == 1
    with pytest.raises(InputError, match=r"a\.jsonl: row 2 .*not JSON"):
        build([posts], tmp_path / "strict", settings=CorpusSettings(strict=True), workers=1)


def test_odd_files_among_readable_ones_stop_nothing_unless_strict(posts, corpus, tmp_path):
    folder = tmp_path / "posts"
    folder.mkdir()
    write_jsonl(folder / "good.jsonl", posts)
    (folder / "stats.json").write_text('{\n"count": 3\n}', encoding="utf-8")
    (folder / "other.csv").write_text("id,name\n1,x\n", encoding="utf-8")
    pq.write_table(pa.table({"text": [3]}), folder / "numbers.parquet")
    report = build([folder], tmp_path / "out", settings=SETTINGS, workers=1)
    problems = {Path(f["file"]).name: f["problem"] for f in report["unreadable"]["files"]}
    assert sorted(problems) == ["numbers.parquet", "other.csv", "stats.json"]
    assert problems["other.csv"] == "no text column; name one with --text-column, of: id, name"
    assert "no text field" in problems["stats.json"]
    assert "holds int64" in problems["numbers.parquet"]
    assert report["unreadable"]["rows"] == 0
    assert contents(tmp_path / "out") == contents(corpus)
    strict = CorpusSettings(strict=True)
    with pytest.raises(InputError, match=r"numbers\.parquet|other\.csv|stats\.json"):
        build([folder], tmp_path / "strict", settings=strict, workers=1)


def test_a_column_that_no_file_has(tmp_path):
    (tmp_path / "a.csv").write_text("text\nfine 😂\n", encoding="utf-8")
    for name in ("b.txt", "c.jsonl"):  # neither can have a column
        (tmp_path / name).write_text("fine 😂\n" if name == "b.txt" else "", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv: no column 'body'.*--text-column"):
        build([tmp_path], tmp_path / "out", settings=CorpusSettings(text_column="body"))
    (tmp_path / "b.txt").unlink()
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.csv: no text column"):
        build([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_output_inside_the_input_is_not_read(posts, corpus, tmp_path, monkeypatch):
    from deepmoji.corpus import assemble

    write_jsonl(tmp_path / "posts.jsonl", posts)
    write, out = assemble.write_table, tmp_path / "out"

    def killed(table, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(assemble, "write_table", killed)
    with pytest.raises(KeyboardInterrupt):
        build([tmp_path], out, settings=SETTINGS, workers=1)
    assert list((out / ".work").glob("*.parquet"))
    monkeypatch.setattr(assemble, "write_table", write)
    sources = [tmp_path, out, f"{tmp_path}/**/*.parquet", f"{tmp_path}/**/*.jsonl"]
    first = build(sources[:2], out, settings=SETTINGS, workers=1)
    assert [Path(each["file"]).name for each in first["inputs"]] == ["posts.jsonl"]
    assert first["run"]["files_done_before"] == 1
    assert contents(out) == contents(corpus)
    assert build(sources, out, settings=SETTINGS, workers=1) == first
    with pytest.raises(InputError, match="choose another"):
        build([out], out, settings=SETTINGS, workers=1)


def test_what_a_glob_names_is_found_in_folders_too_and_helpers_are_not(tmp_path):
    for name in ("g/a.txt", "g/sub/b.txt", "g/_temporary/0/c.txt", "g/sub/_log/d.txt", "g/.e.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("so fine 😂", encoding="utf-8")

    def found(source):
        return [str(Path(file.path).relative_to(tmp_path)) for file in find_posts([source])]

    assert found(tmp_path / "g") == ["g/a.txt", "g/sub/b.txt"]
    assert found(tmp_path / "g" / "[as]*") == ["g/a.txt", "g/sub/b.txt"]


def test_of_two_names_for_one_file_the_first_is_taken(tmp_path):
    (tmp_path / "z.txt").write_text("so fine 😂", encoding="utf-8")
    (tmp_path / "a.txt").symlink_to(tmp_path / "z.txt")
    for sources in ([tmp_path], [tmp_path / "z.txt", tmp_path / "a.txt"]):
        assert [file.path for file in find_posts(sources)] == [tmp_path / "a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither")
def test_pipes_and_names_that_are_no_text_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(InputError, match=r"pipe\.txt is no regular file"):
        find_posts([tmp_path / "pipe.txt"])
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    Path(name).write_text("so fine 😂", encoding="utf-8")
    with pytest.raises(InputError, match=r"caf\ufffd\.txt: the name is not UTF-8"):
        find_posts([name])


def test_one_build_at_a_time(posts, tmp_path):
    pytest.importorskip("fcntl")
    write_jsonl(tmp_path / "posts.jsonl", posts)
    out = tmp_path / "out"
    with (
        locked(out / LOCK, out),
        pytest.raises(InputError, match="another run is writing to"),
    ):
        build([tmp_path / "posts.jsonl"], out, settings=SETTINGS, workers=1)
    assert not out.exists()
    build([tmp_path / "posts.jsonl"], out, settings=SETTINGS, workers=1)
    assert not (out / LOCK).exists()
