"""Labelled texts from Python: lists, arrays, columns of other libraries."""

import enum
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, label_name, read

TEXTS = ["a", "b", "c"]


class Mood(enum.StrEnum):
    GOOD = "good"


class Level(enum.IntEnum):
    HIGH = 3


class Series:
    """A column of pandas, as far as reading one goes."""

    def __init__(self, values):
        self.values = values

    def tolist(self):
        return self.values

    def __iter__(self):
        raise AssertionError("pandas' own conversion is the right one")


class Frame:
    """A table of pandas: iterating it gives the names of its columns."""

    columns = ("x", "y")

    def __iter__(self):
        return iter(self.columns)


def labels_of(labels):
    return read((TEXTS[: len(labels)], labels)).train.labels


@pytest.mark.parametrize(
    "labels",
    [
        ["1", "0", "1"],
        (1, 0, 1),
        [1.0, 0.0, 1.0],
        [[1], (0,), {1}],
        range(1, -1, -1),
        iter([1, 0, 1]),
        np.array([1, 0, 1], dtype=np.int8),
        np.array([1, 0, 1], dtype=np.uint64),
        np.array([1, 0, 1], dtype=np.float32),
        np.array(["1", "0", "1"]),
        np.array([1, "0", 1.0], dtype=object),
        [np.int64(1), np.float16(0), np.str_("1")],
        [np.array(1), np.array([0]), pa.scalar(1)],
        Series([1, 0, 1]),
        pa.array([1, 0, 1], pa.int8()),
        pa.array(["1", "0", "1"]).dictionary_encode(),
        pa.chunked_array([[1], [0, 1]]),
        pa.array([[1], [0], [1]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_of_any_type(labels):
    count = 3 if not hasattr(labels, "__len__") else len(labels)
    assert read((TEXTS[:count], labels)).train.labels == (("1",), ("0",), ("1",))[:count]


Series.__len__ = lambda self: len(self.values)


@pytest.mark.parametrize(
    "texts",
    [
        TEXTS,
        tuple(TEXTS),
        iter(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        Series(TEXTS),
        pa.array(TEXTS),
        pa.chunked_array([TEXTS]),
        pa.array(TEXTS).dictionary_encode(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_texts_of_any_column(texts):
    rows = read((texts, [1, 2, 3])).train
    assert rows == Labelled(texts=("a", "b", "c"), labels=(("1",), ("2",), ("3",)))
    assert all(type(text) is str for text in rows.texts)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (" joy ", "joy"),
        (0, "0"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (np.float64(0.5), "0.5"),
        (True, "True"),
        (np.False_, "False"),
        (2**70, str(2**70)),
        (Mood.GOOD, "good"),
        (Level.HIGH, "3"),
    ],
)
def test_names_of_labels(value, name):
    assert label_name(value) == name
    assert type(label_name(value)) is str


def test_several_labels_a_text():
    assert labels_of([["joy", "fear"], set(), {2, 1}]) == (("joy", "fear"), (), ("1", "2"))
    assert labels_of([np.array(["joy", "fear"]), (), "joy"]) == (("joy", "fear"), (), ("joy",))
    assert labels_of(pa.array([[1, 2], [], [2]], pa.list_(pa.int8()))) == (("1", "2"), (), ("2",))


def test_a_table_of_zeros_and_ones():
    table = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])
    expected = (("0", "2"), (), ("1",))
    for each in (table, table.astype(bool), table.astype(np.float32), table.astype(np.uint8)):
        assert labels_of(each) == expected


def test_a_sparse_table_of_zeros_and_ones():
    from scipy.sparse import csr_matrix

    table = csr_matrix(np.array([[1, 0, 1], [0, 0, 0]]))
    assert read((["a", "b"], table)).train.labels == (("0", "2"), ())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([[1, 2], [0, 1], [0, 0]]), "0 and 1 only"),
        (np.array([[1.0, np.nan], [0, 1], [0, 0]]), "0 and 1 only"),
        (np.array([["a", "b"], ["a", "c"], ["a", "d"]]), "0 and 1 only"),
        (np.zeros((3, 1), int), "ravel"),
        (np.zeros((3, 0), int), "ravel"),
        (np.zeros((3, 2, 2), int), "shape"),
        # A table as lists would be read as lists of the labels 0 and 1.
        ([[1, 0, 1], [0, 1, 0], [0, 0, 1]], "stands twice"),
        ([1, 0], "3 texts, but 2 labels"),
        (np.eye(2), "3 texts, but 2 labels"),
        ("abc", "single str"),
        (b"abc", "single bytes"),
        (5, "got a int"),
        (np.array(5), "got a int"),
        (None, "got a NoneType"),
        ({"a": 1, "b": 2, "c": 3}, "got a dict"),
        ({1, 2, 3}, "got a set"),
        (Frame(), "got a Frame"),
        ([1, None, 2], "row 1 .*missing"),
        ([1, float("nan"), 2], "row 1 .*missing"),
        ([1, float("inf"), 2], "row 1 .*missing"),
        (np.array([1, np.nan, 2]), "row 1 .*missing"),
        (np.array(["x", np.nan, "y"]), "row 1 .*missing"),  # numpy makes 'nan' of it
        (np.array(["x", None, "y"], dtype=object), "row 1 .*missing"),
        (np.ma.array([1, 2, 3], mask=[0, 1, 0]), "row 1 .*missing"),
        (pa.array([1, None, 2]), "row 1 .*missing"),
        (["x", "", "y"], "row 1 .*missing"),
        (["x", " ", "y"], "row 1 .*missing"),
        (["x", ["y", None], "y"], "row 1 .*missing"),
        (["x", b"y", "y"], "row 1 .*bytes"),
        (["x", Decimal("1"), "y"], "row 1 .*Decimal"),
        (["x", 1j, "y"], "row 1 .*complex"),
        (["x", {"y": 1}, "y"], "row 1 .*dict"),
        (["x", [["y"]], "y"], "row 1 .*list"),
        (["x", "\udce9", "y"], "row 1 .*half a character"),
    ],
)
def test_labels_that_cannot_be_used(labels, message):
    with pytest.raises(InputError, match=message):
        read((TEXTS, labels))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", None, "c"], "row 1 .*missing"),
        (["a", float("nan"), "c"], "row 1 .*missing"),
        (["a", 5, "c"], "row 1 .*int 5"),
        (["a", b"b", "c"], "row 1 .*bytes"),
        (["a", ["b"], "c"], "row 1 .*list"),
        (np.array([["a"], ["b"], ["c"]]), "row 0 .*list"),
        (np.array([1, 2, 3]), "row 0 .*int 1"),
        (pa.array(["a", None, "c"]), "row 1 .*missing"),
        ("abc", "single str"),
        (np.array("abc"), "expected a list of texts, got a str"),
        (Frame(), "got a Frame"),
        ([], "0 texts, but 3 labels"),
    ],
)
def test_texts_that_cannot_be_used(texts, message):
    with pytest.raises(InputError, match=message):
        read((texts, [1, 2, 3]))


def test_no_rows():
    for labels in ([], np.zeros((0, 3)), pa.array([], pa.string())):
        with pytest.raises(InputError, match="no texts"):
            read(([], labels))


def test_texts_may_be_empty_odd_and_long():
    texts = ["", " ", "\ud83d", "\0", "word " * 10_000]
    assert read((texts, [1, 1, 2, 2, 2])).train.texts == tuple(texts)


def test_some_rows():
    rows = read((TEXTS, [1, 2, 3])).train
    assert rows.take([2, 0]) == Labelled(texts=("c", "a"), labels=(("3",), ("1",)))
    assert rows.take(np.array([True, False, True])).texts == ("a", "c")
    assert rows.take(np.array([1, 1], dtype=np.uint8)).texts == ("b", "b")
    assert rows.take([]) == rows.take(np.array([], dtype=np.int64)) == Labelled(texts=(), labels=())
    assert len(rows.take([False, False, False])) == 0
    for wrong in ([3], [-1], [0.5], ["a"], [[0]], [True, False]):
        with pytest.raises(InputError):
            rows.take(wrong)


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (("a",), ()),
        (("a",), (("x",), ("y",))),
        (("a",), ("x",)),
        (("a",), ((1,),)),
        (("a",), (["x"],)),
        (("a",), (("x", "x"),)),
        ((None,), (("x",),)),
    ],
)
def test_what_is_built_by_hand_is_checked(texts, labels):
    with pytest.raises(InputError):
        Labelled(texts=texts, labels=labels)
