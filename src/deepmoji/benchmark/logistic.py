"""Logistic regression on features, its strength chosen on validation."""

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from deepmoji.benchmark.heads import Array, Features, Head
from deepmoji.benchmark.selection import Progress, Selection
from deepmoji.evaluation.datasets import Labelled, Problem

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)  # C: the larger, the less is regularised
ITERATIONS = 1000  # far more than any public set needs


def fit_logistic(
    selection: Selection[Head],
    train: Labelled,
    train_features: Features,
    validation_features: Features,
) -> tuple[Head, dict[str, Any]]:
    """Fit logistic regression with rising C until validation gets better in no respect.

    Larger ones are not tried then: on large sets they are the slowest.

    Args:
        selection: chooses C; several classes that may hold together get a regression each.
        train: to learn from.
        train_features: a row for each training text.
        validation_features: a row for each validation text.

    Returns:
        the chosen one, and a report.
    """
    problem = selection.problem
    targets = problem.targets(train, "training")
    progress = Progress(patience=1)
    for strength in STRENGTHS:
        head = _fit(problem, train_features, targets, strength)
        trial = selection.add({"C": strength}, head, head.scores(validation_features))
        if progress.is_over(trial):
            break
    return selection.chosen()


def _fit(problem: Problem, features: Features, targets: Array, strength: float) -> Head:
    def make() -> Any:
        return LogisticRegression(C=strength, max_iter=ITERATIONS)

    with warnings.catch_warnings():
        # Weak regularisation of few texts has its optimum far out; stopping short of it is fine.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Head(problem, make).fit(features, targets)
