"""One rater at random is "the human", the mean of the others the truth: drawn again and again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepmoji.study.ratings import Rated

Shares = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What R draws of a rater for each of n texts gave.

    Attributes:
        truth: 1 or -1, the sign of the mean of the other ratings, or 0 where that is near neutral:
            then the text does not count in this draw; int8 [R, n].
        human: what the drawn rater said, 1, -1 or 0; int8 [R, n].
        coin: what chance says, 1 or -1; int8 [R, n].
    """

    truth: NDArray[np.int8]
    human: NDArray[np.int8]
    coin: NDArray[np.int8]

    @classmethod
    def of(cls, rated: Rated, repeats: int, seed: int) -> "Draws":
        """Draw a rater for each text, ``repeats`` times."""
        random = np.random.default_rng(seed)
        counts = rated.counts
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        every = np.concatenate(rated.ratings)
        totals = np.add.reduceat(every, starts)
        # A share of each text's own number of raters; never 1, so never one too far.
        chosen = (random.random((repeats, len(rated))) * counts).astype(np.int64)
        human = every[starts + chosen]
        return cls(
            truth=rated.scale.sign((totals - human) / (counts - 1)),
            human=rated.scale.answer(human),
            coin=random.choice(np.array([-1, 1], np.int8), size=chosen.shape),
        )

    @property
    def counted(self) -> NDArray[np.bool_]:
        """The texts that count, [R, n]."""
        return self.truth != 0

    def right(self, answers: NDArray[np.int8]) -> Shares:
        """Return 1 where answers have the sign of the truth, 0 where not, [R, n].

        An answer of 0 takes no side and counts half, which is what a coin in its place would get.

        Args:
            answers: 1, -1 or 0, [R, n].
        """
        return np.where(answers == 0, 0.5, answers == self.truth)
