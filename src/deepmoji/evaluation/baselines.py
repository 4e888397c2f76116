"""What a model has to beat: the training prior, and fastText on the same pairs."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import MissingDependency, require


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
    fasttext: Any = require("fasttext", "eval")
    if not hasattr(fasttext, "train_supervised"):
        raise MissingDependency(
            "the fasttext that is installed can only predict (fasttext-predict, which language "
            "detection brings); run: pip install --force-reinstall --no-deps fasttext-wheel"
        )
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "train.txt"
        with path.open("w", encoding="utf-8", errors="replace") as file:
            file.writelines(f"__label__{label} {' '.join(words)}\n" for words, label in train)
        model: Any = fasttext.train_supervised(
            input=str(path),
            dim=dim,
            wordNgrams=word_ngrams,
            epoch=epochs,
            thread=os.cpu_count() or 1,
            verbose=0,
        )
    scores = np.full((len(test), classes), 1e-12, dtype=np.float32)
    for row, words in enumerate(test):
        # Its Python predict asks NumPy for an array without a copy, which NumPy 2 refuses.
        line = " ".join(words).encode("utf-8", "replace").decode("utf-8") + "\n"
        for probability, name in model.f.predict(line, classes, 0.0, "strict"):
            scores[row, int(name.removeprefix("__label__"))] = max(probability, 1e-12)
    return np.log(scores)
