"""Gradient boosted trees on DeepMoji's encodings, the classifier of an early press account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from deepmoji.benchmark.answers import Remembered
from deepmoji.benchmark.heads import Array, Head
from deepmoji.benchmark.selection import Progress, Selection
from deepmoji.benchmark.system import SELECTION
from deepmoji.benchmark.systems.encodings import predictor
from deepmoji.benchmark.tasks import Task
from deepmoji.evaluation.datasets import Labelled, Problem

_DEPTHS = (2, 4)
_STEP = 20  # trees between two looks at validation
_MOST = 400
_PATIENCE = 2  # looks that are better in nothing
_LEAF = 5  # texts in a leaf, at least: some sets have 200 texts in all
_RATE, _LARGE_RATE = 0.03, 0.1  # the slower one is better on validation, but takes long
_PART = 4096  # texts answered at a time: scikit-learn copies their encodings in double precision
_LARGE = 5000  # training texts from which on it would take too long


@dataclass(frozen=True, kw_only=True)
class EncodingsTrees:
    """Each text is encoded once; depth and number of trees are chosen on validation."""

    name: str = "encodings-trees"
    deterministic: bool = True
    uses_base: bool = True
    settings: Mapping[str, Any] = field(
        default_factory=lambda: {
            "depth": _DEPTHS,
            "trees": [_STEP, _MOST],
            "leaf": _LEAF,
            "selection": SELECTION,
            "learning_rate": {"below": _LARGE, "is": _RATE, "else": _LARGE_RATE},
        }
    )

    def fits(self, task: Task) -> bool:
        """Every task."""
        return True

    def fit(
        self,
        problem: Problem,
        train: Labelled,
        validation: Labelled,
        *,
        base: Path | None,
        seed: int,
        measure: str,
    ) -> "TreesAnswers":
        """Encode and grow; see :class:`deepmoji.benchmark.system.System`."""
        features = Remembered(predictor(base).encode, validation.texts)
        selection = Selection[tuple[Head, int]](problem, validation, measure)
        _grow(selection, train, features)
        (head, trees), report = selection.chosen()
        return TreesAnswers(features, head, trees, report)


def _grow(selection: Selection[tuple[Head, int]], train: Labelled, features: Remembered) -> None:
    """Try forests of growing size, for each depth until validation gets better in no respect."""
    problem = selection.problem
    of_train, of_validation = features(train.texts), features(selection.validation.texts)
    targets = problem.targets(train, "training")
    rate = _RATE if len(train) < _LARGE else _LARGE_RATE
    for depth in _DEPTHS:
        head = Head(problem, lambda depth=depth: _forest(depth, rate))
        progress = Progress(_PATIENCE)
        for count in range(_STEP, _MOST + 1, _STEP):
            for estimator in head.estimators:
                estimator.set_params(max_iter=count)
            answers = head.fit(of_train, targets).scores(of_validation)
            settings = {"depth": depth, "trees": count}
            if progress.is_over(selection.add(settings, (head, count), answers)):
                break


def _forest(depth: int, rate: float) -> Any:
    options: dict[str, Any] = {"early_stopping": False}  # stopping is up to `_grow`
    return HistGradientBoostingClassifier(
        max_depth=depth,
        max_iter=_STEP,
        learning_rate=rate,
        min_samples_leaf=_LEAF,
        warm_start=True,
        random_state=0,
        **options,
    )


@dataclass(frozen=True)
class TreesAnswers:
    """A forest of which as many trees count as were best."""

    features: Remembered
    head: Head
    trees: int
    report: Mapping[str, Any]

    def scores(self, texts: Sequence[str]) -> Array:
        """Return probabilities, float32 [n, C]."""
        parts = [
            self._scores(texts[start : start + _PART]) for start in range(0, len(texts), _PART)
        ]
        return np.concatenate([np.zeros((0, self.head.width), np.float32), *parts])

    def _scores(self, texts: Sequence[str]) -> Array:
        stages = self.head.staged_scores(self.features(texts))
        # Constants, where there was nothing to tell apart, have a single stage.
        last = self.trees if self.head.estimators else 1
        return next(islice(stages, last - 1, None))
