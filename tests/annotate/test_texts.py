"""Texts and scales: what goes into a campaign."""

import io
import json

import pytest

from deepmoji.annotate.scales import Scale, from_stored, to_stored
from deepmoji.annotate.settings import CONSENT, Settings
from deepmoji.annotate.texts import read_texts
from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS


@pytest.mark.parametrize(
    ("name", "content", "keys"),
    [
        ("a.txt", "so happy\r\nso sad\n\n", "12"),
        ("a.posts", "\ufeffso happy\nso sad", "12"),
        ("a.csv", 'tweet,other\nso happy,1\n"so sad",2\n', "12"),
        ("a.csv", "id,text\n7,so happy\nx,so sad\n", "7x"),
        ("a.tsv", "id\ttext\n7\tso happy\nx\tso sad\n", "7x"),
        ("a.jsonl", '{"text": "so happy", "id": 7}\n{"text": "so sad", "id": "x"}\n', "7x"),
        ("a.json", json.dumps([{"text": "so happy"}, {"text": "so sad"}]), "12"),
    ],
)
def test_files(tmp_path, name, content, keys):
    path = tmp_path / name
    path.write_bytes(content.encode())
    texts = read_texts(path)
    assert (texts.texts, texts.keys) == (("so happy", "so sad"), tuple(keys))


def test_parquet_and_columns_by_name(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(arrow.table({"body": ["a", None], "n": [5, 6]}), path)
    texts = read_texts(path, text_column="body", id_column="n")
    assert (texts.texts, texts.keys, texts.empty) == (("a",), ("5",), 1)
    with pytest.raises(
        InputError, match=r"no column by one of the names .*--text-column, of: body, n"
    ):
        read_texts(path)
    with pytest.raises(InputError, match=r"no column 'x' \(--id-column\)"):
        read_texts(path, text_column="body", id_column="x")


def test_standard_input(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(b"a\nb\n")

    monkeypatch.setattr("sys.stdin", Stdin)
    assert read_texts("-").texts == ("a", "b")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\xff\xfe", "not UTF-8"),
        ("a.txt", b" \n\n", "no text to rate"),
        ("a.txt", b"x" * 10_001, "line 1: 10,001 characters, at most 10,000"),
        ("a.csv", b"text\n1\n", None),
        ("a.jsonl", b'{"text": 1}', "the text is a int"),
        ("a.csv", b"id,text\n,b\n", "row 1: the id needs"),
        ("a.csv", b"id,text\n=a,a\n=a,b\n", "row 2: the id '=a' stands in row 1 too"),
        ("a.csv", b"id,text\n'=a,a\n=a,b\n", "row 2: the id '=a' is written \"'=a\" .* row 1"),
        ("a.csv", b"id,text\n=a,a\n'=a,b\n", 'row 2: the id "\'=a" is written .* row 1'),
    ],
)
def test_what_cannot_be_used(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    if message is None:
        assert read_texts(path).texts == ("1",)
        return
    with pytest.raises(InputError, match=message):
        read_texts(path)
    with pytest.raises(InputError, match=r"cannot read .*No such file"):
        read_texts(tmp_path / "none.txt")


def test_scales():
    assert Scale.parse("nine").values == tuple("123456789")
    assert Scale.parse("emojis").values == EMOJIS
    labels = Scale.parse("labels: joy , not joy", multi=True)
    assert labels.values == ("joy", "not joy")
    assert labels.check(["not joy", "joy"]) == ("joy", "not joy")
    assert labels.check([]) == ()
    for scale in (labels, Scale.parse("nine"), Scale.parse("emojis")):
        assert Scale.from_json(scale.to_json()) == scale
    for answer in (None, (), ("joy", "😂")):
        assert from_stored(to_stored(answer)) == answer


def test_labels_with_a_bar_are_for_one_answer_a_text():
    assert Scale.parse("labels:a|b,c").check(["a|b"]) == ("a|b",)
    with pytest.raises(InputError, match=r"'a\|b' would read as several"):
        Scale.parse("labels:a|b,c", multi=True)


@pytest.mark.parametrize(
    "text", ["", "ten", "labels", "labels:", "labels:a", "labels:a,,b", "labels:a,a", "labels:a,[b",
             "labels:a,b\u202e", "labels:a," + "b" * 101, "labels:" + ",".join(map(str, range(65)))]
)  # fmt: skip
def test_what_is_no_scale(text):
    with pytest.raises(InputError):
        Scale.parse(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"raters_per_item": 0}, {"release_minutes": 0}, {"title": " "}, {"scale": "x"},
        {"multi": True}, {"url": "ftp://x"}, {"url": "example.org"}, {"url": "https://x/?a=b"},
    ],
)  # fmt: skip
def test_what_cannot_be_set(wrong):
    with pytest.raises(InputError):
        Settings(**wrong)


def test_posts_of_their_own_need_consent():
    assert Settings().agreement == ""
    assert Settings(contribute=True).agreement == CONSENT
    assert Settings(contribute=True, consent="Ours.").agreement == "Ours."
