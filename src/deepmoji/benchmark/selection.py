"""Choosing the settings of a system on validation: log loss, for every system alike."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import Kind
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, Problem

Model = TypeVar("Model")

_SMALLEST = 1e-7  # probabilities are cut there: one sure mistake must not outweigh all else


@dataclass(frozen=True, kw_only=True)
class Trial(Generic[Model]):
    """A model that was fitted with some settings, and its answers to the validation texts.

    Attributes:
        settings: plain JSON values.
        model: whatever answers.
        validation: probabilities [n, C].
    """

    settings: Mapping[str, Any]
    model: Model
    validation: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Choice(Generic[Model]):
    """The trial with the least loss.

    Attributes:
        model: of that trial.
        report: its settings, its loss, and the losses of all trials; plain JSON values.
    """

    model: Model
    report: Mapping[str, Any]


def choose(trials: Iterable[Trial[Model]], problem: Problem, validation: Labelled) -> Choice[Model]:
    """Return the trial with the least log loss on validation; of equals, the first.

    One criterion for all systems and measures: with 50 to 100 validation texts, accuracy and F1
    come in steps of several texts and pick settings by luck; log loss uses each probability.

    Args:
        trials: taken one by one; only the best so far is kept.
        problem: kind and classes.
        validation: the texts that the trials have answered.

    Raises:
        InputError: if there is no trial.
    """
    truth = problem.targets(validation, "validation")
    best: Trial[Model] | None = None
    least = math.inf
    losses: list[dict[str, Any]] = []
    for trial in trials:
        loss = log_loss(truth, trial.validation, problem.kind)
        losses.append({**trial.settings, "log_loss": round(loss, 5)})
        if best is None or loss < least:
            best, least = trial, loss
    if best is None:
        raise InputError("there is nothing to choose from: no settings were tried")
    report = {"chosen": dict(best.settings), "validation_log_loss": least, "tried": losses}
    return Choice(model=best.model, report=report)


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
