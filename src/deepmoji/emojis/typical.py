"""The texts that are most typical of an emoji."""

import heapq
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Model(Protocol):
    """What answers; ``inference.predictor.Predictor`` is one."""

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities float32 [n, C]."""
        ...


def most_typical(
    model: Model, batches: Iterable[Sequence[str]], place: int, count: int = 10
) -> list[tuple[str, float]]:
    """Return the texts with the highest probability of a label, each text once.

    Args:
        model: that answers.
        batches: of texts, read one after the other.
        place: of the label.
        count: how many texts.

    Returns:
        (text, probability), the most typical first.
    """
    best: dict[str, float] = {}
    for batch in batches:
        found = model.scores(batch)[:, place].tolist()
        best |= dict(zip(batch, found, strict=True))
        kept = heapq.nlargest(count, best.items(), key=lambda item: item[1])
        best = dict(kept)
    return list(best.items())
