"""Texts that several people rated, and the scale that they rated on."""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError
from deepmoji.evaluation.tables import open_table

Floats = NDArray[np.float64]

TEXT, RATINGS = "text", "ratings"
# The paper drops means from 4.5 to 5.5 on a scale from 1 to 9: a sixteenth of the scale's width to
# either side of its middle (Felbo et al., 2017).
NEAR_NEUTRAL = 1 / 16
_ROUNDING = 1e-9  # means of whole numbers that are equal on paper may differ by so much
_BETWEEN = re.compile(r"[\s,;|]+")  # numbers in one field of a CSV file


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A scale from most negative to most positive.

    >>> Scale(low=1, high=9).sign(np.array([4.0, 4.5, 5.0, 5.6])).tolist()
    [-1, 0, 0, 1]

    Raises:
        InputError: if ``low`` is not below ``high``.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"a scale goes from a lower to a higher number, not from {self.low} to {self.high}"
            )

    @property
    def middle(self) -> float:
        """The neutral rating."""
        return (self.low + self.high) / 2

    @property
    def margin(self) -> float:
        """How far from the middle a mean is still near neutral."""
        return NEAR_NEUTRAL * (self.high - self.low)

    def sign(self, means: Floats) -> NDArray[np.int8]:
        """Return 1 for positive means, -1 for negative ones, 0 for those that are near neutral."""
        return _sign(means - self.middle, self.margin)

    def answer(self, ratings: Floats) -> NDArray[np.int8]:
        """Return 1 for positive ratings, -1 for negative ones, 0 for the middle itself."""
        return _sign(ratings - self.middle, 0.0)


def _sign(distance: Floats, margin: float) -> NDArray[np.int8]:
    beyond = np.abs(distance) > margin + _ROUNDING
    return np.where(beyond, np.sign(distance), 0).astype(np.int8)


@dataclass(frozen=True, kw_only=True)
class Rated:
    """Texts and what each rater said of them.

    Attributes:
        texts: n of them.
        ratings: of each text, two or more.
        scale: that they are on.

    Raises:
        InputError: if a text has fewer than two ratings, or one that is no number or not on the
            scale.
    """

    texts: tuple[str, ...]
    ratings: tuple[Floats, ...]
    scale: Scale

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.ratings):
            raise InputError(f"{len(self.texts)} texts, but ratings of {len(self.ratings)}")
        _check_numbers(self.ratings)
        low, high = self.scale.low, self.scale.high
        for row, own in enumerate(self.ratings):
            if len(own) < 2:
                raise InputError(
                    f"text {row} (counted from 0) has {len(own)} ratings; it takes two or more, "
                    "one to be the human and the others to be the truth"
                )
            if own.min() < low or own.max() > high:
                raise InputError(
                    f"text {row} (counted from 0) has a rating off the scale from {low:g} to "
                    f"{high:g}: {own.min():g} to {own.max():g}"
                )

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def means(self) -> Floats:
        """The mean of all ratings of each text, [n]."""
        return np.array([own.mean() for own in self.ratings])

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many rated each text, [n]."""
        return np.array([len(own) for own in self.ratings])

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        ratings: Sequence[Sequence[float]],
        scale: tuple[float, float] | None = None,
    ) -> "Rated":
        """Take texts and ratings from Python.

        Args:
            texts: n of them.
            ratings: of each text.
            scale: its ends; by default the lowest and the highest rating that occur.

        Raises:
            InputError: see :class:`Rated`.
        """
        rows = tuple(np.asarray(own, np.float64).reshape(-1) for own in ratings)
        if not sum(map(len, rows)):
            raise InputError("there are no ratings")
        if scale is None:
            _check_numbers(rows)
            every = np.concatenate(rows)
            scale = (float(every.min()), float(every.max()))
        return cls(texts=tuple(texts), ratings=rows, scale=Scale(low=scale[0], high=scale[1]))


def _check_numbers(ratings: Sequence[Floats]) -> None:
    for row, own in enumerate(ratings):
        odd = own[~np.isfinite(own)]
        if len(odd):
            raise InputError(
                f"text {row} (counted from 0) has a rating that is no number: {odd[0]}; leave out "
                "the ratings that are missing"
            )


def read_ratings(path: str | Path, scale: tuple[float, float] | None = None) -> Rated:
    """Read a table with a column ``text`` and a column ``ratings``.

    Ratings are lists of numbers; in CSV and TSV, numbers in one field with spaces, commas or
    semicolons between them.

    Args:
        path: .parquet, .csv, .tsv or .jsonl, see ``evaluation.tables``.
        scale: its ends; by default the lowest and the highest rating that occur.

    Raises:
        InputError: if the file, a column or a row cannot be used; it says which.
        MissingDependency: for Parquet, without pyarrow.
    """
    table = open_table(Path(path))
    for name in (TEXT, RATINGS):
        if name not in table.names:
            raise InputError(
                f"{path} has no column {name!r} but {', '.join(table.names)}; a study needs the "
                f"columns {TEXT} and {RATINGS}, the ratings of each text as a list of numbers"
            )
    texts = table.column(table.names.index(TEXT))
    ratings = table.column(table.names.index(RATINGS))
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"{table.place(row)}: the text is missing, or no text")
    rows = [_numbers(own, table.place(row)) for row, own in enumerate(ratings)]
    return Rated.of(texts, rows, scale)


def _numbers(value: object, place: str) -> list[float]:
    listed = value
    if isinstance(value, str):
        text = value.strip()
        listed = _parsed(text) if text.startswith("[") else _BETWEEN.split(text) if text else []
    if not isinstance(listed, list):
        raise InputError(f"{place}: the ratings are {value!r}; they have to be a list of numbers")
    numbers: list[float] = []
    for each in cast("list[Any]", listed):
        number = _number(each)
        if number is None:
            raise InputError(f"{place}: the rating {each!r} is no number")
        numbers.append(number)
    return numbers


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
