"""The benchmark sets of 2017: from their pickles to a table that fine-tuning reads."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from deepmoji.errors import InputError, require
from deepmoji.evaluation.datasets import label_name
from deepmoji.files import atomic_path
from deepmoji.interop.pickles import read_pickle

_SPLITS = {"train": "train_ind", "validation": "val_ind", "test": "test_ind"}
_SUFFIX = ".parquet"
_LARGEST = 1 << 26  # characters of all texts, or marks of all labels


def convert_benchmark(raw: Path, out: Path) -> dict[str, Any]:
    """Write a benchmark's pickle as Parquet with columns ``text``, ``label`` and ``split``.

    A label that marks classes with 0 and 1 becomes the number of the class, counted from 0, or a
    list of numbers where texts have several or none. Other labels keep their names; all are written
    as text. Rows come in the order of the splits; those in no split are left out and counted.

    Args:
        raw: the pickle, a dict with ``texts``, ``info`` (a dict with ``label`` for each text) and
            ``train_ind``, ``val_ind`` and ``test_ind``, the numbers of their rows.
        out: a file whose name ends in .parquet.

    Returns:
        how many texts each split has, and how many were ``left_out``.

    Raises:
        InputError: if the file is no such pickle: it says where; nothing is written then.
        MissingDependency: without the ``train`` extra.
    """
    arrow: Any = require("pyarrow", "train")
    parquet: Any = require("pyarrow.parquet", "train")
    if out.suffix.lower() != _SUFFIX:
        raise InputError(f"{out}: the name has to end in {_SUFFIX}")
    data = read_pickle(raw)
    missing = [name for name in ("texts", "info", *_SPLITS.values()) if name not in _dict(data)]
    if missing:
        raise InputError(f"{raw} is no benchmark of 2017: it has no {', '.join(missing)}")
    values = _list(data["texts"], "texts")
    _check_size(values)
    texts = [_text(value, f"text {row}") for row, value in enumerate(values)]
    infos = _list(data["info"], "info")
    if len(infos) != len(texts):
        raise InputError(f"{raw} has {len(texts)} texts, but {len(infos)} rows of info")
    labels = _labels([_dict(info).get("label") for info in infos])
    rows = _rows(data, len(texts))
    splits = [split for split, own in rows.items() for _ in own]
    order = [row for own in rows.values() for row in own]
    table = arrow.table(
        {
            "text": arrow.array([texts[row] for row in order], arrow.string()),
            "label": arrow.array([labels[row] for row in order]),
            "split": arrow.array(splits, arrow.string()),
        }
    )
    with atomic_path(out) as temporary:
        parquet.write_table(table, str(temporary))
    counts = {split: len(own) for split, own in rows.items()}
    return {**counts, "left_out": len(texts) - len(order)}


def _dict(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"no benchmark of 2017: a {type(value).__name__} where a dict was")
    return cast("dict[str, Any]", value)


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InputError(f"no benchmark of 2017: {name} is a {type(value).__name__}, no list")
    return list(cast("Sequence[Any]", value))


def _check_size(values: list[Any]) -> None:
    """Refuse what is larger than its file: a pickle can use one long value many times."""
    sized = (cast("Sequence[Any]", each) for each in values if isinstance(each, str | bytes | list))
    if sum(map(len, sized)) > _LARGEST:
        raise InputError(f"no benchmark of 2017: more than {_LARGEST:,} characters or marks")


def _text(value: object, place: str) -> str:
    """Return a text; Python 2 wrote UTF-8 bytes."""
    try:
        text = value.decode("utf-8") if isinstance(value, bytes) else value
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place} (counted from 0) is not UTF-8 at byte {error.start}; mend the text"
        ) from error
    if not isinstance(text, str):
        raise InputError(f"{place} (counted from 0) is a {type(text).__name__}, no text")
    return text


def _labels(values: list[Any]) -> list[str] | list[list[str]]:
    """Return the name of each label, or for several a text lists of names."""
    _check_size(values)
    if any(isinstance(value, list | tuple) for value in values):
        marked = [_marked(value, row) for row, value in enumerate(values)]
        if len({len(value) for value in values}) > 1:
            raise InputError("no benchmark of 2017: the labels mark different numbers of classes")
        single = all(len(own) == 1 for own in marked)
        return [own[0] for own in marked] if single else marked
    return [_label(value, f"the label of text {row}") for row, value in enumerate(values)]


def _label(value: object, place: str) -> str:
    """Return a label's name: a column of Parquet holds values of one kind."""
    try:
        return label_name(_text(value, place) if isinstance(value, bytes) else value)
    except InputError as error:
        raise InputError(f"{place} (counted from 0): {error}") from error


def _marked(value: object, row: int) -> list[str]:
    """Return the classes that hold, named by their numbers."""
    marks = _list(value, f"the label of text {row} (counted from 0)")
    if not marks or any(isinstance(mark, list | tuple) or mark not in (0, 1) for mark in marks):
        raise InputError(
            f"the label of text {row} (counted from 0) has to mark each class with 0 or 1"
        )
    return [str(place) for place, mark in enumerate(marks) if mark]


def _rows(data: dict[str, Any], count: int) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for split, name in _SPLITS.items():
        own = _list(data[name], name)
        for row in own:
            if type(row) is not int or not 0 <= row < count:
                raise InputError(f"{name} holds what is no row from 0 to {count - 1}")
        rows[split] = own
    together = [row for own in rows.values() for row in own]
    if len(set(together)) < len(together):
        raise InputError("a row stands twice in the splits: they would share texts")
    if not rows["train"]:
        raise InputError("train_ind is empty: there is nothing to learn from")
    return rows
