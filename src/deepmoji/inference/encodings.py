"""Encodings to a file, as they come, in memory that does not grow."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np

from deepmoji.errors import InputError, require
from deepmoji.files import atomic_path
from deepmoji.inference.engine import Array

SUFFIXES = (".npy", ".parquet")


class Writer(Protocol):
    """Takes the texts and their encodings [n, features], batch by batch."""

    def append(self, texts: Sequence[str], encodings: Array) -> None:
        """Write a batch."""
        ...


@contextmanager
def open_writer(path: Path, features: int) -> Generator[Writer]:
    """Open a file for encodings; it appears whole when the block succeeds, or not at all.

    ``.npy`` holds float32 [n, features]; ``.parquet`` the columns ``text`` and ``encoding``.

    Raises:
        InputError: if the file name ends in neither.
        MissingDependency: if Parquet is asked for and pyarrow is not installed.
    """
    writer = {".npy": _npy, ".parquet": _parquet}.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"cannot write {path}: its name has to end in {' or '.join(SUFFIXES)}")
    with atomic_path(path) as temporary, writer(temporary, features) as opened:
        yield opened


class _Npy:
    def __init__(self, file: IO[bytes], features: int) -> None:
        self.rows = 0
        self._file, self._features = file, features
        self.write_header()

    def write_header(self) -> None:
        """Write the header; NumPy leaves room in it for more digits of the number of rows."""
        shape = (self.rows, self._features)
        header: Any = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, texts: Sequence[str], encodings: Array) -> None:
        self.rows += len(texts)
        self._file.write(np.ascontiguousarray(encodings, "<f4").tobytes())


@contextmanager
def _npy(path: Path, features: int) -> Generator[Writer]:
    with path.open("wb") as file:
        writer = _Npy(file, features)
        size = file.tell()
        yield writer
        file.seek(0)
        writer.write_header()
        if file.tell() != size:  # NumPy documents the room it leaves, 21 digits
            raise AssertionError("the header of a .npy file changed its size")


class _Parquet:
    def __init__(self, arrow: Any, file: Any, schema: Any) -> None:
        self._arrow, self._file, self._schema = arrow, file, schema

    def append(self, texts: Sequence[str], encodings: Array) -> None:
        arrow = self._arrow
        values = arrow.array(np.ascontiguousarray(encodings).reshape(-1))
        columns = [
            # A lone surrogate has no place in Parquet: it becomes a question mark.
            arrow.array([text.encode("utf-8", "replace").decode() for text in texts]),
            arrow.FixedSizeListArray.from_arrays(values, encodings.shape[1]),
        ]
        self._file.write_table(arrow.Table.from_arrays(columns, schema=self._schema))


@contextmanager
def _parquet(path: Path, features: int) -> Generator[Writer]:
    arrow: Any = require("pyarrow", "corpus")
    parquet: Any = require("pyarrow.parquet", "corpus")
    encoding = arrow.list_(arrow.float32(), features)
    schema = arrow.schema([("text", arrow.string()), ("encoding", encoding)])
    with parquet.ParquetWriter(str(path), schema) as file:
        yield _Parquet(arrow, file, schema)
