"""`deepmoji convert-benchmark`: pickles of 2017 to what fine-tuning reads."""

import json
import pickle

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.evaluation.datasets import read
from tests.helpers.tunable import CUES, fast, make_texts


def call(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def benchmark(**changes):
    texts = ["so happy", "so sad", "what a day", "oh no"]
    return {
        "texts": texts,
        "info": [{"label": number % 2, "id": number} for number in range(4)],
        "train_ind": [3, 0],
        "val_ind": [1],
        "test_ind": [2],
    } | changes


def written(path, data, protocol=2):
    path.write_bytes(pickle.dumps(data, protocol))
    return path


def converted(tmp_path, data):
    result = call("convert-benchmark", written(tmp_path / "raw.pickle", data), "--out",
                  tmp_path / "data.parquet")  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return pq.read_table(tmp_path / "data.parquet").to_pydict()


def test_rows_come_by_split_with_their_labels(tmp_path):
    assert converted(tmp_path, benchmark()) == {
        "text": ["oh no", "so happy", "so sad", "what a day"],
        "label": ["1", "0", "1", "0"],
        "split": ["train", "train", "validation", "test"],
    }
    splits = read(tmp_path / "data.parquet")
    assert splits.train.labels == (("1",), ("0",))
    assert splits.test.texts == ("what a day",)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([np.int64(2), np.int64(0), 1, 1], ["2", "0", "1", "1"]),
        ([np.array([0, 0, 1.0]), np.array([1.0, 0, 0])] * 2, ["2", "0", "2", "0"]),
        ([np.array([True, True]), [0, 0], [False, True], (1, 0)], [["0", "1"], [], ["1"], ["0"]]),
        (["joy", b"fear", "joy", "joy"], ["joy", "fear", "joy", "joy"]),
    ],
)
def test_each_kind_of_label_becomes_what_finetune_reads(labels, expected, tmp_path):
    data = benchmark(info=[{"label": label} for label in labels], train_ind=[0, 1])
    data |= {"val_ind": np.array([2]), "test_ind": [np.int64(3)]}
    assert converted(tmp_path, data)["label"] == expected


def test_bytes_of_python_2_are_read_as_utf_8(tmp_path):
    """By hand, as Python 2 wrote it: {"texts": ["hé", "b"], …}, protocol 0."""
    (tmp_path / "raw.pickle").write_bytes(
        b"(dp0\nS'texts'\np1\n(lp2\nS'h\\xc3\\xa9'\np3\naS'b'\np4\nasS'info'\np5\n(lp6\n(dp7\n"
        b"S'label'\np8\nI0\nsa(dp9\ng8\nI1\nsasS'train_ind'\np10\n(lp11\nI0\naI1\nas"
        b"S'val_ind'\np12\n(lp13\nsS'test_ind'\np14\n(lp15\ns."
    )
    result = call("convert-benchmark", tmp_path / "raw.pickle", "--out", tmp_path / "d.parquet",
                  "--json")  # fmt: skip
    assert json.loads(result.stdout) == {
        "out": str(tmp_path / "d.parquet"), "train": 2, "validation": 0, "test": 0, "left_out": 0,
    }  # fmt: skip
    assert read(tmp_path / "d.parquet").train.texts == ("hé", "b")


def test_texts_in_no_split_are_told(tmp_path):
    raw = written(tmp_path / "raw.pickle", benchmark(test_ind=[]))
    result = call("convert-benchmark", raw, "--out", tmp_path / "data.parquet")
    assert "2 training, 1 validation and 0 test texts" in result.stdout
    assert "1 texts that are in no split were left out" in result.stdout


BAD = [
    ([1], "a list where a dict was"),
    ({"texts": []}, "has no info, train_ind, val_ind, test_ind"),
    (benchmark(texts="abcd"), "texts is a str"),
    (benchmark(texts=["a", b"\xff", "c", "d"]), "text 1 (counted from 0) is not UTF-8 at byte 0"),
    (benchmark(texts=["a", None, "c", "d"]), "text 1 (counted from 0) is a NoneType"),
    (benchmark(info=[{"label": 1}]), "4 texts, but 1 rows of info"),
    (benchmark(info=[1] * 4), "a int where a dict was"),
    (benchmark(info=[{}] * 4), "the label of text 0 (counted from 0): the label is missing"),
    (benchmark(info=[{"label": [0, 2]}] * 4), "mark each class with 0 or 1"),
    (benchmark(info=[{"label": []}] * 4), "mark each class with 0 or 1"),
    (benchmark(info=[{"label": [0, 1]}] * 3 + [{"label": [1]}]), "different numbers of classes"),
    (benchmark(info=[{"label": [0, 1]}] * 3 + [{"label": 1}]), "is a int, no list"),
    (benchmark(train_ind=[4]), "train_ind holds what is no row from 0 to 3"),
    (benchmark(train_ind=[-1]), "no row"),
    (benchmark(train_ind=[True]), "no row"),
    (benchmark(train_ind=[]), "nothing to learn from"),
    (benchmark(train_ind=[0, 1]), "a row stands twice"),
]


@pytest.mark.parametrize(("data", "message"), BAD)
def test_what_is_no_benchmark_is_told_in_one_line_and_nothing_is_written(data, message, tmp_path):
    raw = written(tmp_path / "raw.pickle", data)
    result = call("convert-benchmark", raw, "--out", tmp_path / "new" / "data.parquet")
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["raw.pickle"]


def test_a_text_used_again_and_again_is_refused(tmp_path):
    data = benchmark(texts=["a" * 1_000_000] * 4000)
    raw = written(tmp_path / "raw.pickle", data)
    assert raw.stat().st_size < 2_000_000
    result = call("convert-benchmark", raw, "--out", tmp_path / "data.parquet")
    assert "more than 67,108,864 characters" in result.stderr


def test_a_name_that_is_not_parquet_is_refused(tmp_path):
    result = call("convert-benchmark", tmp_path / "raw.pickle", "--out", tmp_path / "data.csv")
    assert result.exit_code == 1
    assert "has to end in .parquet" in result.stderr


def test_the_table_feeds_finetune(tmp_path, bundle):
    texts, names = make_texts(60)
    order = sorted(CUES)
    labels = [np.array([name == each for each in order]) for name in names]
    data = {
        "texts": [text.encode() for text in texts],
        "info": [{"label": label} for label in labels],
        "train_ind": list(range(40)),
        "val_ind": list(range(40, 50)),
        "test_ind": list(range(50, 60)),
    }
    converted(tmp_path, data)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in fast("last").items()]
    result = call("finetune", tmp_path / "data.parquet", "--out", tmp_path / "model", "--base",
                  bundle.folder, "--method", "last", "--json", *options)  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert [report["data"][part] for part in ("train", "validation", "test")] == [40, 10, 10]
    assert report["data"]["kind"] == "single"


@pytest.mark.slow
def test_sets_of_2017_give_the_same_tables(shared, tmp_path):
    """The public sets, turned into pickles as they were, come back row for row."""
    for path in sorted((shared / "benchmarks" / "paper").glob("*.parquet")):
        table = pq.read_table(path).to_pydict()
        count = 1 + max(place for label in table["label"] for place in label)
        rows = {name: [n for n, s in enumerate(table["split"]) if s == name]
                for name in ("train", "validation", "test")}  # fmt: skip
        marks = [np.isin(np.arange(count), label) for label in table["label"]]
        data = {
            "texts": [text.encode() for text in table["text"]],
            "info": [{"label": mark} for mark in marks],
            "train_ind": rows["train"], "val_ind": rows["validation"], "test_ind": rows["test"],
        }  # fmt: skip
        converted(tmp_path, data)
        new, old = read(tmp_path / "data.parquet"), read(path)
        assert (new.train, new.validation, new.test) == (old.train, old.validation, old.test)
