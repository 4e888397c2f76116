"""Whether one system is better than another on the same texts, or was lucky with them.

Both tests draw rounds in which chance alone is at work, and mark both systems in each. All texts
with the same truth and the same two answers are alike, so that a round is a count of each kind of
text, and the marks of all rounds are products of matrices.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from deepmoji.config import Kind
from deepmoji.errors import InputError
from deepmoji.evaluation.measures import MEASURES, Bools, Measure, mark

_BLOCK = 2**22  # counts in a block of rounds, to bound memory
_ROUNDING = 1e-12  # equal figures may differ by so much, added up in another order


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two systems' figures on the same texts.

    Attributes:
        first: the first one's figure.
        second: the second one's.
        low: lower end of the 95 % interval of the difference; NaN if the test gives none.
        high: upper end.
        p: how likely a difference as large comes by chance if none is better, two-sided.
        rounds: how many were drawn: p is at least 1 / (rounds + 1).
        seed: of the random choice.
    """

    first: float
    second: float
    low: float
    high: float
    p: float
    rounds: int
    seed: int

    @property
    def difference(self) -> float:
        """By how much the first is better."""
        return self.first - self.second


def paired_bootstrap(
    name: str,
    kind: Kind,
    truth: NDArray[Any],
    first: Bools,
    second: Bools,
    *,
    rounds: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on texts drawn with replacement (Efron 1979; Koehn 2004).

    Args:
        name: one of ``MEASURES``.
        kind: of the problem.
        truth: 1 where a class holds, else 0, [n, C].
        first: what ``measures.answers`` makes of the first system's probabilities, bool [n, C].
        second: the same of the second's.
        rounds: how often n texts are drawn.
        seed: of the random choice.

    Returns:
        the figures, the 2.5 and 97.5 percentiles of the difference, and p:
        2 * (rounds in which the system that is worse is at least as good + 1) / (rounds + 1).

    Raises:
        InputError: see ``measures.mark``; or if there is no round.
    """
    figures = mark(name, truth, first, kind), mark(name, truth, second, kind)
    texts = _Texts.of(truth, first, second)
    random = np.random.default_rng(seed)
    differences: list[NDArray[np.float64]] = []
    for block in _blocks(rounds, len(texts.counts)):
        drawn = np.stack([texts.draw(random) for _ in range(block)])
        one, other = (
            _marks(MEASURES[name], kind, drawn @ each, len(truth))
            for each in (texts.first, texts.second)
        )
        differences.append(one - other)
    every = np.concatenate(differences)
    extreme = min(int((every <= _ROUNDING).sum()), int((every >= -_ROUNDING).sum()))
    low, high = np.quantile(every, (0.025, 0.975))
    return Comparison(
        first=figures[0],
        second=figures[1],
        low=float(low),
        high=float(high),
        p=min(1.0, 2 * (extreme + 1) / (rounds + 1)),
        rounds=rounds,
        seed=seed,
    )


def approximate_randomisation(
    name: str,
    kind: Kind,
    truth: NDArray[Any],
    first: Bools,
    second: Bools,
    *,
    rounds: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare two systems with answers swapped between them by chance (Noreen 1989; Yeh 2000).

    If none is better, each text's two answers might as well be the other way round: in every round
    each pair is swapped or not, with equal chances.

    Args:
        name: one of ``MEASURES``.
        kind: of the problem.
        truth: 1 where a class holds, else 0, [n, C].
        first: what ``measures.answers`` makes of the first system's probabilities, bool [n, C].
        second: the same of the second's.
        rounds: how often answers are swapped.
        seed: of the random choice.

    Returns:
        the figures and p: (rounds with a difference at least as large + 1) / (rounds + 1).

    Raises:
        InputError: see ``measures.mark``; or if there is no round.
    """
    figures = mark(name, truth, first, kind), mark(name, truth, second, kind)
    texts = _Texts.of(truth, first, second)
    random = np.random.default_rng(seed)
    extreme = 0
    for block in _blocks(rounds, len(texts.counts)):
        swapped = random.binomial(texts.counts, 0.5, size=(block, len(texts.counts)))
        kept = texts.counts - swapped
        one, other = (
            _marks(MEASURES[name], kind, here @ texts.first + there @ texts.second, len(truth))
            for here, there in ((kept, swapped), (swapped, kept))
        )
        extreme += int((np.abs(one - other) >= abs(figures[0] - figures[1]) - _ROUNDING).sum())
    return Comparison(
        first=figures[0],
        second=figures[1],
        low=float("nan"),
        high=float("nan"),
        p=(extreme + 1) / (rounds + 1),
        rounds=rounds,
        seed=seed,
    )


@dataclass(frozen=True, kw_only=True)
class _Texts:
    """The kinds of texts: those of one kind have the same truth and the same two answers."""

    kind_of: NDArray[np.intp]  # [n]
    counts: NDArray[np.intp]  # texts of each kind
    first: csr_array  # what a text of each kind adds to the first one's tally, [kinds, 3 C + 1]
    second: csr_array

    @classmethod
    def of(cls, truth: NDArray[Any], first: Bools, second: Bools) -> Self:
        holds = truth.astype(np.bool_)
        packed = np.packbits(np.hstack([holds, first, second]), axis=1)
        _, example, kind_of, counts = np.unique(
            packed, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        return cls(
            kind_of=kind_of.ravel(),  # NumPy 2.0 keeps both axes
            counts=counts,
            first=_tally(holds[example], first[example]),
            second=_tally(holds[example], second[example]),
        )

    def draw(self, random: np.random.Generator) -> NDArray[np.intp]:
        """Draw as many texts as there are, with replacement, and count each kind."""
        drawn = random.integers(0, len(self.kind_of), len(self.kind_of))
        return np.bincount(self.kind_of[drawn], minlength=len(self.counts))


def _tally(holds: Bools, answered: Bools) -> csr_array:
    right = (holds == answered).all(axis=1, keepdims=True)
    return csr_array(np.hstack([holds & answered, answered, holds, right]).astype(np.int64))


def _marks(
    measure: Measure, kind: Kind, tallies: NDArray[np.int64], texts: int
) -> NDArray[np.float64]:
    """Return the measure in each round; ``measures.mark`` defines it, text by text."""
    classes = tallies.shape[1] // 3
    hits, answered, holds = (
        tallies[:, start : start + classes][:, measure.averaged(kind, classes)]
        for start in (0, classes, 2 * classes)
    )
    match measure.statistic:
        case "accuracy":
            return tallies[:, -1] / texts
        case "f1":
            return (2 * hits / np.maximum(answered + holds, 1)).mean(axis=1)
        case "recall":
            return (hits / np.maximum(holds, 1)).mean(axis=1)


def _blocks(rounds: int, kinds: int) -> Iterator[int]:
    """Yield how many rounds to draw at a time."""
    if rounds < 1:
        raise InputError(f"there have to be 1 or more rounds, not {rounds}")
    largest = max(_BLOCK // kinds, 1)
    for done in range(0, rounds, largest):
        yield min(largest, rounds - done)
