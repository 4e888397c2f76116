"""Columns of texts and labels from Python: lists, arrays, and what pandas and pyarrow make."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError
from deepmoji.evaluation.labelled import Labelled, labelled


def from_pair(texts: object, labels: object) -> Labelled:
    """Read a column of texts and a column of labels.

    Lists, tuples, NumPy arrays and the columns of pandas, polars and pyarrow are read, without
    importing any of them.

    Args:
        texts: n strings.
        labels: n labels, n lists of labels, or an array [n, C] of 0 and 1, whose classes are named
            ``"0"``, ``"1"``, …

    Raises:
        InputError: if a column is none, their lengths differ, they are empty, or a row cannot be
            used; it says which, counted from 0.
    """
    text_rows = column_values(texts, "texts")
    label_rows = indicated(labels)
    if label_rows is None:
        label_rows = column_values(labels, "labels")
    if len(text_rows) != len(label_rows):
        raise InputError(
            f"{len(text_rows)} texts, but {len(label_rows)} labels; each text needs its own"
        )
    if not text_rows:
        raise InputError("there are no texts; give at least one with its label")
    return labelled(text_rows, label_rows, "row {} (counted from 0)".format)


def indicated(labels: object) -> list[list[int]] | None:
    """Return the columns that hold for each row of a table of 0 and 1, None if it is no table.

    Args:
        labels: an array [n, C], also a sparse one of SciPy.

    Raises:
        InputError: if a table holds other values, or has one column or none.
    """
    if hasattr(labels, "toarray"):
        labels = cast("Any", labels).toarray()
    if not isinstance(labels, np.ndarray) or cast("NDArray[Any]", labels).ndim < 2:
        return None
    table = cast("NDArray[Any]", labels)
    if table.ndim > 2 or table.shape[1] < 2:
        raise InputError(
            f"labels of shape {list(table.shape)}; give [n] (one label a text: array.ravel()) or "
            "[n, C] with a column of 0 and 1 for each class"
        )
    if table.dtype.kind not in "biuf" or not bool(np.isin(table, (0, 1)).all()):
        raise InputError(
            f"labels of shape {list(table.shape)} have to hold 0 and 1 only, a column for each "
            "class; give other labels as a list of lists"
        )
    return [np.flatnonzero(row).tolist() for row in table]


def column_values(column: object, what: str) -> list[Any]:
    """Return the values of a column of any library, Python's own where there are any.

    Args:
        column: n values.
        what: they are, for messages.

    Raises:
        InputError: if it is no column: a single text, a table, something without an order.
    """
    if isinstance(column, str | bytes):
        raise InputError(
            f"expected a list of {what}, got a single {type(column).__name__}, {column[:40]!r}"
        )
    if isinstance(column, dict | set | frozenset) or hasattr(column, "columns"):
        raise InputError(
            f"expected one column of {what}, got a {type(column).__name__}; give a list or one "
            "column of a table"
        )
    # NumPy and pandas; pyarrow; polars. Each turns its own scalars into Python's.
    for method in ("tolist", "to_pylist", "to_list"):
        if hasattr(column, method):
            column = getattr(column, method)()
            break
    # A scalar in an array without dimensions is what comes out, too.
    if isinstance(column, str | bytes) or not hasattr(column, "__iter__"):
        raise InputError(f"expected a list of {what}, got a {type(column).__name__}")
    return list(cast("Any", column))
