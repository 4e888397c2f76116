"""fastText as a classifier of words, with probabilities for every class, also under NumPy 2."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError, MissingDependency, require

_PREFIX = "__label__"
_NONE = "none"  # of texts without a label: fastText passes over lines that have none


class FastText:
    """A fastText classifier (Joulin et al., 2017).

    Args:
        model: fastText's own model object.
        classes: number of classes.
    """

    def __init__(self, model: Any, classes: int) -> None:
        self._model = model
        self._classes = classes

    @classmethod
    def train(
        cls,
        examples: Iterable[tuple[Sequence[str], Sequence[int]]],
        *,
        classes: int,
        threads: int | None = None,
        seed: int = 0,
        **options: Any,
    ) -> Self:
        """Train it.

        With several threads its training is not repeatable to the last digit; with one it is.

        Args:
            examples: words of each text, and the classes that hold for it.
            classes: number of classes.
            threads: all cores by default.
            seed: of the word vectors that it starts from.
            options: fastText's own, ``loss="ova"`` for classes that do not exclude each other.

        Raises:
            InputError: if training diverges, as it may at a high learning rate.
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
                file.writelines(_line(words, labels) for words, labels in examples)
            try:
                model: Any = fasttext.train_supervised(
                    input=str(path),
                    thread=threads or os.cpu_count() or 1,
                    seed=seed + 1,  # its generator takes 0 for 1
                    verbose=0,
                    **options,
                )
            except RuntimeError as error:  # "Encountered NaN."
                raise InputError(f"fastText cannot be trained with {options}: {error}") from error
        return cls(model, classes)

    def probabilities(self, texts: Iterable[Sequence[str]]) -> NDArray[np.float32]:
        """Return the probabilities of the classes, float32 [n, C], for the words of each text."""
        rows = [self._row(words) for words in texts]
        return np.array(rows, dtype=np.float32).reshape(len(rows), self._classes)

    def _row(self, words: Sequence[str]) -> list[float]:
        # Its Python predict asks NumPy for an array without a copy, which NumPy 2 refuses.
        line = " ".join(words).encode("utf-8", "replace").decode("utf-8") + "\n"
        row = [0.0] * self._classes
        for probability, name in self._model.f.predict(line, self._classes + 1, 0.0, "strict"):
            label = name.removeprefix(_PREFIX)
            if label != _NONE:
                row[int(label)] = min(probability, 1.0)
        return row


def _line(words: Sequence[str], labels: Sequence[int]) -> str:
    names = [f"{_PREFIX}{label}" for label in labels or (_NONE,)]
    # A word that looks like a label would be one.
    kept = [word for word in words if not word.startswith(_PREFIX)]
    return f"{' '.join([*names, *kept])}\n"
