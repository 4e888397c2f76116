"""Writing one part of the output: in segments, so that a run that is killed loses little of it."""

import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa

from deepmoji.files import atomic_path
from deepmoji.scoring.formats import Format

# Rows of a segment, what a kill loses at most: less than a minute of work, also on one core.
SEGMENT_ROWS = 1 << 14
# Of a table written at once; with encodings, of 9 KB a row, the size decides.
_GROUP_ROWS = 1 << 13
_GROUP_SIZE = 1 << 26


class PartWriter:
    """Writes a part; segments that a run left are taken over.

    Args:
        work: a folder for the segments.
        target: the part, whole or absent.
        schema: of the part.
        form: its format.

    Attributes:
        rows: how many the segments hold already.
    """

    def __init__(self, *, work: Path, target: Path, schema: pa.Schema, form: Format) -> None:
        self._work, self._target, self._schema, self._form = work, target, schema, form
        self._segments: list[Path] = []
        while self._path(len(self._segments)).exists():
            self._segments.append(self._path(len(self._segments)))
        self.rows = sum(map(form.count, self._segments))

    def write(self, tables: Iterator[pa.Table]) -> int:
        """Write the rows after those of the segments, as others; return how many there are.

        Whatever is raised by ``tables`` passes through; full segments stay.
        """
        for table in tables:
            self._write_segment(chain([table], tables))
        return self.rows

    def place(self) -> None:
        """Make the part of the segments."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        if len(self._segments) == 1:
            self._segments[0].replace(self._target)
        else:
            with atomic_path(self._target) as temporary:
                self._form.join(self._segments, temporary, self._schema)

    def clear(self) -> None:
        """Remove the segments of a finished part."""
        shutil.rmtree(self._work, ignore_errors=True)

    def _write_segment(self, tables: Iterator[pa.Table]) -> None:
        path, rows = self._path(len(self._segments)), 0
        with atomic_path(path) as temporary, self._form.open(temporary, self._schema) as write:
            for group in _grouped(tables):
                write(group)
                rows += group.num_rows
                if rows >= SEGMENT_ROWS:
                    break
        self._segments.append(path)
        self.rows += rows

    def _path(self, number: int) -> Path:
        return self._work / f"{number:06}{self._form.suffix}"


def _grouped(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Join tables to larger ones."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        rows = sum(each.num_rows for each in waiting)
        if rows >= _GROUP_ROWS or sum(each.nbytes for each in waiting) >= _GROUP_SIZE:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
