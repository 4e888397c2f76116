"""Posts out of plain text, CSV, TSV and JSON lines, as a source of Daft.

Daft's own readers give up a file at its first bad row; these count it, name it and go on.
"""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa
from daft.io.pushdowns import Pushdowns
from daft.io.source import DataSource, DataSourceTask
from daft.recordbatch import RecordBatch
from daft.schema import Schema

from deepmoji.corpus.columns import Columns, json_posts
from deepmoji.errors import InputError

POSTS = pa.schema(
    [
        ("text", pa.large_string()),
        ("lang", pa.large_string()),
        ("problem", pa.large_string()),
        ("place", pa.int64()),
    ]
)
# The place of a row that says that the rest of its file cannot be read.
BROKEN = -1
_BATCH_ROWS = 8192
# What reading a damaged file raises: the disk, a compression's end or checksum, pyarrow.
READ_ERRORS = (OSError, EOFError, pa.ArrowException)
NO_TEXT = "no text"
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of such bytes
_PEEKED = 1000
_LONGEST_FIELD = 2**24


class Row(NamedTuple):
    """A post, or what is wrong with a row; ``place`` is its line or number, from 1."""

    text: str | None
    lang: str | None
    problem: str | None
    place: int


@dataclass
class LineFile:
    """A text file of posts; iterating reads it from its start.

    Attributes:
        path: of the file.
        format: ``"text"``, ``"csv"``, ``"tsv"`` or ``"json"``.
        compression: ``"gzip"``, ``"bz2"``, ``"zstd"`` or None.
        columns: which hold text and language.
    """

    path: Path
    format: str
    compression: str | None
    columns: Columns
    _file: BinaryIO | None = field(default=None, init=False)

    @property
    def position(self) -> int:
        """Bytes of the file that the latest iteration has read so far."""
        return self._file.tell() if self._file is not None and not self._file.closed else 0

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; a file that breaks off ends with a row that says so.

        Raises:
            InputError: if a CSV file lacks a column.
        """
        readers = {"text": self._plain, "json": self._json, "csv": self._csv, "tsv": self._csv}
        row = Row(None, None, None, 0)
        try:
            with self._open() as stream:
                for row in readers[self.format](stream):
                    yield row
        except READ_ERRORS as error:
            reason = f"cannot be read after row {row.place}: {error}"
            yield Row(None, None, reason, BROKEN)

    def check(self) -> None:
        """Look at the beginning of the file.

        Raises:
            InputError: if the columns asked for are not there.
        """
        rows = list(islice(self, _PEEKED))
        if self.format != "json" or not rows:
            return
        if all(row.problem == NO_TEXT for row in rows):
            wanted = "text field" if self.columns.text is None else f"field {self.columns.text!r}"
            raise InputError(
                f"{self.path}: no {wanted} in its first {len(rows)} rows; name it with "
                "--text-column"
            )
        if self.columns.lang is not None and all(row.lang is None for row in rows):
            raise InputError(
                f"{self.path}: no field {self.columns.lang!r} in its first {len(rows)} rows; "
                "see --lang-column"
            )

    @contextmanager
    def _open(self) -> Generator[io.TextIOWrapper]:
        # surrogateescape keeps bytes that are not UTF-8 visible, so that only their row is lost.
        with (
            self.path.open("rb") as file,
            pa.input_stream(file, compression=self.compression) as raw,
        ):
            self._file = file
            buffered = io.BufferedReader(cast("io.RawIOBase", raw), 2**20)
            newline = "" if self.format in ("csv", "tsv") else "\n"
            yield io.TextIOWrapper(buffered, "utf-8-sig", "surrogateescape", newline)

    def _plain(self, stream: io.TextIOWrapper) -> Iterator[Row]:
        for place, line in enumerate(stream, start=1):
            if line.strip():
                yield _decoded(line.rstrip("\r\n"), None, place)

    def _csv(self, stream: io.TextIOWrapper) -> Iterator[Row]:
        csv.field_size_limit(_LONGEST_FIELD)
        rows = csv.reader(stream, delimiter="\t" if self.format == "tsv" else ",")
        header = next(rows, None)
        if header is None:
            return
        text, lang = self.columns.choose(header, self.path)
        text_at, lang_at = header.index(text), None if lang is None else header.index(lang)
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Row(None, None, f"not a row of CSV: {error}", rows.line_num)
                continue
            if row is None:
                return
            if len(row) == len(header):
                code = None if lang_at is None else row[lang_at]
                yield _decoded(row[text_at], code, rows.line_num)
            elif row:
                problem = f"{len(row)} fields instead of {len(header)}"
                yield Row(None, None, problem, rows.line_num)

    def _json(self, stream: io.TextIOWrapper) -> Iterator[Row]:
        for place, line in enumerate(stream, start=1):
            if place == 1 and _goes_on(line):
                line += stream.read()
            if _NOT_UTF8.search(line):
                yield Row(None, None, "not UTF-8", place)
            elif line.strip():
                yield from self._objects(line, place)

    def _objects(self, line: str, place: int) -> Iterator[Row]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(None, None, f"not JSON: {error}", place)
            return
        for post in json_posts(value):
            if isinstance(post, str):
                yield _row(post, None, place)
            elif isinstance(post, dict):
                yield _row(*self.columns.of_object(cast("dict[str, Any]", post)), place)
            else:
                yield Row(None, None, "neither an object nor a text", place)


def _goes_on(line: str) -> bool:
    """Tell whether a first line begins one JSON value that goes on over the next lines."""
    start = line.strip()
    if start != "{" and not start.startswith("["):
        return False
    try:
        json.loads(start)
    except ValueError:
        return True
    return False


def _decoded(text: str, lang: str | None, place: int) -> Row:
    if _NOT_UTF8.search(text):
        return Row(None, None, "not UTF-8", place)
    return _row(text, lang, place)


def _row(text: Any, lang: Any, place: int) -> Row:
    if not isinstance(text, str):
        return Row(None, None, NO_TEXT, place)
    code = _whole(lang) if isinstance(lang, str) and lang else None
    return Row(_whole(text), code, None, place)


def _whole(text: str) -> str:
    """Replace half characters, which JSON can spell and Arrow cannot store."""
    return (
        text
        if text.isascii()
        else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


class LineSource(DataSource):
    """A :class:`LineFile` as a source of Daft, with the columns POSTS."""

    def __init__(self, file: LineFile) -> None:
        self._file = file

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._file.path)

    @property
    def schema(self) -> Schema:
        """POSTS."""
        return Schema.from_pyarrow_schema(POSTS)

    async def get_tasks(self, pushdowns: Pushdowns) -> AsyncIterator[DataSourceTask]:
        """Yield the one task of the file: where a compressed file's rows begin is unknown."""
        yield _LineTask(self._file)


class _LineTask(DataSourceTask):
    def __init__(self, file: LineFile) -> None:
        self._file = file

    @property
    def schema(self) -> Schema:
        return Schema.from_pyarrow_schema(POSTS)

    async def read(self) -> AsyncIterator[RecordBatch]:
        rows = iter(self._file)
        while batch := list(islice(rows, _BATCH_ROWS)):
            columns = zip(*batch, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, POSTS, strict=True)]
            yield RecordBatch.from_arrow_table(pa.Table.from_arrays(arrays, schema=POSTS))
