import bz2
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.corpus.posts import find_posts, open_posts
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.source import BROKEN, all_rows
from deepmoji.errors import InputError

ROWS = [("so funny 😂", "en"), ('he said "no", twice 😭', "en-GB"), ("très drôle 😂", "fr")]


def read(path, **settings):
    """All rows of one file: texts, languages and problems."""
    (file,) = find_posts([path])
    chosen = CorpusSettings(**settings)
    reader = open_posts(file, chosen)
    reader.check()
    rows = [row for table in reader.tables() for row in table.to_pylist()]
    return [(row["text"], row["lang"]) for row in rows if row["problem"] is None], [
        (row["place"], row["problem"]) for row in rows if row["problem"] is not None
    ]


def as_csv(delimiter):
    quoted = [f'"{text.replace(chr(34), chr(34) * 2)}"{delimiter}{lang}' for text, lang in ROWS]
    return "\n".join([delimiter.join(["text", "lang"]), *quoted])


CONTENTS = {
    ".csv": as_csv(","),
    ".tsv": as_csv("\t"),
    ".jsonl": "\n".join(json.dumps({"text": text, "lang": lang}) for text, lang in ROWS),
    ".json": json.dumps([{"text": text, "lang": lang} for text, lang in ROWS], indent=1),
    ".ndjson": json.dumps({"data": [{"text": text, "lang": lang} for text, lang in ROWS]}),
}


def zstd(data):
    with pa.BufferOutputStream() as sink:
        with pa.CompressedOutputStream(sink, "zstd") as out:
            out.write(data)
        return sink.getvalue().to_pybytes()


COMPRESS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstd}


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("suffix", CONTENTS)
def test_formats(tmp_path, suffix, compression):
    path = tmp_path / f"posts{suffix}{compression}"
    path.write_bytes(COMPRESS[compression](CONTENTS[suffix].encode()))
    assert read(path) == (ROWS, [])


@pytest.mark.parametrize("compression", COMPRESS)
def test_plain_text_has_a_post_a_line(tmp_path, compression):
    path = tmp_path / f"posts.txt{compression}"
    path.write_bytes(COMPRESS[compression]("\ufeffone 😂\r\n\ntwo\n  \nthree".encode()))
    assert read(path) == ([("one 😂", None), ("two", None), ("three", None)], [])


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary("int32", "utf8")])
def test_parquet(tmp_path, kind):
    texts, langs = map(list, zip(*ROWS, strict=True))
    table = pa.table(
        {"text": pa.array(texts, pa.string()).cast(kind), "lang": langs, "n": [1, 2, 3]}
    )
    pq.write_table(table, tmp_path / "a [1] *.parquet", row_group_size=2)
    assert read(tmp_path / "a [1] *.parquet") == (ROWS, [])


def test_twitter_objects(tmp_path):
    objects = [
        {"full_text": "full", "text": "fu…", "lang": "en"},
        {"text": "exten…", "extended_tweet": {"full_text": "extended"}, "lang": "en"},
        {"text": "plain", "user": {"lang": "xx"}, "lang": "de"},
        {"data": {"id": "1", "text": "version 2", "lang": "en"}, "includes": {}},
        {"data": {"text": "no…", "note_tweet": {"text": "note"}, "lang": "en"}},
        {"delete": {"status": {"id": 1}}},
        {"id": "2", "text": "bare version 2"},
    ]
    path = tmp_path / "tweets.jsonl"
    path.write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    found, problems = read(path)
    assert found == [
        ("full", "en"),
        ("extended", "en"),
        ("plain", "de"),
        ("version 2", "en"),
        ("note", "en"),
        ("bare version 2", None),
    ]
    assert problems == []


def test_columns_by_name(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"post": {"body": "hi"}, "tongue": "en", "text": "no"}\n', encoding="utf-8")
    settings = {"text_column": "post.body", "lang_column": "tongue"}
    assert read(path, **settings) == ([("hi", "en")], [])
    path = tmp_path / "a.csv"
    path.write_text("text,other,lang\nno,yes,en\n", encoding="utf-8")
    assert read(path, text_column="other", lang_column="text") == ([("yes", "no")], [])


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
@pytest.mark.parametrize("option", ["text_column", "lang_column"])
def test_column_that_is_not_there(tmp_path, name, option):
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.table({"text": ["x"]}), path)
    else:
        path.write_text("text\nx\n" if name == "a.csv" else '{"text": "x"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"'nope'.*--" + option.replace("_", "-")):
        read(path, **{option: "nope"})


def test_no_text_column(tmp_path):
    pq.write_table(pa.table({"id": [1], "words": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"--text-column, of: id, words"):
        read(tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"'id' holds int64"):
        read(tmp_path / "a.parquet", text_column="id")
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="no text field"):
        read(tmp_path / "a.jsonl")


def test_bad_rows_are_named_and_passed_over(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'text,lang\nok,en\nshort\n\xff\xfe,en\n"two\nlines",en\na\0b,en\n')
    found, problems = read(path)
    assert found[:2] == [("ok", "en"), ("two\nlines", "en")]
    assert problems[:2] == [(3, "1 fields instead of 2"), (4, "not UTF-8")]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "ok"}\n{oops\n{"text": 3}\n7\n{"text": "\\ud83d"}\n\xff\n')
    found, problems = read(path)
    assert found == [("ok", None), ("\ufffd", None)]
    assert [place for place, _ in problems] == [2, 3, 4, 6]
    pq.write_table(pa.table({"text": ["ok", None]}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == ([("ok", None)], [(2, "no text")])


def test_parquet_text_that_is_not_utf8(tmp_path):
    broken = pa.array([b"ok", b"\xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": broken}), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == ([("ok", None)], [(2, "not UTF-8")])


def test_file_that_breaks_off_keeps_what_came_before(tmp_path):
    data = gzip.compress("\n".join(f"post {n * 7919 % 1000}" for n in range(90_000)).encode())
    path = tmp_path / "a.txt.gz"
    path.write_bytes(data[: len(data) // 2])
    reader = open_posts(find_posts([path])[0], CorpusSettings())
    rows = [row for table in all_rows([reader]) for row in table.to_pylist()]
    assert rows[0]["text"] == "post 0"
    assert rows[-2]["place"] == BROKEN
    assert rows[-2]["problem"].startswith(f"cannot be read after row {len(rows) - 2}: ")
    assert rows[-1]["total"] == len(rows) - 1


def test_files_folders_and_globs(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    names = ["a.txt", "b.csv.gz", "deep/c.jsonl", "deep/er/d.parquet", "_hidden.txt", "notes.md"]
    (tmp_path / "deep" / ".cache").mkdir()
    for name in [*names, "deep/.cache/e.txt", ".f.txt"]:
        (tmp_path / name).touch()
    found = find_posts([tmp_path, tmp_path / "a.txt", f"{tmp_path}/*.txt"])
    inside = [str(file.path.relative_to(tmp_path)) for file in found]
    assert sorted(inside) == ["_hidden.txt", *sorted(names[:4])]
    for source in (tmp_path / "nope.txt", f"{tmp_path}/*.csv", tmp_path / "notes.md"):
        with pytest.raises(InputError):
            find_posts([source])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file of posts"):
        find_posts([tmp_path / "empty"])
