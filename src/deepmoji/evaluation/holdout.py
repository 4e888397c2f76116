"""Validation texts held out of the training texts, and copies of texts between splits."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from deepmoji.errors import InputError
from deepmoji.evaluation.labelled import Labelled

_MOST = 5  # to hold out one text of each class, at most one of so many texts is taken


@dataclass(frozen=True, kw_only=True)
class _Copies:
    """The rows of one text, which stay together, and how often they have each label."""

    rows: list[int]
    counts: Counter[str]

    @property
    def labels(self) -> frozenset[str]:
        return frozenset(self.counts)

    def can_be_spared(self, left: Counter[str], rows: int) -> bool:
        """Whether each of the labels, and a text at all, is left without these rows."""
        return len(self.rows) < rows and all(
            left[label] > count for label, count in self.counts.items()
        )


def split_validation(data: Labelled, *, share: float = 0.1, seed: int) -> tuple[Labelled, Labelled]:
    """Hold out validation texts, with labels in about the proportions that they have.

    Copies of a text stay on one side. Every label keeps a text to learn from. If classes exclude
    each other, one text of each is held out before a second of any, as far as that takes no more
    than the share or, in small data, a fifth. The same seed gives the same rows.

    Args:
        data: the texts.
        share: of the rows to hold out, more than 0 and less than 1; at least one row is.
        seed: of the random choice.

    Returns:
        training and validation texts, each in the order given.

    Raises:
        InputError: if ``share`` is out of range, there are fewer than two rows, or no text can be
            spared: each is the only one with its label, or all are copies of one.
    """
    if not 0 < share < 1:
        raise InputError(
            f"the share of validation texts has to be more than 0 and less than 1, not {share}"
        )
    if len(data) < 2:
        raise InputError(
            f"{len(data)} texts cannot be split for training and validation; give at least 2"
        )
    left = Counter(label for names in data.labels for label in names)
    spare = [each for each in _copies(data) if each.can_be_spared(left, len(data))]
    exclusive = all(len(names) == 1 for names in data.labels)
    classes = len({each.labels for each in spare}) if exclusive else 1
    rows = sum(len(each.rows) for each in spare)
    wanted = max(round(share * rows), min(classes, len(data) // _MOST), 1)
    wanted = min(wanted, len(data) - 1)
    turns = _by_turns(spare, np.random.default_rng(seed), one_each=exclusive and classes <= wanted)
    held: list[int] = []
    for each in turns:
        if len(held) + len(each.rows) <= wanted and each.can_be_spared(left, len(data)):
            left -= each.counts
            held += each.rows
    if not held and spare:
        held = min(spare, key=lambda each: len(each.rows)).rows  # many copies of every text
    if not held:
        raise InputError(
            f"no validation text can be held out of these {len(data)} texts: each is the only one "
            "with its label, or a copy of the others; give validation texts of their own, or more "
            "texts"
        )
    mask = np.zeros(len(data), dtype=np.bool_)
    mask[held] = True
    return data.take(~mask), data.take(mask)


def shared_texts(a: Labelled, b: Labelled) -> int:
    """Return how many texts of ``b`` stand in ``a`` word for word, but for white space around."""
    known = {text.strip() for text in a.texts}
    return sum(text.strip() in known for text in b.texts)


def _copies(data: Labelled) -> list[_Copies]:
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(data.texts):
        rows.setdefault(text.strip(), []).append(row)
    return [
        _Copies(rows=own, counts=Counter(label for row in own for label in data.labels[row]))
        for own in rows.values()
    ]


def _by_turns(
    copies: list[_Copies], random: np.random.Generator, *, one_each: bool
) -> list[_Copies]:
    """Sort texts so that the first ones, however many, have labels in proportion."""
    frequency = Counter(each.labels for each in copies)
    strata: dict[frozenset[str] | None, list[_Copies]] = {}
    for place in random.permutation(len(copies)):
        each = copies[place]
        # Combinations of labels that occur once are drawn from together: alone, none ever would be.
        rare = frequency[each.labels] == 1 and len(each.labels) != 1
        strata.setdefault(None if rare else each.labels, []).append(each)
    turns: list[tuple[float, float, _Copies]] = []
    for stratum in strata.values():
        for place, each in enumerate(stratum):
            # Of n texts the middle of the k-th of n equal parts: any beginning is in proportion.
            due = 0.0 if one_each and place == 0 else (place + 0.5) / len(stratum)
            turns.append((due, random.random(), each))
    return [each for _, _, each in sorted(turns, key=lambda turn: turn[:2])]
