"""Cut and altered weight files: an error or the weights, no crash, nothing else."""

import random

import pytest

from deepmoji.errors import InputError
from deepmoji.interop import isolation
from deepmoji.interop.foreign import read_foreign
from tests.helpers.weightfiles import graph

# Where the structure of a file is: its first bytes, and as many of its last.
STRUCTURE = {"keras": 20_000, "torchmoji": 20_000, "onnx": 400}
SECONDS = 20.0  # instead of more than a minute: some alterations make HDF5's library loop


def content(files, kind):
    """Return the bytes of a sound file."""
    if kind == "onnx":
        return graph(files).SerializeToString()
    return getattr(files, kind).read_bytes()


def attempt(path, data, monkeypatch):
    """Read altered bytes; anything but an InputError or weights fails the test."""
    monkeypatch.setattr(isolation, "_SECONDS", SECONDS)
    path.write_bytes(data)
    try:
        assert read_foreign(path, gates="sigmoid").weights
    except InputError as error:
        return str(error)
    return ""


def altered(data, seed, structure):
    """Change some bytes, most of them at the beginning."""
    chance, changed = random.Random(seed), bytearray(data)
    for _ in range(chance.choice((1, 4, 16))):
        place = chance.randrange(min(len(data), structure))
        place = place if chance.random() < 0.7 else len(data) - 1 - place
        changed[place] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize(("kind", "count"), [("keras", 24), ("torchmoji", 6), ("onnx", 12)])
def test_altered_files(kind, count, files, tmp_path, monkeypatch):
    data = content(files, kind)
    outcomes = [
        attempt(tmp_path / "w.onnx", altered(data, seed, STRUCTURE[kind]), monkeypatch)
        for seed in range(count)
    ]
    assert any(outcomes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.onnx"]


@pytest.mark.parametrize(("kind", "cuts"), [("keras", 8), ("torchmoji", 3), ("onnx", 8)])
def test_truncated_files(kind, cuts, files, tmp_path, monkeypatch):
    data = content(files, kind)
    for cut in range(cuts):
        part = data[: len(data) * cut // cuts]
        assert attempt(tmp_path / "w.onnx", part, monkeypatch)
