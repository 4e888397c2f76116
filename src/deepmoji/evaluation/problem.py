"""What there is to tell apart: the classes, and how many of them hold for a text."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import Kind
from deepmoji.errors import InputError
from deepmoji.evaluation.labelled import Labelled, label_name

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The classes of a classification, in order.

    Attributes:
        classes: their names. Of two exclusive ones the second is the positive one.
        kind: ``"binary"``, exactly one of two; ``"single"``, exactly one of several; ``"multi"``,
            any number of them.

    Raises:
        InputError: if a name stands twice, or there are too few or too many for the kind.
    """

    classes: tuple[str, ...]
    kind: Kind

    def __post_init__(self) -> None:
        if twice := [name for name, count in Counter(self.classes).items() if count > 1]:
            raise InputError(f"the classes {_some(twice)} are named twice; name each once")
        count = len(self.classes)
        fits = {"binary": count == 2, "single": count > 2, "multi": count > 0}
        if not fits.get(self.kind, False):
            raise InputError(
                f"{count} classes for a problem of kind {self.kind!r}: binary has 2, single 3 or "
                "more, multi 1 or more"
            )

    @classmethod
    def of(
        cls,
        train: Labelled,
        *,
        multi_label: bool | None = None,
        classes: Sequence[object] | None = None,
    ) -> Self:
        """Read the classes off training texts.

        >>> Problem.of(Labelled(texts=("a", "b"), labels=(("10",), ("9",)))).classes
        ('9', '10')

        Args:
            train: the training texts.
            multi_label: whether several labels may hold for a text, or none; by default if that
                occurs.
            classes: all class names in the order wanted, also of classes that no text has; by
                default numbers in numeric order, other names in alphabetical order.

        Raises:
            InputError: if there are no texts or no labels, all texts have the same, a label is not
                in ``classes``, or ``multi_label`` is False and a text has not exactly one label.
        """
        if not len(train):
            raise InputError("there are no training texts; give some with their labels")
        found = {name for names in train.labels for name in names}
        if not found:
            raise InputError(f"none of the {len(train)} training texts has a label")
        multi = multi_label
        if multi is None:
            multi = any(len(names) != 1 for names in train.labels)
        if not multi:
            _check_one_each(train, "training")
        if isinstance(classes, str | bytes | int):
            raise InputError(f"expected the names of several classes, got {classes!r}")
        ordered = tuple(map(label_name, classes)) if classes is not None else _in_order(found)
        kind: Kind = "multi" if multi else "binary" if len(ordered) == 2 else "single"
        if len({frozenset(names) for names in train.labels}) == 1:
            raise InputError(
                f"all {len(train)} training texts have the same label, "
                f"{', '.join(train.labels[0])}: there is nothing to tell apart; add texts with "
                "other labels"
            )
        problem = cls(classes=ordered, kind=kind)
        problem.targets(train, "training")
        return problem

    def targets(self, data: Labelled, name: str) -> NDArray[np.float32]:
        """Return which classes hold for each text, 1 or 0: float32 [n, C].

        Args:
            data: texts with labels.
            name: what they are called in messages: training, validation, test.

        Raises:
            InputError: if they have labels that are no class, or not exactly one where classes
                exclude each other.
        """
        places = {each: place for place, each in enumerate(self.classes)}
        unseen = Counter(
            each for names in data.labels for each in dict.fromkeys(names) if each not in places
        )
        if unseen:
            counted = [f"{each!r} ({count} times)" for each, count in unseen.most_common(_SHOWN)]
            more = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
            raise InputError(
                f"the {name} texts have labels that are no class: {', '.join(counted)}{more}; the "
                f"classes, those of the training texts, are {_some(self.classes)}. Mend the "
                "labels, or leave those texts out knowingly"
            )
        if self.kind != "multi":
            _check_one_each(data, name)
        targets = np.zeros((len(data), len(self.classes)), dtype=np.float32)
        for row, names in enumerate(data.labels):
            for each in names:
                targets[row, places[each]] = 1
        return targets


def _check_one_each(data: Labelled, name: str) -> None:
    for row, names in enumerate(data.labels):
        if len(names) != 1:
            raise InputError(
                f"{name} text {row} (counted from 0), {data.texts[row][:40]!r}, has {len(names)} "
                "labels; classes that exclude each other need exactly one a text. For several, or "
                "none, choose multi_label"
            )


def _in_order(names: set[str]) -> tuple[str, ...]:
    """Sort numbers by their value, other names by their letters."""
    values = {name: _number(name) for name in names}
    if all(math.isfinite(value) for value in values.values()):
        return tuple(sorted(names, key=lambda name: (values[name], name)))
    return tuple(sorted(names))


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return math.nan


def _some(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names[:_SHOWN])
    return f"{listed} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else listed
