"""What a run trains on: the pairs of a corpus, or some of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.errors import InputError
from deepmoji.evaluation.metrics import Priors
from deepmoji.training.batches import sampling_prior


@dataclass(frozen=True, kw_only=True)
class Material:
    """Rows to train on.

    Attributes:
        rows: their ids and classes.
        priors: how often the classes are drawn from them, and how often they occur in the corpus.
    """

    rows: Shard
    priors: Priors

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what is wanted of rows: classes int64 [B]."""
        return self.rows.labels[rows]


def read_material(corpus: CorpusFolder, config: PretrainConfig) -> Material:
    """Read what a run trains on.

    Raises:
        InputError: if the corpus cannot be read or has fewer pairs than are asked for.
    """
    everything, classes = corpus.read_train(), len(corpus.labels)
    rows = everything
    if config.pairs:
        rows = take(everything, choose_pairs(len(everything), config))
    priors = Priors(
        seen=sampling_prior(rows.labels, classes, config.balance),
        natural=sampling_prior(everything.labels, classes, 0.0),
    )
    return Material(rows=rows, priors=priors)


def choose_pairs(there: int, config: PretrainConfig) -> NDArray[np.int64]:
    """Return the rows of ``config.pairs`` pairs in ascending order, int64 [pairs].

    Chosen by the seed alone: with the same seed, fewer are a part of more.

    Raises:
        InputError: if there are not so many.
    """
    if config.pairs > there:
        raise InputError(
            f"pairs is {config.pairs}, but the corpus has {there} to train on; ask for as many at "
            "the most, or for 0, which is all"
        )
    random = np.random.default_rng((config.seed, 0, 1))  # epochs take (seed, number)
    return np.sort(random.permutation(there)[: config.pairs])


def take(pairs: Shard, rows: NDArray[np.int64]) -> Shard:
    """Return some of the pairs, in the order given."""
    lengths = pairs.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(pairs.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Shard(ids=pairs.ids[places], offsets=offsets, labels=pairs.labels[rows])
