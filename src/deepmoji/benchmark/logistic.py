"""Logistic regression on features, its strength chosen on validation."""

import warnings
from collections.abc import Iterator
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from deepmoji.benchmark.heads import Array, Features, Head
from deepmoji.benchmark.selection import Choice, Trial, choose, log_loss
from deepmoji.evaluation.datasets import Labelled, Problem

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)  # C: the larger, the less is regularised
ITERATIONS = 1000  # far more than any public set needs


def fit_logistic(
    problem: Problem,
    train: Labelled,
    validation: Labelled,
    train_features: Features,
    validation_features: Features,
) -> Choice[Head]:
    """Fit logistic regression with rising C until validation gets worse.

    The loss falls and then rises with C; where it has risen, larger ones are not tried: on large
    sets they are the slowest.

    Args:
        problem: kind and classes; several classes that may hold together get a regression each.
        train: to learn from.
        validation: to choose C on.
        train_features: a row for each training text.
        validation_features: a row for each validation text.
    """
    targets = problem.targets(train, "training")
    truth = problem.targets(validation, "validation")

    def trials() -> Iterator[Trial[Head]]:
        last = float("inf")
        for strength in STRENGTHS:
            head = _fit(problem, train_features, targets, strength)
            answers = head.scores(validation_features)
            yield Trial(settings={"C": strength}, model=head, validation=answers)
            loss = log_loss(truth, answers, problem.kind)
            if loss > last:
                return
            last = loss

    return choose(trials(), problem, validation)


def _fit(problem: Problem, features: Features, targets: Array, strength: float) -> Head:
    def make() -> Any:
        return LogisticRegression(C=strength, max_iter=ITERATIONS)

    with warnings.catch_warnings():
        # Weak regularisation of few texts has its optimum far out; stopping short of it is fine.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Head(problem, make).fit(features, targets)
