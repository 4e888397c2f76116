"""Encodings written batch by batch."""

import numpy as np
import pytest

from deepmoji.errors import InputError
from deepmoji.inference.encodings import open_writer

ROWS = np.arange(24, dtype=np.float32).reshape(6, 4)
TEXTS = ["a", "", "b\ud800", "😂", "e", "f"]


def write(path):
    with open_writer(path, 4) as writer:
        for start in (0, 2, 4):
            writer.append(TEXTS[start : start + 2], ROWS[start : start + 2])


def test_npy(tmp_path):
    write(tmp_path / "x.npy")
    assert np.array_equal(np.load(tmp_path / "x.npy"), ROWS)
    assert np.load(tmp_path / "x.npy", mmap_mode="r").dtype == np.float32


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write(tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column_names == ["text", "encoding"]
    assert table.column("text").to_pylist() == ["a", "", "b?", "😂", "e", "f"]
    assert np.array_equal(np.array(table.column("encoding").to_pylist(), np.float32), ROWS)


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_nothing_half_written(tmp_path, name):
    def interrupted():
        yield from (TEXTS, TEXTS)
        raise KeyboardInterrupt

    def run():
        with open_writer(tmp_path / name, 4) as writer:
            for texts in interrupted():
                writer.append(texts, ROWS)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x.npy", "x.parquet"])
def test_no_texts_at_all(tmp_path, name):
    with open_writer(tmp_path / name, 4):
        pass
    assert (tmp_path / name).stat().st_size > 0
    if name == "x.npy":
        assert np.load(tmp_path / name).shape == (0, 4)


def test_unknown_suffix(tmp_path):
    with pytest.raises(InputError, match=r"\.npy or \.parquet"), open_writer(tmp_path / "x.txt", 4):
        pass
