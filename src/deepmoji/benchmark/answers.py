"""The answers of systems that turn texts into features and features into probabilities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepmoji.benchmark.heads import Array, Features, Head


@dataclass(frozen=True, kw_only=True)
class HeadAnswers:
    """Features of any texts, and a classifier on them.

    Attributes:
        features: turns texts into features.
        head: the fitted classifier.
        report: what was chosen.
    """

    features: Callable[[Sequence[str]], Features]
    head: Head
    report: Mapping[str, Any]

    def scores(self, texts: Sequence[str]) -> Array:
        """Return probabilities, float32 [n, C]."""
        if not texts:  # scikit-learn takes no empty matrix
            return np.zeros((0, self.head.width), np.float32)
        return self.head.scores(self.features(texts))


class Remembered:
    """An encoder that is slow, and the encodings of texts that will come back.

    The validation texts are encoded for the choice of settings, and answered once more when that
    is made.

    Args:
        encode: returns a row for each text.
        texts: to keep.
    """

    def __init__(self, encode: Callable[[Sequence[str]], Array], texts: Sequence[str]) -> None:
        self._encode = encode
        self._rows = encode(texts)
        self._places = {text: place for place, text in enumerate(texts)}

    def __call__(self, texts: Sequence[str]) -> Array:
        """Return the encodings, float32 [n, F]; each distinct text is encoded once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._places]
        rows = self._encode(new) if new else self._rows[:0]
        places = self._places | {text: len(self._rows) + n for n, text in enumerate(new)}
        joined = np.concatenate([self._rows, rows])
        return joined[[places[text] for text in texts]]
