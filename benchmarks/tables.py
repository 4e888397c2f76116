"""Result files as tables in the terminal."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.record import RESULTS


def read_results(folder: Path = RESULTS) -> dict[str, Any]:
    """The content of every `NAME.json` of the folder, by NAME."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def print_results(results: Mapping[str, Any], console: Console) -> None:
    """Print one table, or several, for each result file."""
    for name, content in results.items():
        console.rule(f"{name}.json")
        plain = Table(show_header=False)
        for path, value in _leaves(content):
            if _is_grid(value):
                console.print(_grid(path, value))
            else:
                plain.add_row(path, _text(value))
        if plain.row_count:
            console.print(plain)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is one cell or one table, with the path of keys that leads to it."""
    if isinstance(value, dict) and not _is_grid(value):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _is_grid(value: Any) -> bool:
    """Whether a value is two or more records: a list of them, or records by name."""
    records = list(value.values()) if isinstance(value, dict) else value
    return (
        isinstance(records, list)
        and len(records) > 1
        and all(isinstance(record, dict) for record in records)
        and not any(isinstance(cell, dict) for record in records for cell in record.values())
    )


def _grid(title: str, value: Any) -> Table:
    named = isinstance(value, dict)
    records = list(value.values()) if named else value
    columns = list(dict.fromkeys(key for record in records for key in record))
    table = Table(*([""] if named else []), *columns, title=title, title_justify="left")
    for name, record in zip(value if named else records, records, strict=True):
        cells = [_text(record[column]) if column in record else "–" for column in columns]
        table.add_row(*([name] if named else []), *cells)
    return table


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return str(value)
