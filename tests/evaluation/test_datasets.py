"""Labelled texts from files: every row comes in, or an error says which one does not and why."""

import gzip
import json

import pytest

from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, read, read_as

ROWS = (("so happy", "joy"), ("so, sad\nand tired", "sadness"), ('a "quoted" text', "joy"))
CSV = 'text,label\nso happy,joy\n"so, sad\nand tired",sadness\n"a ""quoted"" text",joy\n'
TSV = CSV.replace('"so, sad', '"so\\, sad').replace(",", "\t").replace("\\\t", ",")


def write(folder, name, content):
    path = folder / name
    if isinstance(content, str):
        content = content.encode("utf-8")
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def json_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def parquet(path, **columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return path


OBJECTS = [dict(zip(("text", "label"), row, strict=True)) for row in ROWS]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.CSV", CSV),
        ("a.csv.gz", CSV),
        ("a.csv", "\ufeff" + CSV),
        ("a.csv", CSV.replace("text,label", "Text , Label")),
        ("a.csv", CSV.replace("\n", "\n\n").replace("sad\n\n", "sad\n")),
        ("a.tsv", TSV),
        ("a.tsv.gz", TSV),
        ("a.jsonl", json_lines(OBJECTS)),
        ("a.jsonl", "\ufeff" + json_lines(OBJECTS).replace("\n", "\r\n") + "\n\n"),
        ("a.ndjson.gz", json_lines(OBJECTS)),
        ("a.json", json.dumps(OBJECTS, indent=2)),
    ],
)
def test_every_format_gives_the_same(tmp_path, name, content):
    splits = read(write(tmp_path, name, content))
    assert tuple(zip(splits.train.texts, splits.train.labels, strict=True)) == tuple(
        (text, (label,)) for text, label in ROWS
    )
    assert (splits.validation, splits.test) == (None, None)


def test_csv_with_carriage_returns_keeps_those_of_texts(tmp_path):
    path = write(tmp_path, "a.csv", 'text,label\r\n"two\r\nlines",x\r\none,y\r\n')
    assert read(path).train.texts == ("two\r\nlines", "one")


def test_parquet(tmp_path):
    import pyarrow as pa

    texts, labels = zip(*ROWS, strict=True)
    plain = parquet(tmp_path / "a.parquet", text=list(texts), label=list(labels))
    encoded = parquet(
        tmp_path / "b.parquet",
        text=pa.array(texts).dictionary_encode(),
        label=pa.chunked_array([labels[:1], labels[1:]]).dictionary_encode(),
    )
    lists = parquet(
        tmp_path / "c.parquet",
        text=pa.array(texts, pa.large_string()),
        label=pa.array([[0], [], [1, 0]], pa.large_list(pa.int8())),
        split=["train", "test", "train"],
    )
    assert read(plain) == read(encoded)
    assert read(plain).train.labels == (("joy",), ("sadness",), ("joy",))
    assert read(lists).train.labels == (("0",), ("1", "0"))
    assert read(lists).test.labels == ((),)


def test_the_split_column_divides_the_rows(tmp_path):
    names = ["Train", "dev", "test", "validation", "valid", "val ", "training", "TEST"]
    rows = [{"text": f"t{n}", "label": n, "split": name} for n, name in enumerate(names)]
    path = write(tmp_path, "a.jsonl", json_lines(rows))
    splits = read(path)
    assert splits.train.texts == ("t0", "t6")
    assert splits.validation.texts == ("t1", "t3", "t4", "t5")
    assert splits.test.texts == ("t2", "t7")
    assert read_as(path, "test") == splits.test


def test_a_source_without_training_rows_has_no_training_rows(tmp_path):
    path = write(tmp_path, "a.csv", "text,label,split\na,x,test\nb,y,test\n")
    splits = read(path)
    assert (len(splits.train), splits.validation, len(splits.test)) == (0, None, 2)
    assert len(read_as(path, "test")) == 2
    with pytest.raises(InputError, match="marks no row as validation, but as test"):
        read_as(path, "validation")


def test_a_source_without_splits_is_for_whatever_it_was_given_for(tmp_path):
    path = write(tmp_path, "a.csv", CSV)
    assert read_as(path, "validation") == read_as(str(path), "test") == read(path).train
    pair = (["a"], ["x"])
    assert read_as(pair, "test") == read(pair).train


@pytest.mark.parametrize("split", ["", "holdout", "train2"])
def test_an_unknown_split_is_no_training_row(tmp_path, split):
    path = write(tmp_path, "a.csv", f"text,label,split\na,x,train\nb,y,{split}\n")
    with pytest.raises(InputError, match=rf"line 3: the split is '{split}'"):
        read(path)


def test_columns_by_name(tmp_path):
    path = write(tmp_path, "a.csv", "id,comment,toxic,text\n1,hello,no,x\n2,you fool,yes,x\n")
    rows = read(path, text_column="comment", label_column="toxic").train
    assert rows == Labelled(texts=("hello", "you fool"), labels=(("no",), ("yes",)))
    both = write(tmp_path, "b.csv", "sentence,class\nhello,no\n")
    assert read(both).train.texts == ("hello",)


@pytest.mark.parametrize(
    ("header", "named", "message"),
    [
        ("words,label", {}, "no column by one of the names .*--text-column.*of: words, label"),
        ("text,mood", {}, "no column by one of the names .*--label-column.*of: text, mood"),
        ("text;label,x", {}, "of: text;label, x"),
        ("text,tweet,label", {}, "more than one column .*of: text, tweet, label"),
        ("text,Text,label", {}, "more than one column"),
        ("text,label", {"text_column": "post"}, "no column 'post' .*it has: text, label"),
        ("text,label", {"label_column": "text"}, "cannot hold texts and labels"),
        ("words,label,words", {"text_column": "words"}, "two columns have the name 'words'"),
        ("text,label,split,split", {}, "two columns have the name 'split'"),
    ],
)
def test_a_column_in_doubt_is_asked_for(tmp_path, header, named, message):
    row = ",".join("train" for _ in header.split(","))
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, "a.csv", f"{header}\n{row}\n"), **named)


def test_a_column_that_is_not_used_may_stand_twice(tmp_path):
    path = write(tmp_path, "a.csv", "text,x,x,label\na,1,2,b\n")
    assert read(path).train.labels == (("b",),)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["1.0", "0.0", "10.0"], ["1", "0", "10"]),
        (["1", "0", "-1"], ["1", "0", "-1"]),
        (["1.0", "0.5", "1", "-0.50"], ["1", "0.5", "1", "-0.5"]),  # as in every other format
        (["1.0", "0.5", "low"], ["1", "0.5", "low"]),  # whatever stands in other rows
        (["1" * 5000, "2"], ["1" * 5000, "2"]),
        (["007", "1.0", "x"], ["007", "1", "x"]),
        (["True", "False"], ["True", "False"]),
        (["none", "NULL", "NA"], ["none", "NULL", "NA"]),  # names of classes, also "none"
        ([" joy ", "sad"], ["joy", "sad"]),
        (["😒", "é"], ["😒", "é"]),
    ],
)
def test_labels_in_csv(tmp_path, cells, labels):
    path = write(tmp_path, "a.csv", "text,label\n" + "".join(f"t,{cell}\n" for cell in cells))
    assert read(path).train.labels == tuple((label,) for label in labels)


def test_lists_of_labels_in_csv(tmp_path):
    cells = ['["joy", "fear"]', "['joy', 'fear']", "[]", "[1, 2.0]", "joy", "1.0"]
    rows = "".join(f'"t"\t{cell}\n' for cell in cells)
    with pytest.raises(InputError):  # quotation marks inside a field have to be doubled
        read(write(tmp_path, "a.csv", 'text,label\nt,"["joy"]"\n'))
    quoted = "".join('t,"{}"\n'.format(cell.replace('"', '""')) for cell in cells)
    expected = (("joy", "fear"), ("joy", "fear"), (), ("1", "2"), ("joy",), ("1",))
    assert read(write(tmp_path, "a.tsv", f"text\tlabel\n{rows}")).train.labels == expected
    assert read(write(tmp_path, "a.csv", f"text,label\n{quoted}")).train.labels == expected


@pytest.mark.parametrize("cell", ["[joy]", "[1 2]", "[", "[[1]]", '["a", "a"]', '["a", null]'])
def test_what_only_looks_like_a_list_is_no_label(tmp_path, cell):
    with pytest.raises(InputError, match="line 3"):
        read(write(tmp_path, "a.tsv", f"text\tlabel\nt\tx\nt\t{cell}\n"))


@pytest.mark.parametrize("cell", ["", "  ", "nan", "NaN", "<NA>"])
def test_a_missing_label_is_no_class(tmp_path, cell):
    with pytest.raises(InputError, match="line 3: the label is missing"):
        read(write(tmp_path, "a.csv", f"text,label\nt,x\nt,{cell}\nt,y\n"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('"text": "t", "label": null', "line 2: the label is missing"),
        ('"text": "t", "label": NaN', "line 2: the label is missing"),
        ('"text": "t", "label": Infinity', "line 2: the label is missing"),
        ('"text": "t", "label": ""', "line 2: the label is missing"),
        ('"text": "t", "label": ["x", null]', "line 2: the label is missing"),
        ('"text": "t", "label": {"x": 1}', "line 2: the label is dict"),
        ('"text": "t", "label": ["x", ["y"]]', "line 2: the label is list"),
        ('"text": "t", "label": ["x", "x"]', "line 2: a label stands twice"),
        ('"text": "t", "label": "\\ud83d"', "line 2: .*half a character"),
        ('"text": "t"', "line 2: no field 'label'"),
        ('"label": "x"', "line 2: no field 'text'"),
        ('"text": null, "label": "x"', "line 2: the text is missing"),
        ('"text": 5, "label": "x"', "line 2: the text is int 5"),
        ('"text": ["t"], "label": "x"', "line 2: the text is list"),
        ('"text": "t", "text": "u", "label": "x"', "line 2: .*'text' stands there twice"),
        ('"text": "t", "label"', "line 2: not JSON"),
    ],
)
def test_a_bad_row_of_json_is_named(tmp_path, fields, message):
    good = '{"text": "t", "label": "x"}'
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, "a.jsonl", f"{good}\n{{{fields}}}\n{good}\n"))


def test_json_that_holds_no_objects(tmp_path):
    for content in ('"text"\n', '["a", "b"]', "5\n", '[{"text": "t", "label": "x"}, "y"]'):
        with pytest.raises(InputError, match="not an object"):
            read(write(tmp_path, "a.json", content))


def test_json_text_with_a_line_separator_is_one_row(tmp_path):
    row = '{"text": "a\u2028b\x85c", "label": "x"}\n'
    assert read(write(tmp_path, "a.jsonl", row * 2)).train.texts == ("a\u2028b\x85c",) * 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,x\nb,y,z\n", "line 3: 3 fields, but the header has 2"),
        ("a,x\nb\n", "line 3: 1 fields, but the header has 2"),
        ('a,x\n"b\nb",y\nc\n', "line 5: 1 fields"),
        ('a,x\n"b,y\nc,x\n', "row that begins in line 3"),
        ('a,x\n"b" b,y\n', "row that begins in line 3"),
    ],
)
def test_a_ragged_row_of_csv_is_named(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        read(write(tmp_path, "a.csv", f"text,label\n{rows}"))


def test_a_quotation_mark_in_tsv_swallows_no_rows(tmp_path):
    rows = 'a\tx\n"so it begins\ty\nb\tx\nI say "yes"\ty\nthe end"\tx\n'
    with pytest.raises(InputError, match=r"begins in line 3|line 3: a quotation mark"):
        read(write(tmp_path, "a.tsv", f"text\tlabel\n{rows}"))
    rows = 'a\tx\n"so it begins\ty\nb\tx\nthe end"\tx\n'
    with pytest.raises(InputError, match="line 3: a quotation mark"):
        read(write(tmp_path, "a.tsv", f"text\tlabel\n{rows}"))


def test_a_long_field_and_a_long_text(tmp_path):
    long = "word " * 200_000
    assert read(write(tmp_path, "a.csv", f"text,label\n{long},x\nb,y\n")).train.texts[0] == long


def test_an_empty_text_is_a_text(tmp_path):
    path = write(tmp_path, "a.csv", 'text,label\n,x\n"",y\n  ,x\n')
    assert read(path).train.texts == ("", "", "  ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"text,label\na,x\nb\xe9,y\n", "line 3: not UTF-8"),
        ("a.csv", "text,label\na,x\n".encode("utf-16"), "not UTF-8"),
        ("a.jsonl", b'{"text": "\xff", "label": 1}', "line 1: not UTF-8"),
        ("a.csv", "", "is empty"),
        ("a.jsonl", "\n\n", "is empty"),
        ("a.csv", "text,label\n", "has no rows"),
        ("a.csv", 'text;label\n"a, b";x\n', "separated by ';'; save it with commas"),
        ("a.json", "[]", "has no rows"),
        ("a.parquet", "text,label\na,b\n", "cannot be read"),
        ("a.parquet", "", "cannot be read"),
        ("a.txt", CSV, "has to end in one of"),
        ("a", CSV, "has to end in one of"),
        ("a.gz", CSV, "has to end in one of"),
        ("a.parquet.gz", CSV, "has to end in one of"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_damaged_archive(tmp_path):
    whole = gzip.compress(CSV.encode() * 100)
    for content in (whole[:-20], CSV.encode(), whole[:30] + b"\0" * 20 + whole[50:]):
        path = tmp_path / "a.csv.gz"
        path.write_bytes(content)
        with pytest.raises(InputError, match="cannot read"):
            read(path)


def test_a_damaged_parquet_file(tmp_path):
    import pyarrow as pa

    whole = parquet(tmp_path / "a.parquet", text=["a" * 99] * 99, label=["b"] * 99).read_bytes()
    for content in (whole[:-30], whole[:40], whole[:20] + b"\xff" * 60 + whole[80:]):
        path = tmp_path / "b.parquet"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"cannot (be )?read"):
            read(path)
    bad = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )
    with pytest.raises(InputError, match="column 'text' is not UTF-8"):
        read(parquet(tmp_path / "c.parquet", text=bad, label=["x"]))


def test_missing_values_in_parquet(tmp_path):
    import pyarrow as pa

    path = parquet(tmp_path / "a.parquet", text=["a", None], label=[1, 2])
    with pytest.raises(InputError, match=r"row 2 .*the text is missing"):
        read(path)
    path = parquet(tmp_path / "b.parquet", text=["a", "b"], label=pa.array([1, None], pa.int8()))
    with pytest.raises(InputError, match=r"row 2 .*the label is missing"):
        read(path)
    path = parquet(tmp_path / "c.parquet", text=[b"a", b"b"], label=[1, 2])
    with pytest.raises(InputError, match=r"row 1 .*the text is bytes"):
        read(path)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="there is no file"):
        read(tmp_path / "missing.csv")
    with pytest.raises(InputError):
        read("so happy " * 1000)
    with pytest.raises(InputError, match="path of a file or a pair"):
        read(["a", "b"])
    with pytest.raises(InputError, match="path of a file or a pair"):
        read((["a"], ["b"], ["c"]))


def test_the_benchmark_sets_come_in_whole(shared):
    splits = read(shared / "benchmarks/paper/SE0714.parquet")
    assert [len(rows) for rows in (splits.train, splits.validation, splits.test)] == [200, 50, 1000]
    assert {name for names in splits.train.labels for name in names} == {"0", "1", "2"}
