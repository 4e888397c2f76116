"""Every format of the input: columns kept, a row for each row, in order."""

import bz2
import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepmoji.errors import InputError

NEW = ["deepmoji_top", "deepmoji_unknown_share", "deepmoji_truncated"]
TEXTS = [
    "i love you",
    "",
    "so tired .. lol",
    'a "quoted", text',
    "two\nlines",
    "nul \0 in it",
    "😂",
]
ROWS = [{"id": f"{number:03}", "text": text} for number, text in enumerate(TEXTS)]


def write_csv(path, rows, delimiter=","):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def write_tsv(path, rows):
    return write_csv(path, rows, "\t")


WRITERS = {".csv": write_csv, ".tsv": write_tsv, ".jsonl": write_jsonl, ".parquet": write_parquet}


def given_columns(rows):
    return [{k: v for k, v in row.items() if k not in NEW} for row in rows]


def check_answers(rows, predictor, top=5):
    """What was written is what `Predictor.predict` says of the text that was written."""
    for row, answer in zip(
        rows, predictor.predict([r["text"] or "" for r in rows], top), strict=True
    ):
        assert [each["label"] for each in row["deepmoji_top"]] == [k for k, _ in answer.top]
        probabilities = [each["probability"] for each in row["deepmoji_top"]]
        assert probabilities == pytest.approx([p for _, p in answer.top], abs=1e-6)  # fp32
        assert row["deepmoji_unknown_share"] == pytest.approx(answer.unknown_share, abs=1e-6)
        assert row["deepmoji_truncated"] == answer.truncated


@pytest.mark.parametrize("suffix", WRITERS)
def test_tables_keep_rows_and_columns(scored, predictor, tmp_path, suffix):
    rows = scored(WRITERS[suffix](tmp_path / f"posts{suffix}", ROWS), name="posts.parquet")
    assert given_columns(rows) == ROWS
    check_answers(rows, predictor)


def test_plain_text(scored, predictor, tmp_path):
    (tmp_path / "posts.txt").write_bytes(b"\xef\xbb\xbfi love you\r\n\n\nso tired\rok\n tail \xff")
    rows = scored(tmp_path / "posts.txt", name="posts.parquet")
    assert [row["text"] for row in rows] == ["i love you", "", "", "so tired\rok", " tail \ufffd"]
    check_answers(rows, predictor)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv.gz"])
@pytest.mark.parametrize("text", ["i love you", "я тебя люблю"])
def test_utf16_is_told(scored, tmp_path, encoding, suffix, text):
    line = json.dumps({"text": text}) if suffix == ".jsonl" else text
    content = f"text\n{line}\n{line}\n".encode(encoding)
    path = tmp_path / f"posts{suffix}"
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    with pytest.raises(InputError, match=r"posts\.\S+ is UTF-16 or .*convert it to UTF-8 first"):
        scored(path, name="posts.parquet")


@pytest.mark.parametrize("name", ["posts.txt", "posts.csv", "posts.jsonl"])
def test_binary_data_is_told(scored, tmp_path, name):
    table = pa.table({"text": ["i love you"]})
    pq.write_table(table, tmp_path / name)
    with pytest.raises(InputError, match=r"posts\.\S+ holds no text but binary data"):
        scored(tmp_path / name, name="posts.parquet")


def test_a_nul_in_a_long_text_is_a_character_like_others(scored, tmp_path):
    text = "é" * 2047 + "a\0" + "é" * 10  # the first 4,096 bytes end within a character
    (tmp_path / "posts.txt").write_text(f"{text}\nb\n", encoding="utf-8")
    rows = scored(tmp_path / "posts.txt", name="posts.parquet")
    assert [row["text"] for row in rows] == [text, "b"]


def compress_zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", compress_zstd)],
)
@pytest.mark.parametrize("kind", [".csv", ".tsv", ".jsonl"])
def test_compressed(scored, tmp_path, kind, suffix, compress):
    plain = WRITERS[kind](tmp_path / f"plain{kind}", ROWS)
    (tmp_path / f"posts{kind}{suffix}").write_bytes(compress(plain.read_bytes()))
    rows = scored(tmp_path / f"posts{kind}{suffix}", name="posts.parquet")
    assert given_columns(rows) == ROWS


def test_json_fields_keep_their_types(scored, tmp_path):
    rows = [
        {"text": "a", "n": 1, "x": 1, "ok": True, "nested": {"a": [1]}, "mixed": 1, "big": 2**70},
        {"text": None, "n": 2**60, "x": 2.5, "ok": None, "nested": None, "mixed": "two"},
        {"text": float("nan"), "x": float("nan"), "late": "é"},
    ]
    table_rows = scored(write_jsonl(tmp_path / "posts.jsonl", rows), name="posts.parquet")
    first, second, third = given_columns(table_rows)
    assert first["nested"] == '{"a": [1]}'
    assert [first["mixed"], second["mixed"]] == ["1", '"two"']
    assert first["big"] == str(2**70)
    assert [first["n"], second["n"], third["n"]] == [1, 2**60, None]
    assert [first["x"], second["x"]] == [1.0, 2.5]
    assert [second["text"], third["text"], third["late"]] == [None, None, "é"]
    assert [row["deepmoji_unknown_share"] for row in table_rows] == [0.0, 1.0, 1.0]


def test_json_to_json_gives_objects_back(scored, tmp_path, bundle):
    rows = [{"text": "love", "user": {"id": 1}, "tags": ["a", None]}, {"text": None, "user": None}]
    source = write_jsonl(tmp_path / "posts.jsonl", rows)
    with pytest.raises(OSError, match=r"out.posts\.parquet"):
        scored(source, name="posts.parquet", format="jsonl")
    lines = (tmp_path / "out" / "posts.jsonl").read_text("utf-8").splitlines()
    first, second = map(json.loads, lines)
    assert (first["user"], first["tags"], second["user"]) == ({"id": 1}, ["a", None], None)
    assert first["deepmoji_top"][0]["label"] in bundle.labels


def test_a_missing_number_as_pandas_writes_it_is_none(scored, tmp_path):
    rows = [{"text": "a", "ok": True, "big": 2**60}, {"text": "b", "ok": float("nan"),
             "big": float("nan")}]  # fmt: skip
    first, second = scored(write_jsonl(tmp_path / "posts.jsonl", rows), name="posts.parquet")
    assert (first["ok"], first["big"]) == (True, 2**60)
    assert (second["ok"], second["big"]) == (None, None)


def test_values_that_python_has_no_type_for_are_spelled_out_in_json(scored, tmp_path):
    nanoseconds = pa.array([0, 1_000_000_001, None], pa.timestamp("ns"))
    table = pa.table(
        {
            "text": ["a", "b", "c"],
            "at": nanoseconds,
            "far": pa.array([0, 10**12, None], pa.timestamp("s")),
            "took": pa.array([0, 1, None], pa.duration("ns")),
            "latin": pa.array([b"x", b"caf\xe9", None], pa.binary()).view(pa.string()),
            "deep": pa.StructArray.from_arrays([nanoseconds], ["at"]),
            "many": pa.ListArray.from_arrays([0, 1, 3, 3], nanoseconds),
        }
    )
    pq.write_table(table, tmp_path / "posts.parquet")
    with pytest.raises(OSError, match=r"out.posts\.parquet"):
        scored(tmp_path / "posts.parquet", name="posts.parquet", format="jsonl")
    lines = (tmp_path / "out" / "posts.jsonl").read_text("utf-8").splitlines()
    first, second, third = map(json.loads, lines)
    spelled = "1970-01-01T00:00:01.000000001"
    assert (first["at"], second["at"], third["at"]) == ("1970-01-01T00:00:00", spelled, None)
    assert (second["far"], second["took"]) == ("1000000000000000 timestamp[ms]", "1 duration[ns]")
    assert (second["latin"], second["deep"]) == ("caf\ufffd", {"at": spelled})
    assert (second["many"], third["many"]) == ([spelled, None], [])


def test_empty_lines_before_the_header_are_none(scored, tmp_path):
    (tmp_path / "a.csv").write_text("\n\nid,text\n\n1,love\n")
    (tmp_path / "b.csv").write_text("\n\n")
    (row,) = scored(tmp_path / "a.csv", tmp_path / "b.csv", name="a.parquet")
    assert (row["id"], row["text"]) == ("1", "love")
    assert pq.read_table(tmp_path / "out" / "b.parquet").num_rows == 0


def test_a_value_that_cannot_be_written_ends_its_file_alone(scored, tmp_path):
    deep = '{"text": "love", "x": ' + "[" * 900 + "]" * 900 + "}\n"
    (tmp_path / "a.jsonl").write_text(deep)
    (tmp_path / "b.jsonl").write_text('{"text": "hate"}\n')
    with pytest.raises(InputError, match=r"a\.jsonl cannot be written as jsonl.*; 1 of 2 files"):
        scored(tmp_path / "a.jsonl", tmp_path / "b.jsonl", name="b.parquet", format="jsonl")
    assert [path.name for path in (tmp_path / "out").glob("*.jsonl")] == ["b.jsonl"]


def test_nested_text_field(scored, predictor, tmp_path):
    rows = [{"data": {"text": "i love you"}}, {"data": {}}]
    source = write_jsonl(tmp_path / "posts.jsonl", rows)
    found = scored(source, name="posts.parquet", text_column="data.text")
    best = predictor.predict("i love you").top[0][0]
    assert found[0]["deepmoji_top"][0]["label"] == best
    assert found[1]["deepmoji_unknown_share"] == 1.0


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["love", None, ""]),
        pa.array(["love", None, ""], pa.large_string()),
        pa.array(["love", None, ""], pa.string_view()),
        pa.array(["love", None, ""]).dictionary_encode(),
        pa.array([None, None, None], pa.null()),
        pa.array([float("nan"), None, float("nan")], pa.float64()),
    ],
    ids=lambda column: str(column.type),
)
def test_kinds_of_text_columns(scored, tmp_path, column):
    pq.write_table(pa.table({"text": column}), tmp_path / "posts.parquet")
    rows = scored(tmp_path / "posts.parquet", name="posts.parquet")
    assert [row["deepmoji_unknown_share"] for row in rows[1:]] == [1.0, 1.0]
    stored = pq.read_table(tmp_path / "out" / "posts.parquet").column("text")
    assert stored.combine_chunks().type == column.type
    assert stored.null_count == column.null_count


def test_parquet_with_other_types_and_row_groups(scored, tmp_path):
    table = pa.table(
        {
            "text": ["love"] * 5000,
            "when": pa.array(range(5000), pa.timestamp("us")),
            "numbers": [[1, 2]] * 5000,
        }
    )
    pq.write_table(table, tmp_path / "posts.parquet", row_group_size=700)
    scored(tmp_path / "posts.parquet", name="posts.parquet")
    written = pq.read_table(tmp_path / "out" / "posts.parquet")
    assert written.select(table.column_names).equals(table)


def test_text_that_is_not_utf8_in_parquet(scored, tmp_path):
    broken = pa.Array.from_buffers(
        pa.string(),
        2,
        [None, pa.array([0, 2, 6], pa.int32()).buffers()[1], pa.py_buffer(b"\xff!love")],
    )
    pq.write_table(pa.table({"text": broken}), tmp_path / "posts.parquet")
    rows = pq.ParquetFile(tmp_path / "posts.parquet").metadata.num_rows
    with pytest.raises(UnicodeDecodeError):  # by this test: the column is left as it was
        scored(tmp_path / "posts.parquet", name="posts.parquet")
    assert pq.read_metadata(tmp_path / "out" / "posts.parquet").num_rows == rows


def test_all_outputs(scored, predictor, tmp_path):
    source = write_csv(tmp_path / "posts.csv", ROWS)
    rows = scored(source, name="posts.parquet", top=0, encode=True, scores=True, prefix="m_")
    names = ["m_scores", "m_features", "m_unknown_share", "m_truncated"]
    assert list(rows[0]) == ["id", "text", *names]
    assert [row["m_scores"] for row in rows] == pytest.approx(predictor.scores(TEXTS), abs=1e-6)
    assert [row["m_features"] for row in rows] == pytest.approx(predictor.encode(TEXTS), abs=1e-6)


def test_empty_files(scored, tmp_path):
    for name in ("a.txt", "b.csv", "c.jsonl"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "d.csv").write_text("id,text\n")
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "e.parquet")
    inputs = [tmp_path / name for name in ("a.txt", "b.csv", "c.jsonl", "d.csv", "e.parquet")]
    scored(*inputs, name="a.parquet")
    for name in "abcde":
        table = pq.read_table(tmp_path / "out" / f"{name}.parquet")
        assert table.num_rows == 0
        assert set(NEW) <= set(table.column_names)


ODD = st.text(st.characters(codec=None, exclude_categories=()), max_size=60) | st.sampled_from(
    [
        "\ud83d",
        "a\udc80b",
        '"',
        '""',
        "\r",
        "\r\n",
        "\0",
        "\u2028x",
        ",",
        "\t",
        "a\nb",
        "NaN",
        "null",
    ]
)


@given(texts=st.lists(ODD, max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
def test_any_text_has_its_row(scored, predictor, tmp_path, texts, kind):
    if kind == ".csv":  # has no way to spell half characters
        texts = [text.encode("utf-8", "replace").decode() for text in texts]
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    source = WRITERS[kind](tmp_path / f"posts{kind}", rows or [{"id": "", "text": ""}])
    found = scored(source, name="posts.parquet", overwrite=True)
    if rows:
        assert [row["id"] for row in found] == [row["id"] for row in rows]
        expected = [
            text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts
        ]
        assert [row["text"] for row in found] == expected
        check_answers(found, predictor)


BAD = {
    "short.csv": ("id,text\n1,a\n2\n3,c\n", r"short\.csv, line 3 is no row of CSV: 1 fields inst"),
    "open.csv": ('id,text\n1,"a\n2,b\n', r"open\.csv, line 3 is no row of CSV: unexpected end"),
    "short.tsv": ("id\ttext\n1\n", r"short\.tsv, line 2 is no row of TSV"),
    "bad.jsonl": ('{"text": "a"}\n{"text": \n', r"bad\.jsonl, line 2 is not JSON"),
    "list.jsonl": ('{"text": "a"}\n\n["a"]\n', r"list\.jsonl, line 3 is JSON, but no object"),
    "number.jsonl": (
        '{"text": "a"}\n{"text": 12}\n',
        r"number\.jsonl, line 2: the field 'text' hol",
    ),
    "none.csv": ("id,words\n1,a\n", r"none\.csv: no text column; .*--text-column"),
    "none.jsonl": ('{"words": "a"}\n', r"none\.jsonl: no text column"),
    "twice.csv": ("text,a,a\n1,2,3\n", r"twice\.csv: two columns are named 'a'"),
    "there.csv": (
        "text,deepmoji_top\n1,2\n",
        r"there\.csv: has a column 'deepmoji_top' .*--prefix",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_named(scored, tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        scored(tmp_path / name, name="posts.parquet")
    assert [path for path in (tmp_path / "out").iterdir() if path.name[0] not in "._"] == []


def test_parquet_without_texts(scored, tmp_path):
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "posts.parquet")
    with pytest.raises(InputError, match="column 'text' holds int64, not text"):
        scored(tmp_path / "posts.parquet", name="posts.parquet")
    pq.write_table(pa.table({"text": [0.5, None]}), tmp_path / "posts.parquet")
    with pytest.raises(InputError, match=r"column 'text' holds 0\.5, not text"):
        scored(tmp_path / "posts.parquet", name="posts.parquet")


def test_plain_text_has_no_columns(scored, tmp_path):
    (tmp_path / "a.txt").write_text("love\n")
    with pytest.raises(InputError, match="has no column 'body'"):
        scored(tmp_path / "a.txt", name="a.parquet", text_column="body")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_a_line_without_end(scored, tmp_path, name, monkeypatch):
    monkeypatch.setattr("deepmoji.scoring.lines.LONGEST", 1000)
    (tmp_path / name).write_text("text\n" + "x" * 2000)
    with pytest.raises(InputError, match=r"line \d (is longer than 1,000|is not JSON)"):
        scored(tmp_path / name, name="a.parquet")


def test_other_files_are_scored_beside_a_bad_one(scored, tmp_path):
    (tmp_path / "a.txt").write_text("love\n")
    (tmp_path / "b.csv").write_text("id,text\n1\n")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 not at all")
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"love\n" * 9999)[:-20])
    (tmp_path / "e.txt").write_text("hate\n")
    files = [tmp_path / name for name in ("a.txt", "b.csv", "c.parquet", "d.txt.gz", "e.txt")]
    with pytest.raises(InputError, match=r"b\.csv, line 2 .*\(and 2 more\); 2 of 5 files are scor"):
        scored(*files, name="a.parquet")
    there = sorted(path.name for path in (tmp_path / "out").glob("*.parquet"))
    assert there == ["a.parquet", "e.parquet"]
    assert list((tmp_path / "out").rglob("*.partial")) == []
