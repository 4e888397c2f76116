"""The columns that a run adds: their names, their types, and filling them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from deepmoji.bundle import Bundle
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.scoring.scorer import Scored, limits_of
from deepmoji.scoring.settings import ScoreSettings

_TOP = pa.list_(pa.struct([("label", pa.string()), ("probability", pa.float32())]))


class NewColumns:
    """The columns that the model fills.

    Args:
        bundle: the model.
        settings: of the run.
    """

    def __init__(self, bundle: Bundle, settings: ScoreSettings) -> None:
        self._labels = pa.array(list(bundle.labels), pa.string())
        types: dict[str, pa.DataType] = {}
        if settings.top:
            types["top"] = _TOP
        if limits_of(bundle) is not None:
            types["labels"] = pa.list_(pa.string())
        if settings.scores:
            types["scores"] = pa.list_(pa.float32(), bundle.config.classes)
        if settings.encode:
            types["features"] = pa.list_(pa.float32(), bundle.config.features)
        types |= {"unknown_share": pa.float32(), "truncated": pa.bool_()}
        if settings.in_windows:
            types["windows"] = pa.int32()
        self._prefix = settings.prefix
        self.fields = [pa.field(settings.prefix + name, kind) for name, kind in types.items()]

    def schema(self, given: pa.Schema, path: Path | Url) -> pa.Schema:
        """Return the schema of a part of the output.

        Args:
            given: the columns of the input.
            path: of the input, for the message.

        Raises:
            InputError: if the input has two columns of a name, or one that is to be added.
        """
        names: list[str] = given.names
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"{path}: two columns are named {twice[0]!r}; rename one")
        if there := sorted({field.name for field in self.fields} & set(names)):
            raise InputError(
                f"{path}: has a column {there[0]!r} already; give the new ones other names with "
                "--prefix"
            )
        return pa.schema([*given, *self.fields])

    def append(self, table: pa.Table, scored: Scored) -> pa.Table:
        """Return a table with the columns added."""
        filled = {
            "top": lambda: self._top(scored),
            "labels": lambda: self._held(scored),
            "scores": lambda: _matrix(scored.scores),
            "features": lambda: _matrix(scored.features),
            "unknown_share": lambda: pa.array(scored.unknown_share),
            "truncated": lambda: pa.array(scored.truncated),
            "windows": lambda: pa.array(scored.windows),
        }
        for field in self.fields:
            table = table.append_column(field, filled[field.name.removeprefix(self._prefix)]())
        return table

    def _top(self, scored: Scored) -> pa.Array:
        rows, count = scored.top.shape
        chosen = [self._labels.take(pa.array(scored.top.ravel())), _flat(scored.probabilities)]
        pairs = pa.StructArray.from_arrays(chosen, fields=list(_TOP.value_type))
        return pa.ListArray.from_arrays(_offsets([count] * rows), pairs)

    def _held(self, scored: Scored) -> pa.Array:
        if scored.held is None:
            raise AssertionError("which labels hold was not asked for")
        chosen = pa.array(np.nonzero(scored.held)[1])
        counts = scored.held.sum(axis=1).tolist()
        return pa.ListArray.from_arrays(_offsets(counts), self._labels.take(chosen))


def _offsets(counts: Sequence[int]) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(counts, dtype=np.int32)]), pa.int32())


def _flat(matrix: np.ndarray) -> pa.Array:
    return pa.array(np.ascontiguousarray(matrix).ravel())


def _matrix(matrix: np.ndarray | None) -> pa.Array:
    if matrix is None:
        raise AssertionError("this output was not asked for")
    return pa.FixedSizeListArray.from_arrays(_flat(matrix), matrix.shape[1])
