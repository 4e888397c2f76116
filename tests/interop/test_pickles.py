"""Pickles are read as data: what would run something is refused, and nothing else goes wrong."""

import io
import os
import pickle
import struct
import sys
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.errors import InputError
from deepmoji.interop.pickles import read_pickle

# As Python 2 wrote them: a set of the original in small, with its two kinds of labels.
PROTOCOL_0 = b"""(dp0
S'info'
p1
(lp2
(dp3
S'label'
p4
cnumpy.core.multiarray
_reconstruct
p5
(cnumpy
ndarray
p6
(I0
tp7
S'b'
p8
tp9
Rp10
(I1
(I4
tp11
cnumpy
dtype
p12
(S'b1'
p13
I0
I1
tp14
Rp15
(I3
S'|'
p16
NNNI-1
I-1
I0
tp17
bI00
S'\\x00\\x01\\x00\\x01'
p18
tp19
bsa(dp20
g4
cnumpy.core.multiarray
scalar
p21
(g12
(S'i8'
p22
I0
I1
tp23
Rp24
(I3
S'<'
p25
NNNI-1
I-1
I0
tp26
bS'\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00'
p27
tp28
Rp29
sasS'texts'
p30
(lp31
S"don't h\\xc3\\xa9"
p32
aVso \\ud83d\\ude02
p33
asS'train_ind'
p34
(lp35
I0
aI1
aI01
aF0.5
aL7L
aNas.
"""[:-1]
READ_0 = {
    "info": [{"label": [False, True, False, True]}, {"label": 2}],
    "texts": ["don't hé".encode(), "so 😂"],
    "train_ind": [0, 1, True, 0.5, 7, None],
}
# {"texts": ["hé", u"hé"], "train_ind": [0, 300, 70000]} by cPickle, protocols 1 and 2.
PROTOCOL_1 = (
    b"}q\x01(U\ttrain_indq\x02]q\x03(K\x00M,\x01Jp\x11\x01\x00eU\x05textsq\x04]q\x05("
    b"U\x03h\xc3\xa9q\x06X\x03\x00\x00\x00h\xc3\xa9q\x07eu."
)
PROTOCOL_2 = b"\x80\x02" + PROTOCOL_1.replace(b"K\x00M", b"\x8a\x00M").replace(
    b"]q\x03", b"]r\x03\0\0\0"
)
READ_1 = {"train_ind": [0, 300, 70000], "texts": ["hé".encode(), "hé"]}

VALUES = {
    "texts": ["it's\n😂", "\\ \t"],
    "info": [{"label": np.array([0, 1, 0.0])}, {"label": np.int64(-3)}],
    "more": [True, None, 2.5, 10**12, (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), b"\xff\0", b""],
    "table": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
    "empty": np.zeros((0, 3)),
}
PLAIN = {
    "texts": ["it's\n😂", "\\ \t"],
    "info": [{"label": [0.0, 1.0, 0.0]}, {"label": -3}],
    "more": VALUES["more"],
    "table": [[0, 1, 2], [3, 4, 5]],
    "empty": [],
}


class Evil:
    """Runs what it was made with when a pickle of it is loaded."""

    def __init__(self, function, *arguments):
        self._call = (function, arguments)

    def __reduce__(self):
        return self._call


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "raw.pickle"
        path.write_bytes(content)
        return read_pickle(path)

    return read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PROTOCOL_0, READ_0),
        (PROTOCOL_0.replace(b"\n", b"\r\n"), READ_0),  # checked out on Windows
        (PROTOCOL_1, READ_1),
        (PROTOCOL_2, READ_1),
        *((pickle.dumps(VALUES, protocol), PLAIN) for protocol in range(5)),
    ],
)
def test_plain_values_are_read(content, expected, read):
    assert read(content) == expected


def test_truth_values_and_numbers_keep_their_kind(read):
    values = read(PROTOCOL_0)
    assert [type(value) for value in values["train_ind"][:3]] == [int, int, bool]
    assert type(values["info"][1]["label"]) is int


RAN = []


def run():
    RAN.append(1)


EVIL = {
    "os.system": Evil(os.system, "touch evil"),
    "eval": Evil(eval, "open('evil', 'w')"),
    "exec": Evil(exec, "import os; os.mkdir('evil')"),
    "getattr": Evil(getattr, [], "append"),
    "open": Evil(open, "evil", "w"),
    "own function": Evil(run),
    "nested": Evil(Evil, (Evil(run),)),
    "bytearray": Evil(bytearray, 10**10),
    "list": Evil(list, "abc"),
    "numpy load": Evil(np.load, "evil.npy", None, True),
    "numpy object array": np.array([Evil(run)], dtype=object),
    "numpy zeros": Evil(np.zeros, 10**9),
    "numpy dtype": Evil(np.dtype, [("a", "i8")]),
    "structured array": np.zeros(1, [("a", "i8")]),
    "date": np.array(["2017-01-01"], "datetime64[D]"),
    "class": dict,
    "set": {1, 2},
    "complex": 1j,
    "numpy name alone": np.ndarray,
    "in a key": {("a", 1): 1},
    "large number": 1 << 2100,
}


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("name", EVIL)
def test_what_is_more_than_plain_values_is_refused(name, protocol, read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(EVIL[name], protocol)
    with pytest.raises(InputError, match=r"raw\.pickle is no pickle of plain values: "):
        read(content)
    assert [path.name for path in tmp_path.iterdir()] == ["raw.pickle"]
    assert RAN == []


DTYPE = b"cnumpy\ndtype\n(S'i8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
BY_HAND = {
    "the old way to make objects": b"(S'echo'\nios\nsystem\n.",
    "another one": b"(cos\nsystem\nS'echo'\no.",
    "a name of an allowed module": b"cnumpy\nload\n(S'x'\ntR.",
    "a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.",
    "a persistent id": b"Pid\n.",
    "another persistent id": b"S'id'\nQ.",
    "an extension": b"\x80\x02\x82\x01.",
    "a new object": b"\x80\x02cnumpy\ndtype\n)\x81.",
    "a call of what is no name": b"S'x'\n)R.",
    "a call with a list": b"cnumpy\ndtype\n]R.",
    "an allowed name with other arguments": b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",
    "a subclass of an array": ARRAY.replace(b"ndarray", b"memmap") + b".",
    "a state for a dict": b"}}b.",
    "a state that holds code": ARRAY + b"(I1\n(I1\nt" + DTYPE + b"I00\ncos\nsystem\ntb.",
    "an array larger than its bytes": ARRAY + b"(I1\n(I999999999\nt" + DTYPE + b"I00\nS''\ntb.",
    "an array of nothing, many times": ARRAY
    + b"(I1\n(I999999999\nI0\nt" + DTYPE + b"I00\nS''\ntb.",
    "a negative shape": ARRAY + b"(I1\n(I-1\nI-1\nt" + DTYPE + b"I00\nS'12345678'\ntb.",
    "a number of other size": b"cnumpy.core.multiarray\nscalar\n(" + DTYPE + b"S'1'\ntR.",
    "a string longer than the file": b"T\xff\xff\xff\x7fabc.",
    "a string of negative length": b"T\xff\xff\xff\xffabc.",
    "text longer than the file": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b"abc.",
    "a value that was never remembered": b"g99\n.",
    "a frame and no more": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62),
    "a newer protocol": b"\x80\x05N.",
    "two values": b"NN.",
    "no value": b".",
    "a mark": b"(.",
    "what goes on": b"N.N.",
    "an odd dict": b"(S'a'\nd.",
    "an unhashable key": b"(]Nd.",
    "a number that is none": b"I1e9\n.",
    "a number of many digits": b"L" + b"9" * 10_000 + b"L\n.",
    "an unknown escape": b"S'\\q'\n.",
    "half a character": b"V\\ud83d\n.",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("content", BY_HAND.values(), ids=BY_HAND)
def test_what_was_made_by_hand_is_refused(content, read):
    with pytest.raises(InputError, match=r"raw\.pickle is no pickle of plain values: "):
        read(content)


BOMBS = {
    # 100 KB of bytes, remembered, and a thousand arrays, strings or numbers made of them.
    "arrays": b"(S'" + b"a" * 96_000 + b"'\np1\n" + DTYPE + b"p3\n" + (
        ARRAY + b"(I1\n(I12000\ntg3\nI00\ng1\ntb"
    ) * 1000 + b"l.",
    "strings": b"(V" + b"a" * 100_000 + b"\np1\n" + (
        b"c_codecs\nencode\n(g1\nV" + b"latin1\ntR"
    ) * 1000 + b"l.",
    "keys": b"(S'" + b"a" * 100_000 + b"'\np1\n" + b"(g1\nNd" * 1000 + b"l.",
    "memo": b"(N" + b"r\xff\xff\xff\xff" + b"p4294967295\nl.",
    # Lists in lists, 2 to the 40 of them: shared, so small; a key made of such is never hashed.
    "tree": b"((lp0\n" + b"(g0\ng0\nlp0\n" * 40 + b"l.",
    "hash": b"((tp0\n" + b"(g0\ng0\ntp0\n" * 40 + b"(g0\nNd.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_little_memory(name, read):
    content = BOMBS[name]
    refused = {"arrays": "more than it holds", "strings": "more than it holds", "keys": "short",
               "hash": "short"}  # fmt: skip
    tracemalloc.start()
    try:
        if name in refused:
            with pytest.raises(InputError, match=refused[name]):
                read(content)
        else:
            read(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(content) + 2_000_000


@pytest.mark.parametrize("content", [PROTOCOL_0, PROTOCOL_1, PROTOCOL_2])
def test_what_is_cut_short_is_refused(content, read):
    for end in range(len(content)):
        with pytest.raises(InputError, match="no pickle of plain values"):
            read(content[:end])


SEEDS = [PROTOCOL_0, PROTOCOL_2, *(pickle.dumps(VALUES, protocol) for protocol in range(5))]


@given(st.sampled_from(SEEDS), st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_byte_gives_values_or_an_error(tmp_path_factory, content, place, byte):
    damaged = bytearray(content)
    damaged[place % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.pickle"
    path.write_bytes(damaged)
    modules = set(sys.modules)
    try:
        value = read_pickle(path)
    except InputError:
        value = None
    assert is_plain(value)
    assert set(sys.modules) == modules


@given(st.binary(max_size=60))
def test_any_bytes_give_values_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.pickle"
    path.write_bytes(content)
    with suppress(InputError):
        assert is_plain(read_pickle(path))


def is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(is_plain(each) for each in value)
    # A type of numpy's that nothing was made of is an object without any behaviour.
    return (
        value is None
        or type(value) in {bool, int, float, str, bytes}
        or (type(value).__module__ == "deepmoji.interop.pickled")
    )


def test_it_reads_what_pythons_own_reader_reads(read):
    """With the standard library as the judge, on values that both may read."""
    values = {"a": [1, -1, 2**40, 1.5, "é", b"\x80", (None, True)], "b": {"c": [[], {}]}}
    for protocol in range(5):
        content = pickle.dumps(values, protocol)
        assert read(content) == pickle.load(io.BytesIO(content)) == values  # noqa: S301 - our own


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_pickle(tmp_path / "raw.pickle")
    with pytest.raises(InputError, match="there is no file"):
        read_pickle(tmp_path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate((1 << 25) + 1)
    with pytest.raises(InputError, match="more than 32 MiB"):
        read_pickle(tmp_path / "large")
