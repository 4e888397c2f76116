"""Averages over a suite, counted as those who published averages count."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepmoji.benchmark.published import GROUPS
from deepmoji.benchmark.standing import spread
from deepmoji.benchmark.systems import in_order

# The paper has no figures of it, so that an average with it would stand beside nothing.
_LEFT_OUT = frozenset({"kaggle-insults"})

Report = Mapping[str, Any]


def averages(reports: Mapping[str, Report], names: Sequence[str]) -> dict[str, Any]:
    """Return each system's mean over a suite, of those that answered every task of it.

    TweetEval's stance counts once, as the mean over its five targets; kaggle-insults, which the
    paper has no figures of, does not count.

    Args:
        reports: of tasks, by name.
        names: of all tasks that an average needs.

    Returns:
        by system, and for the ``floor``, the mean of the tasks' measures; its deviation over the
        seeds that every task has; and which tasks count. Empty if a task has no report.
    """
    needed = [name for name in names if name not in _LEFT_OUT]
    if not needed or any(name not in reports for name in needed):
        return {}
    found = {task: reports[task]["systems"] for task in needed}
    systems = in_order(set.intersection(*(set(each) for each in found.values())))
    return {
        "tasks": needed,
        "systems": {
            "floor": spread([mean_over_tasks({task: reports[task]["floor"] for task in needed})])
        }
        | {system: _average(reports, needed, system) for system in systems},
    }


def mean_over_tasks(figures: Mapping[str, float]) -> float:
    """Average figures of tasks, those of a group counting as one."""
    groups: dict[str, list[float]] = {}
    for task, figure in figures.items():
        groups.setdefault(GROUPS.get(task, task), []).append(figure)
    return math.fsum(math.fsum(each) / len(each) for each in groups.values()) / len(groups)


def _average(reports: Mapping[str, Report], tasks: Sequence[str], system: str) -> dict[str, Any]:
    entries = {task: reports[task]["systems"][system] for task in tasks}
    means = {
        task: entry["measures"][reports[task]["measure"]]["mean"] for task, entry in entries.items()
    }
    common = set.intersection(*(set(entry["seeds"]) for entry in entries.values()))
    by_seed = [
        mean_over_tasks(
            {task: entry["by_seed"][entry["seeds"].index(seed)] for task, entry in entries.items()}
        )
        for seed in sorted(common)
    ]
    deviation = spread(by_seed)["deviation"] if by_seed else None
    return spread([mean_over_tasks(means)]) | {"deviation": deviation, "seeds": sorted(common)}
