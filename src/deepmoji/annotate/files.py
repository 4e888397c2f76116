"""Tables that leave a campaign: CSV, TSV, JSON lines, Parquet."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepmoji.errors import InputError, require
from deepmoji.files import atomic_path

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
Row = Mapping[str, Any]

# What a spreadsheet would run when the file is opened in it. A cell that begins with = is a formula
# always; one that begins with + - or @ only does harm if it calls a function, reaches another
# program or file ( name(…)  |  [file]  \\server ). Most texts that begin so are posts to an @name,
# and stay as they are.
_FORMULA = re.compile(r"\s*([=＝]|[+\-@＋－＠].*([\w.]\s*\(|[|\[\\]))", re.DOTALL)


def suffix_of(path: Path) -> str:
    """Return the suffix that says how a table is written.

    Raises:
        InputError: if it is none of ``SUFFIXES``.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: the name has to end in one of {', '.join(SUFFIXES)}")
    return suffix


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write a table, whole or not at all.

    Raises:
        InputError: if the path's suffix is not known.
        MissingDependency: for Parquet, without pyarrow.
    """
    content = table_bytes(suffix_of(path), columns, rows)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def table_bytes(suffix: str, columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Return a table's file.

    In CSV and TSV a list is written as JSON, and a cell that a spreadsheet would run gets an
    apostrophe in front (:func:`harmless`); JSON lines and Parquet hold every text as it is.
    """
    if suffix == ".parquet":
        return _parquet(columns, rows)
    if suffix == ".jsonl":
        lines = (
            json.dumps({name: row[name] for name in columns}, ensure_ascii=False) for row in rows
        )
        return "".join(f"{line}\n" for line in lines).encode("utf-8")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if suffix == ".tsv" else ",", lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return text.getvalue().encode("utf-8")


def harmless(text: str) -> str:
    r"""Return a text as a spreadsheet may see it: not as a formula.

    >>> harmless('=HYPERLINK("http://example.org")')
    '\'=HYPERLINK("http://example.org")'
    >>> harmless("@you are the best :)")
    '@you are the best :)'
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return json.dumps(value, ensure_ascii=False)


def _parquet(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    arrow: Any = require("pyarrow", "annotate")
    parquet: Any = require("pyarrow.parquet", "annotate")
    table: Any = arrow.table({name: [row[name] for row in rows] for name in columns})
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()
