"""Rows of JSON lines, and the types of their fields."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from deepmoji.corpus.columns import Columns
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.scoring.lines import Record, in_slices, lines_of, to_rows
from deepmoji.scoring.source import Rows

# Marks a column whose values are JSON: they are objects, lists, or of several kinds.
AS_JSON = {b"deepmoji": b"json"}
_EXACT = 2**53  # whole numbers up to here are exact as floats too
# What is found in a field without nulls, and the column's type. NaN, as pandas writes a missing
# value, is a null where the others are no numbers.
_TYPES = {
    frozenset[str](): pa.string(),
    frozenset({"text"}): pa.string(),
    frozenset({"truth"}): pa.bool_(),
    frozenset({"whole"}): pa.int64(),
    frozenset({"whole", "large"}): pa.int64(),
    frozenset({"large"}): pa.int64(),
    frozenset({"fraction"}): pa.float64(),
    frozenset({"whole", "fraction"}): pa.float64(),
    frozenset({"nan"}): pa.float64(),
    frozenset({"nan", "fraction"}): pa.float64(),
    frozenset({"nan", "whole"}): pa.float64(),
    frozenset({"nan", "whole", "fraction"}): pa.float64(),
}


class JsonSource:
    """A file with a JSON object on each line; empty lines are no rows.

    A first reading finds the fields and their types: text, truth values, whole numbers and
    fractions are columns of these types, anything else is a column of JSON.

    Args:
        path: of the file.
        compression: ``"gzip"``, ``"bz2"``, ``"zstd"`` or None.
        text_column: the field of the texts, if it was named; ``a.b`` is ``b`` of the object ``a``.

    Raises:
        InputError: if there is no such field, or a row cannot be read.
        OSError, EOFError, pyarrow.ArrowException: if the file cannot be read.
    """

    def __init__(self, path: Path | Url, compression: str | None, text_column: str | None) -> None:
        self._path, self._compression = path, compression
        kinds: dict[str, set[str]] = {}
        self.rows = 0
        for _, each in self._objects():
            self.rows += 1
            for name, value in each.items():
                found = kinds.setdefault(name, set())
                if value is not None:
                    found.add(_kind(value))
        self._columns = self._choose(list(kinds), text_column)
        self.schema = pa.schema([_field(name, frozenset(found)) for name, found in kinds.items()])
        self._fields = list(zip(kinds, map(_converter, self.schema), strict=True))
        if not kinds.get(self._columns.text or "", {"other"}) <= {"text", "nan"}:
            for _ in self._records():  # says which row has another value than a text
                pass

    def read(self, skip: int) -> Iterator[Rows]:
        """See :class:`~deepmoji.scoring.source.Source`."""
        for records in in_slices(islice(self._records(), skip, None)):
            yield to_rows(records, self.schema)

    def _choose(self, names: list[str], wanted: str | None) -> Columns:
        if wanted is not None and wanted not in names:
            columns = Columns(wanted, None)
            if any(columns.of_object(each)[0] is not None for _, each in self._objects()):
                return columns
        if not self.rows:
            return Columns(wanted, None)
        return Columns(Columns(wanted, None).choose(names, self._path)[0], None)

    def _records(self) -> Iterator[Record]:
        for number, each in self._objects():
            text = self._columns.of_object(each)[0]
            if text is None or _is_nan(text):
                text = ""
            if not isinstance(text, str):
                raise InputError(
                    f"{self._path}, line {number}: the field {self._columns.text!r} holds "
                    f"{str(text)[:40]}, not text"
                )
            values = [convert(each.get(name)) for name, convert in self._fields]
            yield Record(whole(text), values, sum(len(v) for v in values if isinstance(v, str)))

    def _objects(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the rows, each with its line's number."""
        with lines_of(self._path, self._compression) as lines:
            for number, line in enumerate(lines, start=1):
                if line.isspace():
                    continue
                try:
                    value: Any = json.loads(line)
                except (ValueError, RecursionError) as error:
                    where = f"{self._path}, line {number}"
                    raise InputError(f"{where} is not JSON: {error}") from error
                if not isinstance(value, dict):
                    raise InputError(f"{self._path}, line {number} is JSON, but no object")
                yield number, cast("dict[str, Any]", value)


def whole(text: str) -> str:
    """Replace half characters, which JSON can spell and no encoding has."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "whole" if abs(value) <= _EXACT else "large" if abs(value) < 2**63 else "other"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else "fraction"
    return "text" if isinstance(value, str) else "other"


def _field(name: str, kinds: frozenset[str]) -> pa.Field:
    kind = _TYPES.get(kinds) or _TYPES.get(kinds - {"nan"})
    if kind is None:
        return pa.field(whole(name), pa.string(), metadata=AS_JSON)
    return pa.field(whole(name), kind)


def _converter(field: pa.Field) -> Callable[[Any], Any]:
    """Return what makes a field's value one of its column."""
    if field.metadata:
        return _to_json
    if field.type == pa.string():
        return _to_text
    return _to_fraction if field.type == pa.float64() else _to_exact


def _to_json(value: Any) -> str | None:
    return None if value is None else whole(json.dumps(value, ensure_ascii=False))


def _to_text(value: Any) -> str | None:
    return whole(value) if isinstance(value, str) else None


def _to_fraction(value: Any) -> Any:
    return value


def _to_exact(value: Any) -> Any:
    """Truth values and whole numbers have no NaN."""
    return None if _is_nan(value) else value


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
