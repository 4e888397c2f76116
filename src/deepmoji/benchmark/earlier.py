"""What an earlier report still says: figures whose answers are no longer there."""

from collections.abc import Iterable, Mapping
from typing import Any

from deepmoji.benchmark.cells import Cell
from deepmoji.benchmark.systems import SYSTEMS

Report = dict[str, Any]


def still_valid(
    before: Report, suite: str, base: str | None, about: Mapping[str, Report]
) -> dict[str, Report]:
    """Return the tasks of an earlier report that are of the same data.

    Args:
        before: the earlier report; {} for none.
        suite: of this one.
        base: the pretrained model of this one; what started from another is left out.
        about: what holds for each task whoever answers it.
    """
    if before.get("suite") != suite:
        return {}
    is_other = len({before.get("base"), base} - {None}) > 1
    found = {
        name: _without_base(report) if is_other else report
        for name, report in before["tasks"].items()
        if name in about
    }
    return {
        name: report
        for name, report in found.items()
        if report["systems"] and all(report.get(key) == value for key, value in about[name].items())
    }


def taken_over(cells: Iterable[Cell], systems: Report) -> set[str]:
    """Return the systems some of whose seeds are not from these cells."""
    own = {(cell.key.system, cell.key.seed) for cell in cells}
    return {
        name
        for name, entry in systems.items()
        if any((name, seed) not in own for seed in entry["seeds"])
    }


def with_earlier(origin: Report, before: Report) -> Report:
    """Return where a report comes from that holds tasks of an earlier one."""
    libraries = sorted(origin["versions"].keys() | before["versions"].keys())
    versions = {
        library: sorted(
            {
                version
                for each in (origin, before)
                if library in each["versions"]
                for version in each["versions"][library].split(", ")
            }
        )
        for library in libraries
    }
    return origin | {
        "base": origin["base"] or before["base"],
        "machines": sorted({*origin["machines"], *before["machines"]}),
        "versions": {library: ", ".join(each) for library, each in versions.items()},
    }


def still_tested(told: Report, systems: Report, cells: Iterable[Cell]) -> Report | None:
    """Return of an earlier report's tests those between answers that are both gone.

    Args:
        told: the tests of the earlier report.
        systems: those of this report.
        cells: whose answers are there; what is gone cannot be tested against them.
    """
    seed = told["seed"]
    own = {cell.key.system for cell in cells if cell.key.seed == seed}
    gone = {name for name, entry in systems.items() if seed in entry["seeds"] and name not in own}
    if told["system"] not in gone:
        return None
    against = {name: test for name, test in told["against"].items() if name in gone}
    return told | {"against": against}


def left_out(before: Report, report: Report) -> dict[str, dict[str, list[int]]]:
    """Return by task and system the seeds of an earlier report whose figures this one lacks."""
    found: dict[str, dict[str, list[int]]] = {}
    for task, told in before.get("tasks", {}).items():
        systems = report["tasks"].get(task, {"systems": {}})["systems"]
        for name, entry in told["systems"].items():
            kept = systems[name]["seeds"] if name in systems else ()
            if seeds := [seed for seed in entry["seeds"] if seed not in kept]:
                found.setdefault(task, {})[name] = seeds
    return found


def _without_base(report: Report) -> Report:
    """Return what stands in a task's report whatever the pretrained model is."""
    systems = {
        name: entry
        for name, entry in report["systems"].items()
        if name in SYSTEMS and not SYSTEMS[name].uses_base
    }
    return report | {"systems": systems, "compared": None}
