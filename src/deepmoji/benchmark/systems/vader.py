"""VADER: a sentiment lexicon with rules, its scores calibrated on train."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepmoji.benchmark.answers import HeadAnswers
from deepmoji.benchmark.heads import Array, Head
from deepmoji.benchmark.logistic import STRENGTHS, fit_logistic
from deepmoji.benchmark.selection import Selection
from deepmoji.benchmark.system import SELECTION
from deepmoji.benchmark.tasks import Task
from deepmoji.errors import require
from deepmoji.evaluation.datasets import Labelled, Problem

_BINARY = ("compound",)
_SEVERAL = ("compound", "neg", "neu", "pos")
_POLES = {"negative", "positive"}


@dataclass(frozen=True, kw_only=True)
class Vader:
    """Hutto and Gilbert (2014): no learning but a logistic regression on at most four scores.

    With a neutral class the shares of negative, neutral and positive words count as well.
    """

    name: str = "vader"
    deterministic: bool = True
    uses_base: bool = False
    settings: Mapping[str, Any] = field(
        default_factory=lambda: {"C": STRENGTHS, "selection": SELECTION}
    )

    def fits(self, task: Task) -> bool:
        """Sentiment alone: it knows of nothing else."""
        classes = set(task.problem.classes)
        return _POLES <= classes <= _POLES | {"neutral"}

    def fit(
        self,
        problem: Problem,
        train: Labelled,
        validation: Labelled,
        *,
        base: Path | None,
        seed: int,
        measure: str,
    ) -> HeadAnswers:
        """Calibrate the lexicon; see :class:`deepmoji.benchmark.system.System`."""
        module: Any = require("vaderSentiment.vaderSentiment", "benchmark")
        features = _Features(
            module.SentimentIntensityAnalyzer(), _BINARY if problem.kind == "binary" else _SEVERAL
        )
        selection = Selection[Head](problem, validation, measure)
        head, report = fit_logistic(
            selection, train, features(train.texts), features(validation.texts)
        )
        return HeadAnswers(features=features, head=head, report=report)


@dataclass(frozen=True)
class _Features:
    analyzer: Any
    names: Sequence[str]

    def __call__(self, texts: Sequence[str]) -> Array:
        rows = [self._row(self.analyzer.polarity_scores(text)) for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(rows), len(self.names))

    def _row(self, scores: Mapping[str, float]) -> list[float]:
        return [scores[name] for name in self.names]
