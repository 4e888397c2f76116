"""The formats of the output: writing tables one by one, and joining files of some rows each."""

import base64
import json
import math
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from deepmoji.scoring.objects import AS_JSON

_COMPRESSION = "zstd"


class UnwritableError(Exception):
    """A table holds a value that the format has no way to write."""


class Format(Protocol):
    """How files of the output are written."""

    suffix: str

    def open(self, path: Path, schema: pa.Schema) -> Any:
        """Return a context that opens a file and gives what writes a table into it."""
        ...

    def count(self, path: Path) -> int:
        """Return the number of rows of a finished file."""
        ...

    def join(self, paths: Sequence[Path], target: Path, schema: pa.Schema) -> None:
        """Write the rows of files one after another into one."""
        ...


class Parquet:
    """Parquet, each table a row group.

    Files are opened here: pyarrow takes no path that is not UTF-8.
    """

    suffix = ".parquet"

    @contextmanager
    def open(self, path: Path, schema: pa.Schema) -> Generator[Callable[[pa.Table], None]]:
        """See :class:`Format`."""
        dictionary: Any = _worth_a_dictionary(schema)
        with (
            path.open("wb") as opened,
            pq.ParquetWriter(
                opened, schema, compression=_COMPRESSION, use_dictionary=dictionary
            ) as file,
        ):
            yield file.write_table

    def count(self, path: Path) -> int:
        """See :class:`Format`."""
        with path.open("rb") as opened:
            return pq.read_metadata(opened).num_rows

    def join(self, paths: Sequence[Path], target: Path, schema: pa.Schema) -> None:
        """See :class:`Format`."""
        with self.open(target, schema) as write:
            for path in paths:
                with path.open("rb") as opened, pq.ParquetFile(opened, pre_buffer=False) as file:
                    for number in range(file.num_row_groups):
                        write(file.read_row_group(number))


def _worth_a_dictionary(schema: pa.Schema) -> list[str]:
    """Return the columns in which values may come again: not those of many numbers a row."""
    with pa.BufferOutputStream() as stream:
        with pq.ParquetWriter(stream, schema) as file:
            file.write_table(schema.empty_table())
        leaves = pq.ParquetFile(stream.getvalue()).schema
    paths = [leaves.column(number).path for number in range(len(leaves))]
    numbers = {f.name for f in schema if pa.types.is_fixed_size_list(f.type)}
    return [path for path in paths if path.split(".")[0] not in numbers]


class JsonLines:
    """JSON lines, an object for each row."""

    suffix = ".jsonl"

    @contextmanager
    def open(self, path: Path, schema: pa.Schema) -> Generator[Callable[[pa.Table], None]]:
        """See :class:`Format`."""
        parsed = [
            field.name for field in schema if AS_JSON.items() <= (field.metadata or {}).items()
        ]
        with path.open("w", encoding="utf-8", newline="\n") as file:

            def write(table: pa.Table) -> None:
                try:
                    lines = [_line(row, parsed) for row in _rows(table)]
                except (ValueError, OverflowError, RecursionError) as error:
                    raise UnwritableError(str(error)) from error
                file.writelines(lines)

            yield write

    def count(self, path: Path) -> int:
        """See :class:`Format`."""
        with path.open("rb") as file:
            return sum(1 for _ in file)

    def join(self, paths: Sequence[Path], target: Path, schema: pa.Schema) -> None:
        """See :class:`Format`."""
        with target.open("wb") as joined:
            for path in paths:
                with path.open("rb") as file:
                    shutil.copyfileobj(file, joined)


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    columns = [_values(column) for column in table.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(table.column_names, values, strict=True))


def _line(row: dict[str, Any], parsed: Sequence[str]) -> str:
    """Return a row as a line; the columns ``parsed`` hold JSON."""
    for name in parsed:
        row[name] = None if row[name] is None else json.loads(row[name])
    return json.dumps(_plain(row), ensure_ascii=False) + "\n"


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values of a column, also those that Python has no type for."""
    try:
        return column.to_pylist()
    except (ValueError, OverflowError):
        return [_value(scalar) for scalar in column]


def _value(scalar: Any) -> Any:
    """Return a value, spelled out where Python has no type for it: nanoseconds, the year 30,000."""
    with suppress(ValueError, OverflowError):
        return scalar.as_py()
    if isinstance(scalar, pa.StructScalar):
        return {name: _value(each) for name, each in scalar.items()}
    if isinstance(scalar, pa.ListScalar):  # of which maps are a kind
        return [_value(each) for each in scalar.values]
    if hasattr(scalar, "as_buffer"):
        return scalar.as_buffer().to_pybytes().decode("utf-8", "replace")
    spelled = f"{scalar.value} {scalar.type}"  # 8 duration[ns]
    if isinstance(scalar, pa.DurationScalar):
        return spelled
    text = scalar.cast(pa.string()).as_py()
    return spelled if text.startswith("<") else text.replace(" ", "T", 1)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: no NaN, no dates, no bytes."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


FORMATS: dict[str, Format] = {"parquet": Parquet(), "jsonl": JsonLines()}
