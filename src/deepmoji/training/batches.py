"""Which pairs make up each step: reproducible, resumable, and of similar length."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import PretrainConfig

_BATCHES_SORTED_TOGETHER = 64  # enough for batches with hardly any padding, few enough to mix


class Pairs(Protocol):
    """What batches are made of; ``corpus.shards.Shard`` is one."""

    @property
    def ids(self) -> NDArray[np.unsignedinteger[Any]]:
        """Flat ids [tokens]."""
        ...

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each row starts in ``ids``, and the end: int64 [rows + 1]."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class of each row, int64 [rows]."""
        ...


def sampling_prior(labels: NDArray[np.int64], classes: int, balance: float) -> NDArray[np.float64]:
    """Return how often each class is drawn: frequency ** (1 - balance), normalised. float [C]."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.where(counts > 0, counts ** (1.0 - balance), 0.0)
    return weights / weights.sum()


class BatchPlan:
    """The rows of every step, computed from the seed alone, so that any step can be the first.

    Args:
        pairs: the training pairs.
        config: batch size, balance, epochs, cut and seed.
        classes: number of classes.
        chances: of drawing each row, float [rows], where they do not follow from its class.
    """

    def __init__(
        self,
        pairs: Pairs,
        config: PretrainConfig,
        *,
        classes: int,
        chances: NDArray[np.float64] | None = None,
    ) -> None:
        self._config, self._chances = config, chances
        self._lengths = np.minimum(np.diff(pairs.offsets), config.max_tokens)
        self._labels = pairs.labels
        self._prior = sampling_prior(pairs.labels, classes, config.balance)
        self._epoch: tuple[int, list[NDArray[np.int64]]] | None = None
        self.steps_per_epoch = -(-len(self._lengths) // config.batch_size)
        self.steps = max(1, round(self.steps_per_epoch * config.epochs))

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return the rows of a step (counted from 0 over all epochs)."""
        number, position = divmod(step, self.steps_per_epoch)
        if self._epoch is None or self._epoch[0] != number:
            self._epoch = (number, self._make_epoch(number))
        return self._epoch[1][position]

    def _make_epoch(self, number: int) -> list[NDArray[np.int64]]:
        random = np.random.default_rng((self._config.seed, number))
        order = self._draw(random)
        size = self._config.batch_size
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(order), size * _BATCHES_SORTED_TOGETHER):
            group = order[start : start + size * _BATCHES_SORTED_TOGETHER]
            group = group[np.argsort(self._lengths[group], kind="stable")]
            batches.extend(group[first : first + size] for first in range(0, len(group), size))
        return [batches[index] for index in random.permutation(len(batches))]

    def _draw(self, random: np.random.Generator) -> NDArray[np.int64]:
        rows = len(self._labels)
        if self._config.balance == 0:
            return random.permutation(rows)
        chances = self._chances
        if chances is None:
            counts = np.bincount(self._labels, minlength=len(self._prior))
            chances = self._prior[self._labels] / counts[self._labels]
        return random.choice(rows, size=rows, p=chances / chances.sum())


def collate(
    pairs: Pairs, rows: NDArray[np.int64], max_tokens: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Gather rows into a padded batch.

    Returns:
        ids int64 [B, T] padded with 0 at the right, and lengths int64 [B]. A row without ids
        becomes a single unknown token, as in inference.
    """
    starts = pairs.offsets[rows]
    lengths = np.minimum(pairs.offsets[rows + 1] - starts, max_tokens)
    steps = np.arange(max(1, int(lengths.max(initial=1))))
    real = steps < lengths[:, None]
    places = np.where(real, starts[:, None] + steps, 0)
    ids = np.where(real, pairs.ids[places].astype(np.int64), 0)
    ids[lengths == 0, 0] = 1
    return ids, np.maximum(lengths, 1)
