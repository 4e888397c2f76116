"""Choosing the settings of a system on validation, by one rule for every system."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import Kind
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.evaluation.measures import best_thresholds
from deepmoji.evaluation.measures import measure as measured

Model = TypeVar("Model")

_SMALLEST = 1e-7  # probabilities are cut there: one sure mistake must not outweigh all else


@dataclass(frozen=True, kw_only=True)
class Trial(Generic[Model]):
    """A model that was fitted with some settings, and how it does on validation.

    Attributes:
        settings: plain JSON values.
        model: whatever answers.
        loss: log loss.
        figure: of the task's measure.
    """

    settings: Mapping[str, Any]
    model: Model
    loss: float
    figure: float


class Progress:
    """Whether going on in one direction, to weaker regularisation or more trees, still helps.

    Args:
        patience: trials in a row that may be better in nothing than the best before.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._waited = 0
        self._least, self._best = math.inf, -math.inf

    def is_over(self, trial: Trial[Any]) -> bool:
        """Take note of a trial, and tell whether to stop with it."""
        better = trial.loss < self._least or trial.figure > self._best
        self._least, self._best = min(trial.loss, self._least), max(trial.figure, self._best)
        self._waited = 0 if better else self._waited + 1
        return self._waited >= self._patience


class Selection(Generic[Model]):
    """Models that were fitted with different settings, and which of them is taken.

    It is the one with the least log loss on validation, of those whose measure there is no more
    than one standard error below the best (a rule of Breiman et al., 1984). Neither figure alone
    will do. With 50 to 100 validation texts, accuracy and F1 come in steps of whole texts, and the
    best of many settings is the luckiest. Log loss uses every probability, but punishes models
    that are right and too sure: on the validation texts of TweetEval's emoji set it prefers a
    fastText with a macro-F1 of 0.13 to one with 0.25.

    Args:
        problem: kind and classes.
        validation: the texts to choose on.
        measure: the task's; thresholds that it needs are chosen on the same texts.
    """

    def __init__(self, problem: Problem, validation: Labelled, measure: str) -> None:
        self.problem = problem
        self.validation = validation
        self._measure = measure
        self._truth = problem.targets(validation, "validation")
        self._kept: list[Trial[Model]] = []
        self._best = -math.inf
        self._tried: list[dict[str, Any]] = []

    def add(self, settings: Mapping[str, Any], model: Model, scores: NDArray[Any]) -> Trial[Model]:
        """Take note of a model; it is kept in memory as long as it may be the one.

        Args:
            settings: that it was fitted with; plain JSON values.
            model: whatever answers.
            scores: its probabilities for the validation texts, [n, C].
        """
        kind, name = self.problem.kind, self._measure
        thresholds = best_thresholds(self._truth, scores)
        trial = Trial(
            settings=settings,
            model=model,
            loss=log_loss(self._truth, scores, kind),
            figure=measured(name, self._truth, scores, kind, thresholds),
        )
        figures = {"log_loss": round(trial.loss, 5), name: round(trial.figure, 5)}
        self._tried.append({**settings, **figures})
        self._best = max(trial.figure, self._best)
        limit = self._best - self._standard_error(self._best)
        self._kept = [each for each in (*self._kept, trial) if each.figure >= limit]
        return trial

    def chosen(self) -> tuple[Model, dict[str, Any]]:
        """Return the model, and a report: its settings and the figures of all that were tried.

        Raises:
            InputError: if there is none.
        """
        if not self._kept:
            raise InputError("there is nothing to choose from: no settings were tried")
        best = min(self._kept, key=lambda trial: trial.loss)  # of equals the first
        return best.model, {"chosen": dict(best.settings), "tried": self._tried}

    def _standard_error(self, figure: float) -> float:
        """Return that of a share of right answers; for other measures it is a yardstick."""
        texts = len(self.validation)
        share = (figure * texts + 1) / (texts + 2)  # or a perfect figure would have none
        return math.sqrt(share * (1 - share) / texts)


def log_loss(truth: NDArray[Any], probabilities: NDArray[Any], kind: Kind) -> float:
    """Return the mean log loss a text; in multi-label problems, of each class a text.

    Args:
        truth: 0 or 1, [n, C].
        probabilities: [n, C].
        kind: of the problem.
    """
    yes = np.clip(np.asarray(probabilities, np.float64), _SMALLEST, 1 - _SMALLEST)
    held = np.asarray(truth) > 0
    if kind == "multi":
        return float(-np.log(np.where(held, yes, 1 - yes)).mean())
    return float(-np.log(yes[held]).mean())
