"""Labelled texts from files and from Python, split for training, validation and test."""

import ast
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

from deepmoji.errors import InputError
from deepmoji.evaluation.columns import from_pair
from deepmoji.evaluation.holdout import shared_texts, split_validation
from deepmoji.evaluation.labelled import Labelled, Splits, label_name, label_names, labelled
from deepmoji.evaluation.problem import Problem
from deepmoji.evaluation.tables import Table, open_table

__all__ = [
    "Labelled",
    "Problem",
    "Role",
    "Source",
    "Splits",
    "label_name",
    "read",
    "read_as",
    "shared_texts",
    "split_validation",
]

Role = Literal["train", "validation", "test"]
ROLES: tuple[Role, ...] = ("train", "validation", "test")
Source = str | os.PathLike[str] | tuple[Sequence[str], Sequence[Any]]

TEXT_COLUMNS = frozenset({"text", "texts", "sentence", "tweet", "content"})
LABEL_COLUMNS = frozenset({"label", "labels", "class", "category", "target", "y"})
_SPLIT_COLUMN = "split"
_ROLE_NAMES: dict[str, Role] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test",
}  # fmt: skip
_NUMBER = re.compile(r"([+-]?(?:0|[1-9]\d{0,99}))(?:\.0*([1-9]\d*)?)?")


def read(
    source: Source, *, text_column: str | None = None, label_column: str | None = None
) -> Splits:
    """Read labelled texts.

    A file is CSV, TSV or JSON lines (also with ``.gz``) or Parquet, with a column of texts and one
    of labels: names, numbers, or lists of those for several labels a text. In CSV a list is
    written as in JSON, ``["joy", "fear"]``. Numbers without a fraction are whole numbers: ``1.0``
    and ``1`` are one label. A column ``split`` (train, validation, test) divides the rows.

    >>> read((["so happy", "so sad"], ["joy", "sadness"])).train.labels
    (('joy',), ('sadness',))

    Args:
        source: a file's path, or a pair (texts, labels), where labels may also be a NumPy array
            [n, C] of 0 and 1.
        text_column: which column of a file holds the texts; by default the only one of
            ``TEXT_COLUMNS``.
        label_column: which holds the labels; by default the only one of ``LABEL_COLUMNS``.

    Raises:
        InputError: if the source cannot be read whole: it says where and why. No row is passed
            over.
        MissingDependency: for Parquet, without pyarrow.
    """
    rows, roles = _rows(source, text_column, label_column)
    if roles is None:
        return Splits(train=rows, validation=None, test=None)
    by_role = {role: rows.take([n for n, own in enumerate(roles) if own == role]) for role in ROLES}
    return Splits(
        train=by_role["train"],
        validation=by_role["validation"] if len(by_role["validation"]) else None,
        test=by_role["test"] if len(by_role["test"]) else None,
    )


def read_as(
    source: Source,
    role: Role,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
) -> Labelled:
    """Read a source that was given for one purpose: its rows of that split, or all if it has none.

    Args:
        source: see :func:`read`.
        role: what it was given for.
        text_column: see :func:`read`.
        label_column: see :func:`read`.

    Raises:
        InputError: if the source cannot be read, or its column ``split`` names no such row.
    """
    rows, roles = _rows(source, text_column, label_column)
    if roles is None:
        return rows
    own = [row for row, own in enumerate(roles) if own == role]
    if not own:
        raise InputError(
            f"{source}: its column {_SPLIT_COLUMN!r} marks no row as {role}, but as "
            f"{', '.join(sorted(set(roles)))}; remove the column if all rows are meant"
        )
    return rows.take(own)


def _rows(
    source: Source, text_column: str | None, label_column: str | None
) -> tuple[Labelled, list[Role] | None]:
    """Read all rows, and what each is for if the source says so."""
    if isinstance(source, tuple) and len(cast("tuple[object, ...]", source)) == 2:
        return from_pair(*source), None
    if not isinstance(source, str | os.PathLike):
        raise InputError(
            f"expected the path of a file or a pair (texts, labels), got a {type(source).__name__}"
        )
    table = open_table(Path(source))
    text, label, split = _choose(table, text_column, label_column)
    names_of = label_names if table.typed else _cell_names
    rows = labelled(table.column(text), table.column(label), table.place, names_of)
    return rows, None if split is None else _roles(table, split)


def _roles(table: Table, split: int) -> list[Role]:
    roles: list[Role] = []
    for row, value in enumerate(table.column(split)):
        role = _ROLE_NAMES.get(value.strip().lower()) if isinstance(value, str) else None
        if role is None:
            raise InputError(
                f"{table.place(row)}: the split is {value!r}; it has to be {', '.join(ROLES)}"
            )
        roles.append(role)
    return roles


def _choose(table: Table, text: str | None, label: str | None) -> tuple[int, int, int | None]:
    """Return the places of the columns of texts, labels and, if there is one, splits."""
    text_at = _find(table, text, TEXT_COLUMNS, "text_column")
    label_at = _find(table, label, LABEL_COLUMNS, "label_column")
    if text_at == label_at:
        raise InputError(f"{table.path}: {table.names[text_at]!r} cannot hold texts and labels")
    lowered = [name.lower() for name in table.names]
    split_at = lowered.index(_SPLIT_COLUMN) if _SPLIT_COLUMN in lowered else None
    if split_at in (text_at, label_at):
        split_at = None
    for place in (text_at, label_at, split_at):
        if place is not None and table.names.count(table.names[place]) > 1:
            raise InputError(f"{table.path}: two columns have the name {table.names[place]!r}")
    return text_at, label_at, split_at


def _find(table: Table, named: str | None, usual: frozenset[str], argument: str) -> int:
    there = ", ".join(table.names)
    option = f"--{argument.replace('_', '-')}"
    if named is not None:
        if named not in table.names:
            raise InputError(f"{table.path}: no column {named!r} ({option}); it has: {there}")
        return table.names.index(named)
    found = [place for place, name in enumerate(table.names) if name.lower() in usual]
    if len(found) != 1:
        problem = "no" if not found else "more than one"
        raise InputError(
            f"{table.path}: {problem} column by one of the names {', '.join(sorted(usual))}; name "
            f"it with {argument} ({option}), of: {there}"
        )
    return found[0]


def _cell_names(cell: object) -> tuple[str, ...]:
    """Return the labels of a CSV cell: a list as JSON or Python write it, or one label.

    A number is written as other formats have it: pandas writes 1.0 for 1 in a CSV file. Each cell
    counts by itself, whatever the labels of other rows are, or of another file.
    """
    text = str(cell).strip()
    if number := _NUMBER.fullmatch(text):
        return (label_name(float(text) if number[2] else int(number[1])),)
    if not text.startswith("["):
        return (label_name(text),)
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text)  # what pandas writes for a list
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
    if not isinstance(value, list):
        raise InputError(
            f'the label {text[:40]!r} begins like a list and is none; write it as ["joy", "fear"]'
        )
    return label_names(cast("list[object]", value))
