"""Averages over tasks, counted as those who published averages count."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepmoji.benchmark.published import GROUPS, Published
from deepmoji.benchmark.standing import DIGITS, spread
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
        which tasks count, the ``floor``, and by system the mean of the tasks' measures with its
        deviation over the seeds that every task has. Empty if a task has no report.
    """
    needed = [name for name in names if name not in _LEFT_OUT]
    return _joined(reports, needed) if needed and set(needed) <= set(reports) else {}


def group_reports(
    reports: Mapping[str, Report], published: Mapping[str, Sequence[Published]]
) -> dict[str, Any]:
    """Return reports of the groups of tasks that are published as one: TweetEval's stance.

    Args:
        reports: of tasks, by name; a group that lacks one is left out.
        published: by group, what is published for it.
    """
    groups: dict[str, list[str]] = {}
    for task, group in GROUPS.items():
        groups.setdefault(group, []).append(task)
    return {
        group: {
            "measure": reports[tasks[0]]["measure"],
            **_joined(reports, tasks),
            "published": [each.to_dict() for each in published.get(group, ())],
        }
        for group, tasks in groups.items()
        if set(tasks) <= set(reports)
    }


def mean_over_tasks(figures: Mapping[str, float]) -> float:
    """Average figures of tasks, those of a group counting as one."""
    groups: dict[str, list[float]] = {}
    for task, figure in figures.items():
        groups.setdefault(GROUPS.get(task, task), []).append(figure)
    return math.fsum(math.fsum(each) / len(each) for each in groups.values()) / len(groups)


def _joined(reports: Mapping[str, Report], tasks: Sequence[str]) -> dict[str, Any]:
    answered = [set(reports[task]["systems"]) for task in tasks]
    return {
        "tasks": list(tasks),
        "floor": round(mean_over_tasks({task: reports[task]["floor"] for task in tasks}), DIGITS),
        "systems": {
            system: _average(reports, tasks, system)
            for system in in_order(set.intersection(*answered))
        },
    }


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
    return {
        "seeds": sorted(common),
        "mean": spread([mean_over_tasks(means)])["mean"],
        "deviation": deviation,
    }
