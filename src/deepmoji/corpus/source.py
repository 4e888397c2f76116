"""Rows of posts as a source of Daft, whatever the format they come from.

Daft's own readers give up a file at its first bad row, and what they raise cannot be told from a
crash. Here the readers are ours: a bad row is counted and named, and a file that breaks off says
so in its last row. A row with the total ends each file, so that no row can be lost unseen, as when
Daft takes a Ctrl-C for itself and just stops.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
from daft.io.pushdowns import Pushdowns
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch
from daft.schema import Schema

from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError

POSTS = pa.schema(
    [
        ("text", pa.large_string()),
        ("lang", pa.large_string()),
        ("problem", pa.large_string()),
        ("place", pa.int64()),
        ("file", pa.int32()),
        ("total", pa.int64()),
        ("score", pa.float32()),
        ("author", pa.large_string()),
        ("id", pa.large_string()),
    ]
)
# The place of a row that says that the rest of its file cannot be read.
BROKEN = -1
NO_TEXT, NOT_UTF8 = "no text", "not UTF-8"
# What reading a damaged file raises: the disk, a compression's end or checksum, pyarrow.
READ_ERRORS = (OSError, EOFError, pa.ArrowException)
# Rows handed on at a time: enough to make that cheap, few enough for constant memory.
BATCH_ROWS = 8192
_PAUSE = 0.01  # seconds


class Row(NamedTuple):
    """A row of POSTS.

    Attributes:
        text: of the post; None on a row that cannot be read, and on the last one.
        lang: its language code, if the file says it.
        problem: why the row, or the rest of the file, cannot be read.
        place: number of the row or line from 1, or BROKEN.
        file: number of the file among those that are read, from 0.
        total: on the last row alone, the number of rows before it.
        score: how sure the language is, where it is asked for and the file says it.
        author: who wrote it, likewise.
        id: of the post, likewise.
    """

    text: str | None = None
    lang: str | None = None
    problem: str | None = None
    place: int | None = None
    file: int = 0
    total: int | None = None
    score: float | None = None
    author: str | None = None
    id: str | None = None


class Reader(Protocol):
    """Reads one file."""

    @property
    def path(self) -> Path | Url:
        """Where the file is."""
        ...

    @property
    def position(self) -> int:
        """About how many bytes of the file were read so far."""
        ...

    def check(self) -> bool:
        """Look at the beginning of the file: whether the columns asked for are seen there.

        Raises:
            InputError: if one of them is missing.
        """
        ...

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows, in tables with the columns POSTS.

        Raises:
            InputError: if a column is missing.
            OSError, EOFError, pyarrow.ArrowException: if the file breaks off.
        """
        ...


def to_table(rows: Iterable[Row]) -> pa.Table:
    """Return rows as a table with the columns POSTS."""
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, field.type) for c, field in zip(columns, POSTS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=POSTS)


def all_rows(readers: Sequence[Reader]) -> Iterator[pa.Table]:
    """Yield the rows of files, and the one that ends them.

    A file that breaks off ends with a row that says why.
    """
    total = 0
    for number, reader in enumerate(readers):
        for table in _rows_of(reader):
            total += table.num_rows
            files = pa.array([number] * table.num_rows, pa.int32())
            yield table.set_column(POSTS.get_field_index("file"), POSTS.field("file"), files)
    yield to_table([Row(total=total)])


def _rows_of(reader: Reader) -> Iterator[pa.Table]:
    total = 0
    try:
        for table in reader.tables():
            total += table.num_rows
            yield table
    except READ_ERRORS as error:
        reason = " ".join(str(error).split())
        yield to_table([Row(problem=f"cannot be read after row {total}: {reason}", place=BROKEN)])
    except InputError as error:
        yield to_table([Row(problem=str(error), place=BROKEN)])


class PostSource(DataSource):
    """Files as a source of Daft, with the columns POSTS.

    Attributes:
        stopped: whether no more rows are wanted.

    Args:
        readers: read the files.
        workers: processes that work the rows off.
        stop_file: is made to tell the workers to stop.
    """

    def __init__(self, readers: Sequence[Reader], workers: int, stop_file: Path) -> None:
        self.readers = readers
        self.stopped = False
        self.stop_file = stop_file
        self._waiting = 0
        # Each worker has one batch in hand, a few wait for it before and after.
        self._most_waiting = (4 * workers + 8) * BATCH_ROWS

    def stop(self) -> None:
        """Give no more rows, not even the last one, and let workers pass what they have."""
        self.stopped = True
        self.stop_file.touch()

    def take(self, rows: int) -> None:
        """Note that so many rows came out at the other end of the program."""
        self._waiting -= rows

    async def give(self, rows: int) -> None:
        """Wait until the program has worked off most of what it was given.

        Daft takes whatever a source yields at once: a file larger than memory would fill it.
        """
        while self._waiting > self._most_waiting and not self.stopped:
            await asyncio.sleep(_PAUSE)
        self._waiting += rows

    @property
    def position(self) -> int:
        """About how many bytes of the files were read so far."""
        return sum(reader.position for reader in self.readers)

    @property
    def name(self) -> str:
        """The first file's path."""
        return str(self.readers[0].path)

    @property
    def schema(self) -> Schema:
        """POSTS."""
        return Schema.from_pyarrow_schema(POSTS)

    async def get_tasks(self, pushdowns: Pushdowns) -> AsyncIterator[DataSourceTask]:
        """Yield the one task: where a compressed file's rows begin is unknown."""
        yield _ReadFiles(self)


class _ReadFiles(DataSourceTask):
    def __init__(self, source: PostSource) -> None:
        self._source = source

    @property
    def schema(self) -> Schema:
        return Schema.from_pyarrow_schema(POSTS)

    async def read(self) -> AsyncIterator[RecordBatch]:
        for table in all_rows(self._source.readers):
            if self._source.stopped:
                return
            await self._source.give(table.num_rows)
            yield RecordBatch.from_arrow_table(table)
