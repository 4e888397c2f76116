"""Posts out of plain text, CSV, TSV and JSON lines, as they are or compressed."""

import csv
import io
import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from deepmoji.corpus.columns import MORE, Columns, Fields, json_posts
from deepmoji.corpus.source import BATCH_ROWS, NO_TEXT, NOT_UTF8, READ_ERRORS, Row, to_table
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError

_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of such bytes
_PEEKED = 1000
_LONGEST_FIELD = 2**24


@dataclass
class LineFile:
    """A text file of posts; iterating reads it from its start.

    Attributes:
        path: of the file.
        format: ``"text"``, ``"csv"``, ``"tsv"`` or ``"json"``.
        compression: ``"gzip"``, ``"bz2"``, ``"zstd"`` or None.
        columns: which hold text, language and what else is wanted.
    """

    path: Path | Url
    format: str
    compression: str | None
    columns: Columns
    _file: BinaryIO | None = field(default=None, init=False)
    _position: int = field(default=0, init=False)

    @property
    def position(self) -> int:
        """Bytes of the file that the latest iteration has read so far."""
        if self._file is not None and not self._file.closed:
            self._position = self._file.tell()
        return self._position

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows; one that is damaged says so and is no end.

        Raises:
            InputError: if a CSV file lacks a column.
            OSError, EOFError, pyarrow.ArrowException: if the file breaks off.
        """
        batch: list[Row] = []
        try:
            for row in self._rows():
                batch.append(row)
                if len(batch) == BATCH_ROWS:
                    yield to_table(batch)
                    batch = []
        except READ_ERRORS:
            if batch:  # what comes before a file breaks off is good
                yield to_table(batch)
            raise
        if batch:
            yield to_table(batch)

    def check(self) -> bool:
        """Look at the beginning of the file.

        Returns:
            Whether the columns asked for are seen there: not in a file without rows, nor, if they
            are asked for by name, in plain text.

        Raises:
            InputError: if the columns asked for are not there.
            OSError, EOFError, pyarrow.ArrowException: if it cannot be read.
        """
        rows = list(islice(self._rows(), _PEEKED))
        if self.format == "text":
            missing = [kind for kind, _ in self.columns.more if kind != "score"]
            if missing:
                raise InputError(f"{self.path}: plain text says no {missing[0]} of a post")
            return bool(rows) and self.columns.text is None and self.columns.lang is None
        if self.format != "json" or not rows:
            return bool(rows)
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
        self._check_more(rows)
        return any(row.problem is None for row in rows)

    def _check_more(self, rows: Sequence[Row]) -> None:
        for kind, named in self.columns.more:
            # A post without a language is detected, and needs no score.
            needy = [row for row in rows if kind != "score" or row.lang is not None]
            if all(getattr(row, kind) is None for row in needy) and (needy or named is not None):
                raise InputError(
                    f"{self.path}: no field of the {kind} in its first {len(rows)} rows; see "
                    f"{MORE[kind][0]}"
                )

    def _rows(self) -> Iterator[Row]:
        readers = {"text": self._plain, "json": self._json, "csv": self._csv, "tsv": self._csv}
        with self._open() as stream:
            yield from readers[self.format](stream)

    @contextmanager
    def _open(self) -> Generator[io.TextIOWrapper]:
        # surrogateescape keeps bytes that are not UTF-8 visible, so that only their row is lost.
        with (
            self.path.open("rb") as file,
            pa.input_stream(file, compression=self.compression) as raw,
        ):
            self._file, self._position = file, 0
            buffered = io.BufferedReader(cast("io.RawIOBase", raw), 2**16)
            newline = "" if self.format in ("csv", "tsv") else "\n"
            yield io.TextIOWrapper(buffered, "utf-8-sig", "surrogateescape", newline)

    def _plain(self, stream: io.TextIOWrapper) -> Iterator[Row]:
        for place, line in enumerate(stream, start=1):
            if line.strip():
                yield _decoded(Fields(line.rstrip("\r\n")), place)

    def _csv(self, stream: io.TextIOWrapper) -> Iterator[Row]:
        csv.field_size_limit(_LONGEST_FIELD)
        rows = csv.reader(stream, delimiter="\t" if self.format == "tsv" else ",")
        try:
            header = next(rows, None)
        except csv.Error as error:
            raise InputError(f"{self.path}: not CSV with a header: {error}") from error
        if header is None:
            return
        chosen = self.columns.choose(header, self.path)
        at = [None if name is None else header.index(name) for name in chosen]
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield Row(problem=f"not a row of CSV: {error}", place=rows.line_num)
                continue
            if row is None:
                return
            if len(row) == len(header):
                values = (None if index is None else row[index] for index in at)
                yield _decoded(Fields(*values), rows.line_num)
            elif row:
                problem = f"{len(row)} fields instead of {len(header)}"
                yield Row(problem=problem, place=rows.line_num)

    def _json(self, stream: io.TextIOWrapper) -> Iterator[Row]:
        for place, line in enumerate(stream, start=1):
            if place == 1 and _goes_on(line):
                line += stream.read()
            if _NOT_UTF8.search(line):
                yield Row(problem=NOT_UTF8, place=place)
            elif line.strip():
                yield from self._objects(line, place)

    def _objects(self, line: str, place: int) -> Iterator[Row]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Row(problem=f"not JSON: {error}", place=place)
            return
        for post in json_posts(value):
            if isinstance(post, str):
                yield _row(Fields(post), place)
            elif isinstance(post, dict):
                yield _row(self.columns.of_object(cast("dict[str, Any]", post)), place)
            else:
                yield Row(problem="neither an object nor a text", place=place)


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


def _decoded(fields: Fields, place: int) -> Row:
    if _NOT_UTF8.search(fields.text):
        return Row(problem=NOT_UTF8, place=place)
    return _row(fields, place)


def _row(fields: Fields, place: int) -> Row:
    if not isinstance(fields.text, str):
        return Row(problem=NO_TEXT, place=place)
    code = _whole(fields.lang) if isinstance(fields.lang, str) and fields.lang else None
    text = _whole(fields.text)
    if fields[2:] == (None, None, None):
        return Row(text, code, place=place)
    score, author, name = _number(fields.score), _name(fields.author), _name(fields.id)
    return Row(text, code, place=place, score=score, author=author, id=name)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _name(value: Any) -> str | None:
    if value is None or value == "":
        return None
    # A column of whole numbers with a gap is read as fractions; a list of ids has none.
    whole = isinstance(value, float) and value.is_integer()
    return _whole(str(int(value) if whole else value))


def _whole(text: str) -> str:
    """Replace half characters, which JSON can spell and Arrow cannot store."""
    return (
        text
        if text.isascii()
        else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
