"""Texts and the names of the labels that hold for each."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError

# How files and arrays spell a missing value; as a class it would be learnt without a word.
_MISSING = frozenset({"nan", "NaN", "NAN", "<NA>", "NaT"})


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Texts and, for each, the names of the labels that hold: none, one or several.

    Raises:
        InputError: if there are not as many labels as texts, a text is no ``str``, or the labels of
            a text are no tuple of different names.
    """

    texts: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.labels):
            raise InputError(
                f"{len(self.texts)} texts, but {len(self.labels)} labels; each needs its own"
            )
        # Users and whoever builds one by hand may not check types.
        for row, (text, names) in enumerate(zip(self.texts, self.labels, strict=True)):
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InputError(f"row {row}: the text is {_shown(text)}; it has to be a str")
            if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InputError(
                    f"row {row}: the labels are {_shown(names)}; they have to be a tuple of str"
                )
            if len(names) > 1 and len(set(names)) < len(names):
                raise InputError(f"row {row}: a label stands twice in {_shown(names)}")

    def __len__(self) -> int:
        return len(self.texts)

    def take(
        self, rows: Sequence[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]
    ) -> "Labelled":
        """Return some rows.

        Args:
            rows: their numbers, in the order wanted, or a bool array [n] that picks them.

        Raises:
            InputError: if a number is no row, or a bool array has another length.
        """
        picked: NDArray[Any] = np.asarray(rows)
        if picked.dtype == np.bool_:
            if picked.shape != (len(self),):
                raise InputError(
                    f"a mask of shape {picked.shape} cannot pick from {len(self)} rows"
                )
            picked = np.flatnonzero(picked)
        if picked.size == 0:
            return Labelled(texts=(), labels=())
        if picked.ndim != 1 or picked.dtype.kind not in "iu":
            raise InputError(f"rows have to be whole numbers in one row, not {_shown(rows)}")
        if picked.min() < 0 or picked.max() >= len(self):
            raise InputError(
                f"rows go from 0 to {len(self) - 1}; asked for {picked.min()} to {picked.max()}"
            )
        numbers: list[int] = picked.tolist()
        return Labelled(
            texts=tuple(self.texts[row] for row in numbers),
            labels=tuple(self.labels[row] for row in numbers),
        )


@dataclass(frozen=True, kw_only=True)
class Splits:
    """What a source holds for each purpose; without a column ``split`` all is for training.

    ``train`` has no rows if the source names the split of each row and none is ``train``.
    """

    train: Labelled
    validation: Labelled | None
    test: Labelled | None


def label_name(value: object) -> str:
    """Return the name of one label: text without white space around it, or a number.

    >>> [label_name(value) for value in (" joy ", 3, 3.0, 0.5, True)]
    ['joy', '3', '3', '0.5', 'True']

    Raises:
        InputError: if it is missing or no single value.
    """
    if hasattr(value, "item") and not isinstance(value, str):  # NumPy's and torch's scalars
        value = cast("Any", value).item() if np.ndim(cast("Any", value)) == 0 else value
    if isinstance(value, str):
        name = str.__str__(value).strip()  # of members of a str-Enum too
        if not name or name in _MISSING:
            raise InputError(f"the label is missing ({value!r}); label the text or leave it out")
        if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise InputError(f"the label {name!r} holds half a character, which no file can store")
        return name
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else float.__repr__(value)
    if value is None or isinstance(value, float):
        raise InputError(f"the label is missing ({value!r}); label the text or leave it out")
    raise InputError(
        f"the label is {_shown(value)}; it has to be a text, a number or a list of those"
    )


def label_names(value: object) -> tuple[str, ...]:
    """Return the names of the labels of one text: of one value, or of a list, set or array.

    Raises:
        InputError: if a label is missing, no single value, or stands there twice.
    """
    listed = _listed(value)
    if listed is None:
        return (label_name(value),)
    names = [label_name(each) for each in listed]
    if len(set(names)) < len(names):
        raise InputError(
            f"a label stands twice in {_shown(value)}; a table of 0 and 1, a column for each "
            "class, is given as a NumPy array"
        )
    return tuple(sorted(names) if isinstance(value, set | frozenset) else names)


def labelled(
    texts: Sequence[object],
    labels: Iterable[object],
    place: Callable[[int], str],
    names_of: Callable[[object], tuple[str, ...]] = label_names,
) -> Labelled:
    """Check texts and labels row by row.

    Args:
        texts: one value a row, each a ``str``.
        labels: one value a row, see :func:`label_names`.
        place: says where a row stands, for messages.
        names_of: returns the labels of a value.

    Raises:
        InputError: if a text is missing or a label cannot be used; it says in which row.
    """
    names: list[tuple[str, ...]] = []
    for row, (text, value) in enumerate(zip(texts, labels, strict=True)):
        if not isinstance(text, str):
            missing = text is None or (isinstance(text, float) and math.isnan(text))
            what = "missing" if missing else _shown(text)
            raise InputError(
                f"{place(row)}: the text is {what}; every text has to be a str, '' if it is empty"
            )
        try:
            names.append(names_of(value))
        except InputError as error:
            raise InputError(f"{place(row)}: {error}") from error
    # str(): NumPy's and other subclasses of str become plain ones.
    return Labelled(
        texts=tuple(str.__str__(text) for text in cast("Sequence[str]", texts)),
        labels=tuple(names),
    )


def _listed(value: object) -> list[object] | None:
    if isinstance(value, list | tuple | set | frozenset):
        return list(cast("Iterable[object]", value))
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return cast("list[object]", cast("NDArray[Any]", value).tolist())
    if hasattr(value, "as_py"):  # pyarrow's scalars
        plain: object = cast("Any", value).as_py()
        return _listed(plain) if isinstance(plain, list) else [plain]
    return None


def _shown(value: object) -> str:
    """Show a value and its type, shortened, whatever it is."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
