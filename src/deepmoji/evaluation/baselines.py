"""What a model has to beat: the training prior, and fastText on the same pairs."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from deepmoji.evaluation.fasttext_model import FastText


def prior_scores(prior: NDArray[np.float64], rows: int) -> NDArray[np.float32]:
    """Return the same log-probabilities for every text, float32 [rows, C]."""
    return np.tile(np.log(np.maximum(prior, 1e-12)), (rows, 1)).astype(np.float32)


def fasttext_scores(
    train: Iterable[tuple[Sequence[str], int]],
    test: Sequence[Sequence[str]],
    *,
    classes: int,
    dim: int = 256,
    word_ngrams: int = 2,
    epochs: int = 5,
) -> NDArray[np.float32]:
    """Train fastText (Joulin et al., 2017) and return its log-probabilities of test texts.

    With several threads, fastText's own training is not repeatable to the last digit.

    Args:
        train: words and class of each pair.
        test: words of each text.
        classes: number of classes.
        dim: size of a word's vector.
        word_ngrams: longest n-gram of words.
        epochs: passes over the pairs.

    Returns:
        float32 [len(test), classes].

    Raises:
        MissingDependency: without the ``eval`` extra.
    """
    model = FastText.train(
        ((words, (label,)) for words, label in train),
        classes=classes,
        dim=dim,
        wordNgrams=word_ngrams,
        epoch=epochs,
    )
    return np.log(np.maximum(model.probabilities(test), 1e-12))
