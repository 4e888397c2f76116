"""Cut and altered weight files: an error or the weights, no crash, nothing else."""

import random

import pytest

from deepmoji.errors import InputError
from deepmoji.interop import isolation
from deepmoji.interop.foreign import read_foreign

SECONDS = 20.0  # instead of more than a minute: some alterations make HDF5's library loop


def attempt(path, data, kind, monkeypatch):
    """Read altered bytes; anything but an InputError or weights fails the test."""
    monkeypatch.setattr(isolation, "_SECONDS", SECONDS)
    path.write_bytes(data)
    try:
        assert read_foreign(path, gates="sigmoid").weights
    except InputError as error:
        return str(error)
    return ""


def altered(data, seed):
    """Change some bytes, most of them where the structure of a file is: at its ends."""
    chance, changed = random.Random(seed), bytearray(data)
    for _ in range(chance.choice((1, 4, 16))):
        place = chance.randrange(min(len(data), 20_000))
        place = place if chance.random() < 0.7 else len(data) - 1 - place
        changed[place] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize(("kind", "count"), [("keras", 24), ("torchmoji", 6)])
def test_altered_files(kind, count, files, tmp_path, monkeypatch):
    data = getattr(files, kind).read_bytes()
    outcomes = [
        attempt(tmp_path / "w", altered(data, seed), kind, monkeypatch) for seed in range(count)
    ]
    assert any(outcomes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w"]


@pytest.mark.parametrize(("kind", "cuts"), [("keras", 8), ("torchmoji", 3)])
def test_truncated_files(kind, cuts, files, tmp_path, monkeypatch):
    data = getattr(files, kind).read_bytes()
    for cut in range(cuts):
        part = data[: len(data) * cut // cuts]
        assert attempt(tmp_path / "w", part, kind, monkeypatch)
