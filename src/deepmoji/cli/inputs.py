"""Texts from the command line, from files and from standard input, in batches."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import typer

from deepmoji.errors import InputError

_BATCH = 2048  # texts at a time
_READ = 1 << 18  # bytes at a time
_LONGEST_FIELD = 2**31 - 1  # characters; the most that csv takes where a C long has 32 bits
_TABLES = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = frozenset({".jsonl", ".ndjson"})
COLUMN = "text"


def text_batches(texts: list[str], files: list[Path], column: str | None) -> Iterator[list[str]]:
    """Yield all texts: those given, else those of the files, else those of standard input.

    Args:
        texts: given on the command line.
        files: with a text on each line, or tables and JSON lines by their suffix; - is standard
            input.
        column: the column or field of tables and JSON lines; None, :data:`COLUMN`, where the user
            named none.

    Raises:
        InputError: if a file cannot be used.
        typer.BadParameter: if there is no input at all, texts and files, or a column for input
            that has none.
    """
    if texts and files:
        raise typer.BadParameter("give texts or --file, not both")
    if not texts and not files and sys.stdin.isatty():
        raise typer.BadParameter("give at least one text, a --file, or texts on standard input")
    if column is not None:
        _check_columns(texts, files)
    for file in files:
        if str(file) != "-" and not file.is_file():
            kind = "is a folder, not a file" if file.is_dir() else "does not exist"
            raise InputError(f"the file {file} {kind}")
    if texts:
        return _batched(texts)
    return _all_files(files or [Path("-")], COLUMN if column is None else column)


def _check_columns(texts: list[str], files: list[Path]) -> None:
    """Refuse a named column where it would be ignored."""
    known = {*_TABLES, *_JSON_LINES}
    sources = ["texts given as arguments"] if texts else [str(file) for file in files] or ["-"]
    without = next((each for each in sources if Path(each).suffix.lower() not in known), None)
    if without is not None:
        source = "standard input" if without == "-" else without
        raise typer.BadParameter(
            f"{source}: no columns to choose from; --text-column is for a --file that ends in "
            f"{', '.join(sorted(known))}"
        )


def _all_files(files: list[Path], column: str) -> Iterator[list[str]]:
    for file in files:
        if str(file) == "-":
            yield from _lines(sys.stdin.buffer)
            continue
        with file.open("rb") as stream:
            _check(file, stream)
            suffix = file.suffix.lower()
            if suffix in _TABLES:
                yield from _batched(_table(file, stream, column))
            elif suffix in _JSON_LINES:
                yield from _batched(_json_lines(file, stream, column))
            else:
                yield from _lines(stream)


def _check(file: Path, stream: io.BufferedReader) -> None:
    start = stream.peek(4096)[:4096]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{file} is UTF-16; convert it to UTF-8 first")
    if b"\0" in start:
        raise InputError(
            f"{file} holds no text but binary data; expected lines of text, .csv, .tsv or .jsonl"
        )


def _lines(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the lines of each read at once, so that a live pipe is answered as it speaks."""
    reader = cast("io.BufferedReader", stream)
    unfinished: list[bytes] = []
    first = True
    while data := reader.read1(_READ):
        data = data.removeprefix(b"\xef\xbb\xbf") if first else data
        first = False
        head, *more = data.split(b"\n")
        unfinished.append(head)
        if more:
            lines = [b"".join(unfinished), *more[:-1]]
            unfinished = [more[-1]]
            yield [_decode(line) for line in lines]
    if last := b"".join(unfinished):
        yield [_decode(last)]


def _decode(line: bytes) -> str:
    # Bytes that are no UTF-8 become lone surrogates: unknown characters, but no lost line.
    return line.removesuffix(b"\r").decode("utf-8", "surrogateescape")


def _table(file: Path, stream: BinaryIO, column: str) -> Iterator[str]:
    csv.field_size_limit(_LONGEST_FIELD)
    with io.TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="") as text:
        reader = csv.reader(text, delimiter=_TABLES[file.suffix.lower()], strict=True)
        try:
            names = next(reader, list[str]())
            if names.count(column) != 1:
                found = "two columns" if column in names else "no column"
                raise InputError(
                    f"{file} has {found} {column!r}; it has {', '.join(names) or 'none'}: "
                    "name one with --text-column"
                )
            place = names.index(column)
            for row in reader:
                if row and len(row) != len(names):  # a text with a comma would lose its end
                    raise InputError(
                        f"{file}, line {reader.line_num}: {len(row)} fields, but {len(names)} "
                        "columns; a text that holds the separator or a line break stands in quotes"
                    )
                if row:
                    yield row[place]
        except csv.Error as error:
            raise InputError(f"{file}, line {reader.line_num}: {error}") from error


def _json_lines(file: Path, stream: BinaryIO, field: str) -> Iterator[str]:
    numbered = enumerate((line for lines in _lines(stream) for line in lines), start=1)
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file}, line {number} is not JSON: {error}") from error
        text = cast("dict[str, Any]", row).get(field) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise InputError(
                f"{file}, line {number} has no string in the field {field!r}; "
                "name another with --text-column"
            )
        yield text


def _batched(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
