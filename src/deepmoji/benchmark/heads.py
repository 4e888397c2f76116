"""A classifier on features, whatever the kind of the problem and the classes that train lacks."""

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deepmoji.evaluation.datasets import Problem

Array = NDArray[np.float32]
Features = Any  # a NumPy array or a sparse matrix, a row a text


class Head:
    """A scikit-learn classifier, or one for each class where several may hold.

    Args:
        problem: kind and classes.
        make: makes a classifier that has not learnt anything yet.

    Attributes:
        width: number of classes, C.
    """

    def __init__(self, problem: Problem, make: Callable[[], Any]) -> None:
        self._multi = problem.kind == "multi"
        self.width = len(problem.classes)
        self._make = make
        self._parts: list[_Part] = []

    def fit(self, features: Features, targets: Array) -> Self:
        """Learn; called again, go on learning, if the classifiers have ``warm_start``.

        Args:
            features: a row a text.
            targets: 0 or 1, [n, C]. Where classes exclude each other, those that do not occur get
                probability 0.
        """
        if self._multi:
            columns = [targets[:, place].astype(np.int64) for place in range(self.width)]
        else:
            columns = [targets.argmax(axis=1)]
        if not self._parts:
            width = 2 if self._multi else self.width
            self._parts = [_Part(self._make, column, width) for column in columns]
        for part, column in zip(self._parts, columns, strict=True):
            if part.estimator is not None:
                part.estimator.fit(features, column)
        return self

    @property
    def estimators(self) -> list[Any]:
        """The classifiers; none for a column in which there was nothing to tell apart."""
        return [part.estimator for part in self._parts if part.estimator is not None]

    def scores(self, features: Features) -> Array:
        """Return probabilities, float32 [n, C]."""
        return self._joined([part.scores(features) for part in self._parts])

    def staged_scores(self, features: Features) -> Iterator[Array]:
        """Yield the probabilities after one boosting iteration, after two, …, float32 [n, C]."""
        if not self.estimators:
            yield self.scores(features)
            return
        for stages in zip(*(part.staged(features) for part in self._parts), strict=False):
            yield self._joined(list(stages))

    def _joined(self, parts: list[Array]) -> Array:
        return np.stack([part[:, 1] for part in parts], axis=1) if self._multi else parts[0]


class _Part:
    """One classifier, or a constant where its training texts were all of one class."""

    def __init__(self, make: Callable[[], Any], column: NDArray[np.int64], width: int) -> None:
        self._width = width
        counts = np.bincount(column, minlength=width)
        # Laplace's rule of succession: that all n texts were alike does not make it sure.
        self._constant = ((counts + 1) / (len(column) + width)).astype(np.float32)
        self.estimator: Any = make() if np.count_nonzero(counts) > 1 else None

    def scores(self, features: Features) -> Array:
        rows = features.shape[0]
        if self.estimator is None or not rows:  # scikit-learn takes no empty matrix
            return np.tile(self._constant, (rows, 1))
        return self._wide(self.estimator.predict_proba(features))

    def staged(self, features: Features) -> Iterator[Array]:
        if self.estimator is None or not features.shape[0]:
            return repeat(self.scores(features))
        return map(self._wide, self.estimator.staged_predict_proba(features))

    def _wide(self, probabilities: NDArray[Any]) -> Array:
        result = np.zeros((len(probabilities), self._width), dtype=np.float32)
        result[:, self.estimator.classes_] = probabilities
        return result
