"""Rows of plain text, CSV and TSV, as they are or compressed."""

import codecs
import csv
import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa

from deepmoji.corpus.columns import Columns
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.scoring.scorer import SLICE
from deepmoji.scoring.source import LONGEST, SLICE_SIZE, Rows

_START = 4096  # bytes that are looked at to tell whether a file is text
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)  # UTF-32's other is longer


class Record(NamedTuple):
    """One row: its text, the values of its columns, and about how large it is."""

    text: str
    values: Sequence[Any]
    size: int


@contextmanager
def lines_of(
    path: Path | Url, compression: str | None, newline: str = "\n"
) -> Generator[Iterator[str]]:
    """Open a file for reading it line by line, with the line ends.

    Bytes that are no UTF-8 become U+FFFD: what is scored is what is written.

    Raises:
        InputError: if the file is no text, or UTF-16; later, if a line is longer than LONGEST.
    """
    with path.open("rb") as file, pa.input_stream(file, compression=compression) as raw:
        buffered = io.BufferedReader(cast("io.RawIOBase", raw), 2**16)
        _check(buffered.peek(_START)[:_START], path)
        with io.TextIOWrapper(buffered, "utf-8-sig", "replace", newline) as stream:
            yield _limited(stream, path)


def _check(start: bytes, path: Path | Url) -> None:
    """Refuse what would be read as other characters than were written.

    A text may hold NUL characters. In UTF-16 and UTF-32 one stands beside each line's end.
    """
    ends = start.count(b"\n")
    if start.startswith(_UTF16) or (ends and ends in (start.count(b"\n\0"), start.count(b"\0\n"))):
        raise InputError(f"{path} is UTF-16 or UTF-32; convert it to UTF-8 first")
    if b"\0" in start and not _is_utf8(start):
        raise InputError(
            f"{path} holds no text but binary data; its name says lines of text, CSV, TSV or JSON "
            "lines"
        )


def _is_utf8(start: bytes) -> bool:
    """Whether bytes are UTF-8, but for a character that is cut off at the end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def _limited(stream: io.TextIOWrapper, path: Path | Url) -> Iterator[str]:
    number = 0
    while line := stream.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            raise InputError(f"{path}, line {number} is longer than {LONGEST:,} characters")
        yield line


def in_slices(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cut rows into slices of a bounded number and size."""
    gathered: list[Record] = []
    size = 0
    for record in records:
        gathered.append(record)
        size += record.size
        if len(gathered) == SLICE or size >= SLICE_SIZE:
            yield gathered
            gathered, size = [], 0
    if gathered:
        yield gathered


def to_rows(records: Sequence[Record], schema: pa.Schema) -> Rows:
    """Return rows as a table and texts."""
    columns = zip(*(record.values for record in records), strict=True)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
    return Rows(pa.Table.from_arrays(arrays, schema=schema), [record.text for record in records])


class TextSource:
    """A file with a text on each line, an empty line being an empty text.

    Args:
        path: of the file.
        compression: ``"gzip"``, ``"bz2"``, ``"zstd"`` or None.

    Raises:
        InputError: if a line is too long.
        OSError, EOFError, pyarrow.ArrowException: if the file cannot be read.
    """

    schema = pa.schema([("text", pa.string())])

    def __init__(self, path: Path | Url, compression: str | None) -> None:
        self._path, self._compression = path, compression
        self.rows = sum(1 for _ in self._records())

    def read(self, skip: int) -> Iterator[Rows]:
        """See :class:`~deepmoji.scoring.source.Source`."""
        for records in in_slices(islice(self._records(), skip, None)):
            yield to_rows(records, self.schema)

    def _records(self) -> Iterator[Record]:
        with lines_of(self._path, self._compression) as lines:
            for line in lines:
                text = line.removesuffix("\n").removesuffix("\r")
                yield Record(text, (text,), len(line))


class CsvSource:
    """A CSV or TSV file with a header; every value stays the text that it is.

    Args:
        path: of the file.
        compression: ``"gzip"``, ``"bz2"``, ``"zstd"`` or None.
        delimiter: between fields.
        text_column: the column of the texts, if it was named.

    Raises:
        InputError: if there is no such column, or a row cannot be read.
        OSError, EOFError, pyarrow.ArrowException: if the file cannot be read.
    """

    def __init__(
        self, path: Path | Url, compression: str | None, delimiter: str, text_column: str | None
    ) -> None:
        self._path, self._compression, self._delimiter = path, compression, delimiter
        header = next(self._fields(), [])  # none in an empty file, which has no rows
        self._text_at = 0
        if header:
            self._text_at = header.index(Columns(text_column, None).choose(header, path)[0])
        self.schema = pa.schema([(name, pa.string()) for name in header])
        self.rows = sum(1 for _ in self._records())

    def read(self, skip: int) -> Iterator[Rows]:
        """See :class:`~deepmoji.scoring.source.Source`."""
        for records in in_slices(islice(self._records(), skip, None)):
            yield to_rows(records, self.schema)

    def _records(self) -> Iterator[Record]:
        for fields in islice(self._fields(), 1, None):
            yield Record(fields[self._text_at], fields, sum(map(len, fields)))

    def _fields(self) -> Iterator[list[str]]:
        """Yield the header and the rows; empty lines are none."""
        csv.field_size_limit(LONGEST)
        with lines_of(self._path, self._compression, "") as lines:
            # Strict: a quote that is never closed would take all rows after it along, unseen.
            reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
            width = 0
            try:
                for fields in filter(None, reader):
                    width = width or len(fields)
                    if len(fields) != width:
                        raise csv.Error(f"{len(fields)} fields instead of {width}")
                    yield fields
            except csv.Error as error:
                where = f"{self._path}, line {reader.line_num}"
                raise InputError(f"{where} is no row of {self._kind}: {error}") from error

    @property
    def _kind(self) -> str:
        return "TSV" if self._delimiter == "\t" else "CSV"
