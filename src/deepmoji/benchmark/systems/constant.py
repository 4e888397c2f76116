"""The floor: the same answer to every text, whichever suits the measure best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.tasks import Task
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.evaluation.measures import MEASURES
from deepmoji.evaluation.measures import measure as measured

Array = NDArray[np.float32]
_EVERY = "every class"


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Answers with the class shares of train, or what comes nearest that says the best constant.

    Which constant is best for the task's measure is read off train and validation together: for
    accuracy the majority class (of labels that may hold together, the commonest set of them), for
    F1 the positive class. For the class-average F1 of several classes each always holds, whatever
    its threshold will be.
    """

    name: str = "constant"
    deterministic: bool = True
    uses_base: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

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
    ) -> "Same":
        """Find the best constant; see :class:`deepmoji.benchmark.system.System`."""
        truth = problem.targets(train, "training")
        shares = truth.mean(axis=0)
        known = np.concatenate([truth, problem.targets(validation, "validation")])
        if problem.kind == "multi":
            return _of_several(problem, shares, known, measure)
        values = [_value(measure, known, place, problem) for place in range(len(shares))]
        best = int(np.argmax(values))
        row = shares.copy()
        top = int(np.argmax(row))
        row[top], row[best] = row[best], row[top]
        row[best] += 1e-6  # of equal shares, the first would win
        row = (row / row.sum()).astype(np.float32)
        if MEASURES[measure].by_threshold and problem.kind == "single":
            # The share of a class reaches the threshold that will be chosen for it.
            return Same(row, {"answer": _EVERY})
        report = {"answer": problem.classes[best], "on train and validation": values[best]}
        return Same(row, report)


def _of_several(problem: Problem, shares: Array, known: Array, measure: str) -> "Same":
    """Answer with labels that may hold together; thresholds will be 0.01 to 0.49."""
    if MEASURES[measure].statistic != "accuracy":
        return Same(np.maximum(shares, np.float32(0.5)), {"answer": _EVERY})
    sets, counts = np.unique(known, axis=0, return_counts=True)
    commonest = sets[int(np.argmax(counts))].astype(np.float32)
    names = [name for name, holds in zip(problem.classes, commonest, strict=True) if holds]
    report = {
        "answer": " and ".join(names) or "no class",
        "on train and validation": float(counts.max() / counts.sum()),
    }
    return Same(commonest, report)


def _value(name: str, truth: Array, place: int, problem: Problem) -> float:
    """Return what always answering one class is worth."""
    always = np.zeros_like(truth)
    always[:, place] = 1
    return measured(name, truth, always, problem.kind, np.full(truth.shape[1], 0.5))


@dataclass(frozen=True)
class Same:
    """The same probabilities for every text."""

    row: Array
    report: Mapping[str, Any]

    def scores(self, texts: Sequence[str]) -> Array:
        """Return probabilities, float32 [n, C]."""
        return np.tile(self.row, (len(texts), 1))
