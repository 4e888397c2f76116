"""Tables of labelled texts in files: CSV, TSV, JSON lines, Parquet."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from deepmoji.errors import InputError, require

FORMATS = ".csv, .tsv, .jsonl, .ndjson, .json (each also with .gz), .parquet"
_LONGEST_FIELD = 2**31 - 1  # as much as the C long of every system holds
_ABSENT = object()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file's columns by name.

    Attributes:
        path: of the file.
        names: of the columns.
        rows: how many there are.
        typed: whether values have types; in CSV all are text.
        column: returns the values of a column by its place among the names.
        place: says where a row stands in the file, for messages.
    """

    path: Path
    names: tuple[str, ...]
    rows: int
    typed: bool
    column: Callable[[int], list[Any]]
    place: Callable[[int], str]


def open_table(path: Path) -> Table:
    """Read a file.

    Raises:
        InputError: if it is missing, a folder, of another format, damaged, not UTF-8, or has no
            rows; for a damaged row it says the line.
        MissingDependency: for Parquet, without pyarrow.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    suffix = (suffixes[:-1] if zipped else suffixes)[-1:]
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file: {FORMATS}")
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        if suffix == [".parquet"] and not zipped:
            table = _parquet(path)
        elif suffix in ([".csv"], [".tsv"]):
            table = _csv(path, _text(path, zipped=zipped), "\t" if suffix == [".tsv"] else ",")
        elif suffix in ([".jsonl"], [".ndjson"], [".json"]):
            table = _json(path, _text(path, zipped=zipped))
        else:
            raise InputError(f"{path}: the name has to end in one of {FORMATS}")
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if table.rows == 0:
        raise InputError(f"{path} has no rows")
    return table


def _text(path: Path, *, zipped: bool) -> str:
    content = path.read_bytes()
    if zipped:
        content = gzip.decompress(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: not UTF-8 (byte {error.start}); save the file as UTF-8"
        ) from error
    if not text.strip():
        raise InputError(f"{path} is empty")
    return text


def _csv(path: Path, text: str, delimiter: str) -> Table:
    csv.field_size_limit(_LONGEST_FIELD)
    header = text.lstrip().partition("\n")[0]
    if delimiter == "," and ";" in header and "," not in header:
        raise InputError(
            f"{path}: the fields of its first line are separated by ';'; save it with commas, or "
            "with tabs as .tsv"
        )
    # strict: a quotation mark out of place is an error, where it would swallow the lines after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    end = 0
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(end + 1)
            end = reader.line_num
    except csv.Error as error:
        raise InputError(
            f"{path}, the row that begins in line {end + 1}: {error}; a field with quotation marks "
            'has to stand in quotation marks, and those in it are doubled ("")'
        ) from error
    names = tuple(name.strip() for name in rows[0])
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(names):
            raise InputError(
                f"{path}, line {line}: {len(row)} fields, but the header has {len(names)} "
                f"({', '.join(names)}); put fields that hold {delimiter!r} in quotation marks"
            )
        # A whole row in a field of another: a quotation mark at the start of a text opened it.
        if delimiter == "\t" and any("\t" in field and "\n" in field for field in row):
            raise InputError(
                f"{path}, line {line}: a quotation mark begins a field that goes on over several "
                'rows; double it and put the field in quotation marks ("")'
            )
    return Table(
        path=path,
        names=names,
        rows=len(rows) - 1,
        typed=False,
        column=lambda place: [row[place] for row in rows[1:]],
        place=lambda row: f"{path}, line {lines[row + 1]}",
    )


def _json(path: Path, text: str) -> Table:
    """Read an object a line, or a list of objects."""
    if text.lstrip().startswith("["):
        places = f"{path}, row {{}} (counted from 1)"
        listed = _parsed(text, str(path))
        numbered = list(enumerate(cast("list[object]", listed), start=1))
    else:
        places = f"{path}, line {{}}"
        # Not splitlines(): U+2028 and others that it splits at may stand inside a JSON text.
        lines = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
        numbered = [(n, _parsed(line, places.format(n))) for n, line in lines]
    rows: list[dict[str, object]] = []
    for number, value in numbered:
        if not isinstance(value, dict):
            raise InputError(
                f"{places.format(number)}: not an object with a text and a label, but a "
                f"{type(value).__name__}"
            )
        rows.append(cast("dict[str, object]", value))
    names = tuple(dict.fromkeys(name for row in rows for name in row))

    def place(row: int) -> str:
        return places.format(numbered[row][0])

    def column(index: int) -> list[Any]:
        values = [row.get(names[index], _ABSENT) for row in rows]
        if _ABSENT in values:
            missing = values.index(_ABSENT)
            raise InputError(f"{place(missing)}: no field {names[index]!r}, which other rows have")
        return values

    return Table(path=path, names=names, rows=len(rows), typed=True, column=column, place=place)


def _parsed(text: str, place: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON: {error}") from error


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice!r} stands there twice")
    return values


def _parquet(path: Path) -> Table:
    arrow: Any = require("pyarrow", "train")
    parquet: Any = require("pyarrow.parquet", "train")
    try:
        with parquet.ParquetFile(path) as file:
            table: Any = file.read()
    except arrow.ArrowException as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error
    names: tuple[str, ...] = tuple(table.column_names)

    def column(index: int) -> list[Any]:
        try:
            return table.column(index).to_pylist()
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: column {names[index]!r} is not UTF-8: {error}") from error

    return Table(
        path=path,
        names=names,
        rows=table.num_rows,
        typed=True,
        column=column,
        place=lambda row: f"{path}, row {row + 1} (counted from 1)",
    )
