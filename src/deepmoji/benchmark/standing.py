"""How systems stand on one task: every measure of every cell, over seeds and beside each other."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.cells import Cell, CellKey
from deepmoji.benchmark.marks import truth_of_test
from deepmoji.benchmark.published import LEAK_FREE
from deepmoji.benchmark.systems.constant import Constant
from deepmoji.benchmark.tasks import Task
from deepmoji.errors import InputError
from deepmoji.evaluation.measures import (
    Bools,
    all_measures,
    answers,
    best_thresholds,
    mark,
    mean_and_deviation,
)
from deepmoji.evaluation.significance import approximate_randomisation

COMPARED = "chain-thaw"  # the system that the others are tested against
DIGITS = 5  # of figures in reports
_SEED = 0

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A cell and its figures.

    Attributes:
        cell: the stored answers.
        truth: of the test texts, [n, C].
        answered: what the task's measure marks, bool [n, C].
        figures: every measure that suits the problem, and the task's own.
        leak_free: the task's measure on the rows that hold no leak; None where there is none.
    """

    cell: Cell
    truth: NDArray[np.float32]
    answered: Bools
    figures: Figures
    leak_free: float | None

    @classmethod
    def of(cls, task: Task, cell: Cell) -> "Marked":
        """Mark stored answers; thresholds are chosen on the same system's validation answers.

        Raises:
            InputError: if the cell answers other data.
        """
        kind, name = task.problem.kind, task.measure
        truth = truth_of_test(task, cell)
        thresholds = best_thresholds(
            task.problem.targets(task.validation, "validation"), cell.validation
        )
        answered = answers(name, cell.test, kind, thresholds)
        figures = all_measures(truth, cell.test, kind, thresholds)
        if name not in figures:  # those that make sense for some classes alone
            figures[name] = mark(name, truth, answered, kind)
        kept = leak_free_rows(task)
        return cls(
            cell=cell,
            truth=truth,
            answered=answered,
            figures=figures,
            leak_free=None if kept is None else mark(name, truth[kept], answered[kept], kind),
        )


def leak_free_rows(task: Task) -> NDArray[np.bool_] | None:
    """Return which test texts never gave their answer away; None if none did, or all."""
    kept = np.array([place not in task.test.leaky for place in range(len(task.test))])
    return None if kept.all() or not kept.any() else kept


def floor(task: Task, name: str | None = None) -> Marked:
    """Return what the best constant answer gets; it is found on train and validation.

    Args:
        task: the task.
        name: of the measure; the task's own by default.
    """
    fitted = Constant().fit(
        task.problem,
        task.train,
        task.validation,
        base=None,
        seed=_SEED,
        measure=name or task.measure,
    )
    key = CellKey(
        suite=task.suite,
        task=task.name,
        system="constant",
        seed=_SEED,
        data=task.digest,
        model=None,
        settings={},
    )
    cell = Cell(
        key=key,
        validation=fitted.scores(task.validation.texts),
        test=fitted.scores(task.test.texts),
        seconds=0.0,
        machine="",
        versions={},
        report=fitted.report,
    )
    return Marked.of(task, cell)


def over_seeds(
    task: Task, marked: Sequence[Marked], earlier: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the figures of one system over its seeds, as plain values.

    Args:
        task: what it answered.
        marked: its cells.
        earlier: what an earlier report has of it, with the same settings; its other seeds count,
            if they have the same measures.

    Raises:
        InputError: if its cells were made with different settings.
    """
    check_settings([each.cell for each in marked])
    settings = settings_digest(marked[0].cell.key.settings)
    seeds = {each.cell.key.seed: _one_seed(each) for each in marked}
    names = marked[0].figures.keys()
    if earlier and earlier["settings"] == settings and earlier["measures"].keys() == names:
        seeds = _seeds_of(earlier) | seeds
    ordered = [seeds[seed] for seed in sorted(seeds)]
    leak_free = [each[LEAK_FREE] for each in ordered if each[LEAK_FREE] is not None]
    return {
        "settings": settings,
        "seeds": sorted(seeds),
        "by_seed": [round(each["figures"][task.measure], DIGITS) for each in ordered],
        "seconds": round(float(np.mean([each["seconds"] for each in ordered])), 1),
        "seconds_by_seed": [round(each["seconds"], 1) for each in ordered],
        "measures": {
            name: _spread_by_seed([each["figures"][name] for each in ordered]) for name in names
        },
        **({LEAK_FREE: _spread_by_seed(leak_free)} if leak_free else {}),
        "chosen": [each["chosen"] for each in ordered],
    }


def _one_seed(marked: Marked) -> dict[str, Any]:
    return {
        "figures": marked.figures,
        LEAK_FREE: marked.leak_free,
        "seconds": marked.cell.seconds,
        "chosen": marked.cell.report.get("chosen"),
    }


def _seeds_of(entry: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
    """Return what :func:`over_seeds` had put together, seed by seed."""
    measures, leak_free = entry["measures"], entry.get(LEAK_FREE)
    return {
        seed: {
            "figures": {name: each["by_seed"][place] for name, each in measures.items()},
            LEAK_FREE: None if leak_free is None else leak_free["by_seed"][place],
            "seconds": entry["seconds_by_seed"][place],
            "chosen": entry["chosen"][place],
        }
        for place, seed in enumerate(entry["seeds"])
    }


def settings_digest(settings: Mapping[str, Any]) -> str:
    """Return what tells settings of one system apart."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _spread_by_seed(values: Sequence[float]) -> dict[str, Any]:
    return spread(values) | {"by_seed": [round(value, DIGITS) for value in values]}


def spread(values: Iterable[float]) -> dict[str, Any]:
    """Return mean and sample standard deviation (None of a single value) as plain values."""
    mean, deviation = mean_and_deviation(values)
    return {
        "mean": round(mean, DIGITS),
        "deviation": None if math.isnan(deviation) else round(deviation, DIGITS),
    }


def compared(task: Task, by_system: Mapping[str, Sequence[Marked]]) -> dict[str, Any] | None:
    """Test chain-thaw against every other system on the same test texts, each with its first seed.

    Returns:
        by system, by how much chain-thaw is better and p (``evaluation.significance``); None
        without its answers.
    """
    first = _with_seed(by_system.get(COMPARED, ()), _SEED)
    if first is None:
        return None
    against: dict[str, Any] = {}
    for name, marked in by_system.items():
        other = _with_seed(marked, _SEED)
        if name == COMPARED or other is None:
            continue
        tested = approximate_randomisation(
            task.measure, task.problem.kind, first.truth, first.answered, other.answered
        )
        against[name] = {
            "difference": round(tested.difference, DIGITS),
            "p": round(tested.p, DIGITS),
        }
    return {
        "system": COMPARED,
        "test": "approximate randomisation, two-sided",
        "seed": _SEED,
        "against": against,
    }


def check_settings(cells: Sequence[Cell]) -> None:
    """Make sure that cells that are averaged, those of one system, are of one making.

    Raises:
        InputError: if their settings differ.
    """
    first = cells[0].key
    if any(cell.key.settings != first.settings for cell in cells):
        raise InputError(
            f"the answers of {first.system} to {first.task} were made with other settings for "
            "some seeds than for others; run the benchmark again"
        )


def check_models(cells: Sequence[Cell]) -> None:
    """Make sure that cells that stand in one report start from one pretrained model.

    Raises:
        InputError: if they start from several.
    """
    models = {cell.key.model for cell in cells if cell.key.model is not None}
    if len(models) > 1:
        raise InputError(
            f"the answers come from {len(models)} different base models; run the benchmark again "
            "with one of them, or each into a folder of its own"
        )


def _with_seed(marked: Iterable[Marked], seed: int) -> Marked | None:
    return next((each for each in marked if each.cell.key.seed == seed), None)
