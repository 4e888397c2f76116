"""Scales: what a rater may answer, and how it is shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS, NAMES

Kind = Literal["nine", "labels", "emojis"]

# "Don't know" is an answer too: it counts as one of an item's raters, and as no rating.
Answer = tuple[str, ...] | None

POINTS = tuple(str(point) for point in range(1, 10))
_POINT_NAMES = {"1": "most negative", "5": "neutral", "9": "most positive"}
_MOST_LABELS = 64
_LONGEST_LABEL = 100  # characters


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of the possible answers.

    Attributes:
        value: what is stored.
        name: what it means, where the value does not say it.
        key: the key that gives it, or "".
    """

    value: str
    name: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A set of possible answers.

    >>> Scale.parse("labels:joy,anger").check(["joy"])
    ('joy',)

    Attributes:
        kind: ``nine`` (the paper's, 1 most negative to 9 most positive), ``labels`` or ``emojis``
            (the 64).
        values: the answers in order.
        multi: whether several may be given, or none.
    """

    kind: Kind
    values: tuple[str, ...]
    multi: bool = False

    @classmethod
    def parse(cls, text: str, *, multi: bool = False) -> "Scale":
        """Read a scale as it is given on the command line.

        Args:
            text: ``nine``, ``labels:a,b,c`` or ``emojis``.
            multi: whether several labels may be given to a text.

        Raises:
            InputError: if it is none of those, or the labels cannot be told apart.
        """
        kind, colon, rest = text.partition(":")
        if multi and kind != "labels":
            raise InputError(f"several answers to a text are for labels, not for {text!r}")
        if kind == "labels" and colon:
            labels = _labels(rest)
            if multi and (strange := [each for each in labels if "|" in each]):
                raise InputError(
                    f"the label {strange[0]!r} would read as several, where a text has several "
                    "(joy|fear); name it otherwise"
                )
            return cls(kind="labels", values=labels, multi=multi)
        if text == "nine":
            return cls(kind="nine", values=POINTS)
        if text == "emojis":
            return cls(kind="emojis", values=EMOJIS)
        raise InputError(f"the scale {text!r} has to be nine, emojis, or labels:joy,anger,…")

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The answers as they are shown; the first nine of labels have a key."""
        names = NAMES if self.kind == "emojis" else _POINT_NAMES if self.kind == "nine" else {}
        keys = () if self.kind == "emojis" else POINTS
        return tuple(
            Choice(
                value=value,
                name=names.get(value, ""),
                key=keys[place] if place < len(keys) else "",
            )
            for place, value in enumerate(self.values)
        )

    @property
    def question(self) -> str:
        """What a rater is asked about a text of somebody else."""
        if self.kind == "nine":
            return "How negative or positive is this text?"
        if self.kind == "emojis":
            return "Which emoji fits this text best?"
        return "Which labels fit this text?" if self.multi else "Which label fits this text?"

    def check(self, answer: Sequence[str]) -> tuple[str, ...]:
        """Return an answer's values in the order of the scale.

        Raises:
            InputError: if a value is not on the scale, or there are too many or too few.
        """
        given = set(answer)
        if strange := given - set(self.values):
            shown = ", ".join(sorted(repr(value[:40]) for value in strange))
            raise InputError(f"{shown} is no answer on this scale: {', '.join(self.values)}")
        if not self.multi and len(given) != 1:
            raise InputError(f"one answer is needed, {len(given)} came")
        return tuple(value for value in self.values if value in given)

    def to_json(self) -> str:
        """Write the scale as it is stored."""
        value = {"kind": self.kind, "values": list(self.values), "multi": self.multi}
        return json.dumps(value, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Scale":
        """Read a stored scale."""
        value = json.loads(text)
        return cls(kind=value["kind"], values=tuple(value["values"]), multi=value["multi"])


def to_stored(answer: Answer) -> str:
    """Write an answer as it is stored; don't know is ``null``."""
    return json.dumps(answer, ensure_ascii=False)


@lru_cache(maxsize=4096)
def from_stored(text: str) -> Answer:
    """Read a stored answer."""
    value = json.loads(text)
    return None if value is None else tuple(value)


def _labels(text: str) -> tuple[str, ...]:
    labels = tuple(label.strip() for label in text.split(","))
    if not all(labels) or not 2 <= len(labels) <= _MOST_LABELS:
        raise InputError(
            f"the labels {text!r} have to be 2 to {_MOST_LABELS} names with commas between"
        )
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"the label {label!r} stands twice in {text!r}")
        if len(label) > _LONGEST_LABEL or not label.isprintable():
            raise InputError(
                f"the label {label[:40]!r} has to be printable, of {_LONGEST_LABEL} characters "
                "at most"
            )
        if label.startswith("["):
            raise InputError(f"the label {label!r} would read as a list; begin it otherwise")
    return labels
