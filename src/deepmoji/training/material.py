"""What a run trains on: the pairs of a corpus or some of them, or texts with all their emojis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder, Shard, take
from deepmoji.errors import InputError
from deepmoji.evaluation.metrics import Priors
from deepmoji.training.batches import prior_of, sampling_prior
from deepmoji.training.copies import Copies
from deepmoji.training.streams import ALONE, Part, Share, streams_of


@dataclass(frozen=True, kw_only=True)
class Material:
    """Rows to train on.

    Attributes:
        rows: their ids and classes; of a text with several emojis the first one.
        priors: how often the classes are drawn from them, and how often they occur in the corpus.
        part: which rows of the run these are.
        chances: of drawing each row, float [rows], where they do not follow from its class.
        soft: all emojis of each row, where a text is there once with all of them.
    """

    rows: Shard
    priors: Priors
    part: Part
    chances: NDArray[np.float64] | None = None
    soft: "SoftLabels | None" = None

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | NDArray[np.float32]:
        """Return what is wanted of rows: classes int64 [B], or shares of them float32 [B, C]."""
        if self.soft is not None:
            return self.soft.targets(rows)
        return self.rows.labels[rows - self.part.first]


class SoftLabels:
    """The emojis of each text, in proportion to how often each class is sampled.

    Args:
        pairs: a row for each emoji of a text.
        copies: which of them are the same text.
        prior: how often each class is drawn, float [C].
    """

    def __init__(self, pairs: Shard, copies: Copies, prior: NDArray[np.float64]) -> None:
        counts = np.bincount(pairs.labels, minlength=len(prior))
        self._chances = prior / np.maximum(counts, 1)  # of one pair of each class
        self._labels, self._copies, self._classes = pairs.labels, copies, len(prior)

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the shares of the classes of each text, float32 [B, C]; they sum to one."""
        pairs, places = self._copies.of(rows)
        labels = self._labels[pairs]
        result = np.zeros((len(rows), self._classes))
        np.add.at(result, (places, labels), self._chances[labels])
        return (result / result.sum(axis=1, keepdims=True)).astype(np.float32)

    def chances(self) -> NDArray[np.float64]:
        """Return the sum of the chances of each text's pairs, float [texts]."""
        each = self._chances[self._labels[self._copies.rows]]
        return np.add.reduceat(each, self._copies.starts[:-1])

    def prior(self) -> NDArray[np.float64]:
        """Return how often each class is wanted where every text is drawn once, float [C]."""
        labels, sizes = self._labels[self._copies.rows], np.diff(self._copies.starts)
        shares = self._chances[labels] / np.repeat(self.chances(), sizes)
        return np.bincount(labels, weights=shares, minlength=self._classes) / len(sizes)


def read_material(corpus: CorpusFolder, config: PretrainConfig, share: Share = ALONE) -> Material:
    """Read what a process trains on.

    Of a corpus of pairs it reads the row groups that its rows are in, and all labels, to know how
    many there are of each. The copies of a text may be anywhere, so with soft labels it reads all.

    Raises:
        InputError: if the corpus cannot be read or has fewer pairs than are asked for.
    """
    if config.soft_labels:
        return _read_soft(corpus, config, share)
    chosen = choose_pairs(corpus.train_rows, config) if config.pairs else None
    streams = streams_of(corpus.train_rows if chosen is None else len(chosen), config)
    begin, end = streams.rows_of(share)
    rows = np.arange(begin, end) if chosen is None else chosen[begin:end]
    counts = corpus.count_train(chosen)
    return Material(
        rows=corpus.read_train(rows),
        priors=_priors(corpus, config, counts),
        part=Part(streams=streams, share=share, first=begin, counts=counts),
    )


def read_priors(corpus: CorpusFolder, config: PretrainConfig) -> Priors:
    """Return :attr:`Material.priors` alone.

    Raises:
        InputError: as :func:`read_material` does.
    """
    if config.soft_labels:
        return _read_soft(corpus, config, ALONE).priors
    chosen = choose_pairs(corpus.train_rows, config) if config.pairs else None
    return _priors(corpus, config, corpus.count_train(chosen))


def _priors(corpus: CorpusFolder, config: PretrainConfig, counts: NDArray[np.int64]) -> Priors:
    natural = corpus.count_train() if config.pairs else counts
    return Priors(seen=prior_of(counts, config.balance), natural=prior_of(natural, 0.0))


def _read_soft(corpus: CorpusFolder, config: PretrainConfig, share: Share) -> Material:
    everything, classes = corpus.read_train(), len(corpus.labels)
    rows = everything
    if config.pairs:
        rows = take(everything, choose_pairs(len(everything), config))
    seen = sampling_prior(rows.labels, classes, config.balance)
    copies = Copies.among(rows)
    soft = SoftLabels(rows, copies, seen)
    # Without balance an epoch is a pass over the texts, in which each counts once.
    is_drawn = config.balance > 0
    texts = take(rows, copies.first)
    return Material(
        rows=texts,
        priors=Priors(
            seen=seen if is_drawn else soft.prior(),
            natural=sampling_prior(everything.labels, classes, 0.0),
        ),
        part=Part.whole(np.bincount(texts.labels, minlength=classes), config, share),
        chances=soft.chances() if is_drawn else None,
        soft=soft,
    )


def sources_of(corpus: CorpusFolder, config: PretrainConfig) -> NDArray[np.int64] | None:
    """Return which of the corpus's training pairs each row of a run is, int64 [rows].

    Returns:
        for a text with all its emojis the first of its pairs; None if the rows are the pairs.

    Raises:
        InputError: as :func:`read_material` does.
    """
    chosen = choose_pairs(corpus.train_rows, config) if config.pairs else None
    if not config.soft_labels:
        return chosen
    first = Copies.among(corpus.read_train(chosen)).first
    return first if chosen is None else chosen[first]


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
