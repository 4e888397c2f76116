"""Which pairs make up each step: reproducible, resumable, and of similar length."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import PretrainConfig
from deepmoji.training.streams import Part

# What is sorted together: so many batches' worth of rows, of each stream out of its own. Enough for
# hardly any padding, few enough to mix.
_SORTED_TOGETHER = 64


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
    return prior_of(np.bincount(labels, minlength=classes), balance)


def prior_of(counts: NDArray[np.int64], balance: float) -> NDArray[np.float64]:
    """Return :func:`sampling_prior`, given how often each class occurs, int64 [C]."""
    weights = np.where(counts > 0, counts.astype(np.float64) ** (1.0 - balance), 0.0)
    return weights / weights.sum()


class BatchPlan:
    """The rows of every step, computed from the seed alone, so that any step can be the first.

    Args:
        pairs: the training pairs, or those that this process reads.
        config: batch size, balance, epochs, cut, streams and seed.
        classes: number of classes.
        chances: of drawing each row of ``pairs``, float [rows], where they do not follow from its
            class.
        part: which pairs these are; all by default.
    """

    def __init__(
        self,
        pairs: Pairs,
        config: PretrainConfig,
        *,
        classes: int,
        chances: NDArray[np.float64] | None = None,
        part: Part | None = None,
    ) -> None:
        if part is None:
            counts = np.bincount(pairs.labels, minlength=classes)
            part = Part.whole(counts, config)
        self._config, self._part = config, part
        self._lengths = np.minimum(np.diff(pairs.offsets), config.max_tokens)
        if chances is None and config.balance:
            chances = np.maximum(part.counts, 1.0)[pairs.labels] ** -config.balance
        self._chances = chances
        self._own = part.streams.of(part.share)
        self._epoch: tuple[int, NDArray[np.int64], list[NDArray[np.int64]]] | None = None
        self.steps_per_epoch = part.streams.steps
        self.steps = max(1, round(self.steps_per_epoch * config.epochs))

    def rows(self, step: int) -> NDArray[np.int64]:
        """Return this process's rows of a step (counted from 0 over all epochs)."""
        batches, pieces = self._open(step // self.steps_per_epoch)
        return pieces[batches[step % self.steps_per_epoch]]

    def size(self, step: int) -> int:
        """Return how many rows a step has, those of all processes."""
        batches, _ = self._open(step // self.steps_per_epoch)
        return self._part.streams.size(int(batches[step % self.steps_per_epoch]))

    def _open(self, number: int) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
        """Return the order in which the batches of an epoch come, and their rows."""
        if self._epoch is None or self._epoch[0] != number:
            random = np.random.default_rng((self._config.seed, number))
            order = random.permutation(self.steps_per_epoch)
            self._epoch = (number, order, self._make_epoch(number))
        return self._epoch[1:]

    def _make_epoch(self, number: int) -> list[NDArray[np.int64]]:
        streams, share = self._part.streams, self._part.share
        own = [self._make_stream(number, stream) for stream in self._own]
        if not own:
            return [np.empty(0, np.int64)] * streams.steps
        pieces: list[NDArray[np.int64]] = []
        for size, batches in (
            (streams.batch_size, range(streams.full_batches)),
            (streams.rest, range(streams.full_batches, streams.steps)),
        ):
            first = int(streams.places(size)[self._own.start])
            begin, end = (place - first for place in share.piece(size))
            pieces.extend(
                np.concatenate([slices[batch] for slices in own])[begin:end] for batch in batches
            )
        return pieces

    def _make_stream(self, number: int, stream: int) -> list[NDArray[np.int64]]:
        """Return a stream's part of each batch of an epoch, in each texts of similar length."""
        streams = self._part.streams
        begin, end = streams.bounds[stream : stream + 2] - self._part.first
        # Two numbers alone are the seed of `_open`, two and a 1 that of `material.choose_pairs`.
        random = np.random.default_rng((self._config.seed, number, 2 + stream))
        order = begin + self._draw(random, slice(begin, end))
        size = int(np.diff(streams.places(streams.batch_size))[stream])
        together = size * streams.count * _SORTED_TOGETHER
        # Several processes may share it: their pieces should not be the short and the long ones.
        mixed = random.permutation(size)
        slices: list[NDArray[np.int64]] = []
        for start in range(0, len(order), together):
            group = order[start : start + together]
            group = group[np.argsort(self._lengths[group], kind="stable")] + self._part.first
            full = len(group) // size * size
            slices.extend(group[:full].reshape(-1, size)[:, mixed])
            if full < len(group):
                slices.append(group[full:])
        if len(slices) < streams.steps:  # nothing of it is in the last, smaller batch
            slices.append(np.empty(0, np.int64))
        return slices

    def _draw(self, random: np.random.Generator, rows: slice) -> NDArray[np.int64]:
        count = rows.stop - rows.start
        if not self._config.balance or not count:
            return random.permutation(count)
        if self._chances is None:
            raise AssertionError("balance needs chances")
        chances = self._chances[rows]
        return random.choice(count, size=count, p=chances / chances.sum())


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
