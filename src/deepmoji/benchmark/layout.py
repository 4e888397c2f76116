"""A published set on disk: one Parquet file, read and checked against what is expected."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from deepmoji.benchmark.suites import LABELS_FILE, PublishedSet, Suite
from deepmoji.errors import InputError, require
from deepmoji.evaluation.datasets import Labelled
from deepmoji.files import read_json

COLUMNS = ("text", "label", "split")
SPLITS = ("train", "validation", "test")
_HELP = "docs/benchmark.md says where each set comes from and how its file has to look"


@dataclass(frozen=True, kw_only=True)
class SetFile:
    """The whole content of a set's file, the answers to its test split included.

    Only two modules may read it: ``tasks``, which drops those answers, and ``marks``, which marks
    finished ones.

    Attributes:
        classes: names in index order.
        splits: texts and labels of train (which may be empty), validation and test.
        digest: sha256 of classes, texts and labels.
    """

    classes: tuple[str, ...]
    splits: dict[str, Labelled]
    digest: str

    @classmethod
    def read(cls, data: Path, suite: Suite, published: PublishedSet) -> Self:
        """Read and check a set.

        Raises:
            InputError: if the file is missing or has not the layout that is expected.
        """
        path = data / suite / f"{published.name}.parquet"
        classes = published.classes or _class_names(data / suite / LABELS_FILE, published.name)
        columns = _read_columns(path)
        texts = _texts(path, columns["text"])
        labels = _labels(path, columns["label"], published, classes)
        splits = _divide(path, texts, labels, columns["split"])
        for name, split in splits.items():
            if not len(split) and not (name == "train" and published.train_may_lack):
                raise InputError(f"{path} has no row of the split {name!r}; {_HELP}")
        return cls(classes=classes, splits=splits, digest=_digest(classes, splits))


def _class_names(path: Path, name: str) -> tuple[str, ...]:
    if not path.is_file():
        raise InputError(f"there is no {path}, which names the classes; {_HELP}")
    content: Any = read_json(path)
    names: Any = cast("dict[str, Any]", content).get(name) if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(
        isinstance(each, str) for each in cast("list[object]", names)
    ):
        raise InputError(f"{path} has to hold a list of class names for {name!r}; {_HELP}")
    return tuple(cast("list[str]", names))


def _read_columns(path: Path) -> dict[str, list[Any]]:
    require("pyarrow", "eval")
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise InputError(f"there is no file {path}; {_HELP}")
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}; {_HELP}") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise InputError(
            f"{path} lacks the column {missing[0]!r}; it has {', '.join(table.column_names)}, "
            f"expected {', '.join(COLUMNS)}; {_HELP}"
        )
    return {name: table.column(name).to_pylist() for name in COLUMNS}


def _texts(path: Path, values: Sequence[object]) -> list[str]:
    for row, value in enumerate(values, start=1):
        if not isinstance(value, str):
            raise InputError(f"{path}, row {row}: the text is {value!r}, not a string; {_HELP}")
    return cast("list[str]", list(values))


def _labels(
    path: Path, values: Sequence[object], published: PublishedSet, classes: Sequence[str]
) -> list[tuple[str, ...]]:
    """Turn class indices into names; a plain number is taken for a list of one."""
    wanted = "any number of classes" if published.kind == "multi" else "exactly one class"
    named: list[tuple[str, ...]] = []
    for row, value in enumerate(values, start=1):
        indices = cast("list[object]", value if isinstance(value, list) else [value])
        known = all(type(each) is int and 0 <= each < len(classes) for each in indices)
        one = len(indices) == 1 or published.kind == "multi"
        if not known or not one or len(set(indices)) < len(indices):
            raise InputError(
                f"{path}, row {row}: the label is {value!r}; expected a list of whole numbers "
                f"from 0 to {len(classes) - 1}, {wanted} a row; {_HELP}"
            )
        named.append(tuple(classes[each] for each in cast("list[int]", indices)))
    return named


def _divide(
    path: Path, texts: list[str], labels: list[tuple[str, ...]], splits: Sequence[object]
) -> dict[str, Labelled]:
    for row, split in enumerate(splits, start=1):
        if split not in SPLITS:
            raise InputError(
                f"{path}, row {row}: the split is {split!r}; expected one of "
                f"{', '.join(SPLITS)}; {_HELP}"
            )
    whole = Labelled(texts=tuple(texts), labels=tuple(labels))
    return {
        name: whole.take([row for row, split in enumerate(splits) if split == name])
        for name in SPLITS
    }


def _digest(classes: Sequence[str], splits: dict[str, Labelled]) -> str:
    digest = hashlib.sha256(json.dumps(classes).encode())
    for name in SPLITS:
        digest.update(json.dumps([name, splits[name].texts, splits[name].labels]).encode())
    return digest.hexdigest()
