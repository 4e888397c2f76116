"""How good are answers to a classification: accuracy, F1, recall, thresholds."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import Kind
from deepmoji.errors import InputError, require

GRID = np.arange(1, 50) / 100  # thresholds tried, the paper's
_DEFAULT_THRESHOLD = 0.5
_ROUNDING = 1e-3  # fastText's probabilities reach 1.00002
_KINDS: tuple[Kind, ...] = ("binary", "single", "multi")

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure for a set of answers, from 0 to 1, more is better.

    Attributes:
        statistic: ``"accuracy"``, the share of texts whose labels are all right; ``"f1"`` or
            ``"recall"``, of each class, averaged. Where nothing is asked and nothing answered, both
            are 0.
        kinds: the problems that it is for.
        classes: the places of the classes that are averaged; None for all.
        of_two: the same for binary problems.
        by_threshold: whether a class is answered where its own probability reaches its threshold,
            also if classes exclude each other.
        any_classes: whether it makes sense whatever the classes mean.
    """

    statistic: Literal["accuracy", "f1", "recall"]
    kinds: tuple[Kind, ...] = _KINDS
    classes: tuple[int, ...] | None = None
    of_two: tuple[int, ...] | None = None
    by_threshold: bool = False
    any_classes: bool = True

    def averaged(self, kind: Kind, classes: int) -> list[int]:
        """Return the places of the classes that are averaged."""
        chosen = self.of_two if kind == "binary" and self.of_two is not None else self.classes
        return list(range(classes) if chosen is None else chosen)


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "accuracy": Measure(statistic="accuracy"),
        "macro_f1": Measure(statistic="f1"),
        "positive_f1": Measure(statistic="f1", kinds=("binary",), classes=(1,)),
        # The paper's: a threshold for each class, chosen on validation; of two classes, the second.
        "class_average_f1": Measure(statistic="f1", of_two=(1,), by_threshold=True),
        "macro_recall": Measure(statistic="recall"),
        # TweetEval's, for the classes none, against, favor.
        "stance_f1": Measure(statistic="f1", kinds=("single",), classes=(1, 2), any_classes=False),
    }
)


def decisions(
    probabilities: Floats, kind: Kind, thresholds: Sequence[float] | Floats | None = None
) -> Bools:
    """Return which classes are answered.

    Args:
        probabilities: [n, C].
        kind: of exclusive classes the most probable is answered, the first of equal ones; of others
            each that reaches its threshold.
        thresholds: [C]; 0.5 each by default. Exclusive classes need none.

    Returns:
        bool [n, C].

    Raises:
        InputError: if probabilities or thresholds are no such numbers.
    """
    _check_probabilities(probabilities)
    if kind == "multi":
        return _reached(probabilities, thresholds)
    answered = np.zeros(probabilities.shape, dtype=np.bool_)
    answered[np.arange(len(answered)), probabilities.argmax(axis=1)] = True
    return answered


def best_thresholds(truth: NDArray[Any], probabilities: Floats) -> NDArray[np.float64]:
    """Choose for each class the threshold with the best F1, from 0.01 to 0.49 in steps of 0.01.

    To be called with validation texts, never with those that a figure is reported for.

    Args:
        truth: 1 where a class holds, else 0, [n, C].
        probabilities: [n, C].

    Returns:
        float64 [C]. Of several that are best, the one in their middle: it is as far as can be from
        the texts that would change the figure. Where none finds a text (a class that validation
        lacks), 0.49, the one nearest to undecided.

    Raises:
        InputError: if truth and probabilities do not fit each other.
    """
    holds = _checked(truth, probabilities)
    f1 = np.zeros((len(GRID), holds.shape[1]))
    for place, threshold in enumerate(GRID):
        reached = _reached(probabilities, np.full(holds.shape[1], threshold))
        hits = (holds & reached).sum(axis=0)
        f1[place] = 2 * hits / np.maximum(holds.sum(axis=0) + reached.sum(axis=0), 1)
    best = np.full(holds.shape[1], GRID[-1])
    for place in np.flatnonzero(f1.max(axis=0) > 0):
        equal = np.flatnonzero(np.isclose(f1[:, place], f1[:, place].max()))
        best[place] = GRID[equal[len(equal) // 2]]
    return best


def answers(
    name: str,
    probabilities: Floats,
    kind: Kind,
    thresholds: Sequence[float] | Floats | None = None,
) -> Bools:
    """Return the answers that a measure marks: :func:`decisions`, or by thresholds throughout.

    Raises:
        InputError: if there is no such measure, it does not fit the kind, or it needs thresholds
            and none are given.
    """
    if not _known(name, kind).by_threshold:
        return decisions(probabilities, kind, thresholds)
    if thresholds is None:
        raise InputError(f"{name} needs thresholds, chosen on validation texts: best_thresholds")
    _check_probabilities(probabilities)
    return _reached(probabilities, thresholds)


def mark(name: str, truth: NDArray[Any], answered: Bools, kind: Kind) -> float:
    """Return a measure of answers.

    Args:
        name: one of ``MEASURES``.
        truth: 1 where a class holds, else 0, [n, C].
        answered: what :func:`answers` returns for the same measure, [n, C].
        kind: of the problem.

    Raises:
        InputError: if there is no such measure, it does not fit the kind, there are no texts, or
            truth and answers do not fit each other.
        MissingDependency: without scikit-learn.
    """
    measure = _known(name, kind)
    if answered.dtype != np.bool_:
        raise InputError(f"answers have to be bool, not {answered.dtype}: see decisions")
    holds = _checked(truth, answered)
    if kind == "binary" and holds.shape[1] != 2:
        raise InputError(f"a binary problem has 2 columns, not {holds.shape[1]}")
    if kind != "multi" and not (holds.sum(axis=1) == 1).all():
        raise InputError(f"a problem of kind {kind!r} has exactly one class a text")
    averaged = measure.averaged(kind, holds.shape[1])
    if max(averaged) >= holds.shape[1]:
        raise InputError(
            f"{name} is for at least {max(averaged) + 1} classes, got {holds.shape[1]}"
        )
    # sklearn takes a single column for a problem of two classes, but not two columns.
    holds, answered = (np.pad(each, ((0, 0), (0, 1))) for each in (holds, answered))
    metrics: Any = require("sklearn.metrics", "train")  # here: importing it takes a second
    if measure.statistic == "accuracy":
        return float(metrics.accuracy_score(holds, answered))
    by_class = metrics.f1_score if measure.statistic == "f1" else metrics.recall_score
    figures = by_class(holds, answered, average=None, zero_division=0)
    return float(figures[averaged].mean())


def measure(
    name: str,
    truth: NDArray[Any],
    probabilities: Floats,
    kind: Kind,
    thresholds: Sequence[float] | Floats | None = None,
) -> float:
    """Return a measure of a model's probabilities.

    >>> truth = np.array([[1, 0], [0, 1], [0, 1]])
    >>> measure("accuracy", truth, np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), "binary")
    0.6666666666666666

    Args:
        name: one of ``MEASURES``.
        truth: 1 where a class holds, else 0, [n, C].
        probabilities: [n, C], of binary problems too.
        kind: of the problem.
        thresholds: [C], of :func:`best_thresholds` on validation texts.

    Raises:
        InputError: see :func:`answers` and :func:`mark`.
    """
    return mark(name, truth, answers(name, probabilities, kind, thresholds), kind)


def all_measures(
    truth: NDArray[Any],
    probabilities: Floats,
    kind: Kind,
    thresholds: Sequence[float] | Floats | None,
) -> dict[str, float]:
    """Return every measure that makes sense for a problem of this kind, whatever its classes.

    Without thresholds those that need them are left out. See :func:`measure`.
    """
    return {
        name: measure(name, truth, probabilities, kind, thresholds)
        for name, each in MEASURES.items()
        if kind in each.kinds
        and each.any_classes
        and not (each.by_threshold and thresholds is None)
    }


def mean_and_deviation(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean and the sample standard deviation (n - 1) of the figures of several seeds.

    The deviation of a single figure is unknown: NaN, not 0.

    Raises:
        InputError: if there are none.
    """
    figures = [float(value) for value in values]
    if not figures:
        raise InputError("there are no figures to average")
    deviation = statistics.stdev(figures) if len(figures) > 1 else float("nan")
    return statistics.fmean(figures), deviation


def _known(name: str, kind: Kind) -> Measure:
    if name not in MEASURES:
        raise InputError(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
    if kind not in MEASURES[name].kinds:
        wanted = ", ".join(MEASURES[name].kinds)
        raise InputError(f"{name} is for problems of kind {wanted}, not {kind}")
    return MEASURES[name]


def _reached(probabilities: Floats, thresholds: Sequence[float] | Floats | None) -> Bools:
    classes = probabilities.shape[1]
    if thresholds is None:
        thresholds = [_DEFAULT_THRESHOLD] * classes
    limits = np.asarray(thresholds, dtype=np.float64)
    if limits.shape != (classes,) or not np.isfinite(limits).all():
        raise InputError(f"{classes} classes need as many thresholds, got {thresholds}")
    return probabilities >= limits


def _checked(truth: NDArray[Any], answers: NDArray[Any]) -> Bools:
    if truth.ndim != 2 or truth.shape != answers.shape:
        raise InputError(
            f"truth of shape {list(truth.shape)} and answers of shape {list(answers.shape)}; both "
            "have to be [n, C], a column for each class"
        )
    if 0 in truth.shape:
        raise InputError("there are no texts or no classes to measure")
    if not np.isin(truth, (0, 1)).all():
        raise InputError("truth has to be 1 where a class holds and 0 elsewhere")
    if answers.dtype != np.bool_:
        _check_probabilities(answers)
    return truth.astype(np.bool_)


def _check_probabilities(probabilities: Floats) -> None:
    if probabilities.ndim != 2 or 0 in probabilities.shape[1:]:
        raise InputError(
            f"probabilities of shape {list(probabilities.shape)}; they have to be [n, C]"
        )
    # Not a number compares as false and is the greatest for argmax: figures would be nonsense.
    if not ((probabilities >= -_ROUNDING) & (probabilities <= 1 + _ROUNDING)).all():
        raise InputError("probabilities have to be numbers from 0 to 1; some are not")
