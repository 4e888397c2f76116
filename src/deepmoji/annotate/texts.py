"""Texts to rate, from files and from Python."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepmoji.annotate.files import harmless
from deepmoji.errors import InputError, require
from deepmoji.evaluation.datasets import TEXT_COLUMNS
from deepmoji.evaluation.tables import Table, open_table

LONGEST_TEXT = 10_000  # characters
_LONGEST_KEY = 255
_TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"})
# What no database and no page can hold: NUL, and halves of characters.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts and the id of each.

    Attributes:
        keys: ids, no two the same: of the file's column, else the numbers of the rows from 1.
        texts: what is rated.
        empty: how many rows were left out because nothing but white space is there.
    """

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    empty: int


def read_texts(
    source: str | Path | Sequence[str],
    *,
    text_column: str | None = None,
    id_column: str | None = None,
) -> Texts:
    """Read texts to rate.

    Args:
        source: a list of texts, or a file: CSV, TSV or JSON lines (also with ``.gz``), Parquet, or
            anything else as plain text with a text on each line; ``-`` is standard input.
        text_column: which column of a table holds the texts; by default the only one of the usual
            names.
        id_column: which holds their ids; by default ``id`` if there is one.

    Raises:
        InputError: if the source cannot be used; it says where and why.
        MissingDependency: for Parquet, without pyarrow.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if _is_table(path):
            return _of_table(path, text_column, id_column)
        if text_column or id_column:
            raise InputError(f"{path} has no columns: it is read as a text on each line")
        lines = _lines(path)
        return _checked(lines, [str(n + 1) for n in range(len(lines))], f"{path}, line {{}}")
    texts = list(source)
    for row, text in enumerate(texts):
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"text {row + 1} is a {type(text).__name__}; it has to be a str")
    return _checked(texts, [str(n + 1) for n in range(len(texts))], "text {}")


def storable(text: str) -> str:
    """Return a text with U+FFFD for each character that no database holds."""
    return _UNSTORABLE.sub("\ufffd", text)


def _is_table(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    return bool(suffixes) and suffixes[-1] in _TABLES


def _lines(path: Path) -> list[str]:
    if str(path) == "-":
        content = sys.stdin.buffer.read()
    else:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 (byte {error.start}); expected plain text, or a table that ends in "
            f"{', '.join(sorted(_TABLES))}"
        ) from error
    # Not splitlines(): U+2028 and others that it splits at may stand inside a text.
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _of_table(path: Path, text_column: str | None, id_column: str | None) -> Texts:
    if path.suffix.lower() == ".parquet":
        require("pyarrow", "annotate")
    table = open_table(path)
    texts = table.column(_place(table, text_column, TEXT_COLUMNS, "--text-column"))
    for row, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise InputError(
                f"{table.place(row)}: the text is a {type(text).__name__}; it has to be a string"
            )
    if id_column is None and "id" not in table.names:
        keys = [str(n + 1) for n in range(table.rows)]
    else:
        names = frozenset({"id"})
        values = table.column(_place(table, id_column, names, "--id-column"))
        keys = ["" if value is None else str(value).strip() for value in values]
    return _checked([text or "" for text in texts], keys, f"{path}, row {{}}")


def _place(table: Table, named: str | None, usual: frozenset[str], option: str) -> int:
    there = ", ".join(table.names)
    if named is not None:
        if named not in table.names:
            raise InputError(f"{table.path} has no column {named!r} ({option}); it has: {there}")
        return table.names.index(named)
    found = [place for place, name in enumerate(table.names) if name.lower() in usual]
    if len(found) != 1:
        problem = "no column" if not found else "more than one column"
        raise InputError(
            f"{table.path} has {problem} by one of the names {', '.join(sorted(usual))}; name it "
            f"with {option}, of: {there}"
        )
    return found[0]


def _checked(texts: list[str], keys: list[str], place: str) -> Texts:
    seen: dict[str, tuple[int, str]] = {}
    kept: list[str] = []
    empty = 0
    for row, (text, key) in enumerate(zip(texts, keys, strict=True), start=1):
        if not text.strip():
            empty += 1
            continue
        if len(text) > LONGEST_TEXT:
            raise InputError(
                f"{place.format(row)}: {len(text):,} characters, at most {LONGEST_TEXT:,}; raters "
                "cannot read more at a time"
            )
        key = storable(key)
        if not key or len(key) > _LONGEST_KEY:
            raise InputError(f"{place.format(row)}: the id needs 1 to {_LONGEST_KEY} characters")
        written = harmless(key)  # what a crowd's file comes back with
        if written in seen:
            other, first = seen[written]
            how = "stands in" if key == first else f"is written {written!r} in CSV, like that of"
            raise InputError(f"{place.format(row)}: the id {key!r} {how} row {other} too")
        seen[written] = (row, key)
        kept.append(storable(text))
    if not kept:
        raise InputError(f"{place.partition(',')[0]}: there is no text to rate")
    return Texts(keys=tuple(key for _, key in seen.values()), texts=tuple(kept), empty=empty)
