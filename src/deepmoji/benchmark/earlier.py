"""What an earlier report still says: figures whose answers are no longer there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from deepmoji.benchmark import systems as known
from deepmoji.benchmark.cells import Cell
from deepmoji.benchmark.job import plain
from deepmoji.benchmark.standing import settings_digest
from deepmoji.errors import InputError
from deepmoji.files import read_json

Report = dict[str, Any]


def read_earlier(path: Path | None, suite: str) -> Report:
    """Return the report that a new one will stand in place of; {} for none.

    Args:
        path: of the file; it need not exist.
        suite: paper, tweeteval or curve.

    Raises:
        InputError: if the file holds something else, which would be lost.
    """
    if path is None or not path.exists():
        return {}
    content: object = read_json(path)
    found = cast("Report", content) if isinstance(content, dict) else {}
    tasks = found.get("tasks")
    if not isinstance(tasks, dict) or found.get("suite") != suite:
        raise InputError(
            f"{path} holds something else than a report of {suite}; choose another name"
        )
    reports = cast("Report", tasks).values()
    if not all(isinstance(each, dict) and "systems" in each for each in reports):
        raise InputError(f"{path} is no whole report of {suite}; delete it, or choose another name")
    return found


def still_valid(
    before: Report, suite: str, base: str | None, about: Mapping[str, Report]
) -> dict[str, Report]:
    """Return the tasks of an earlier report that are of the same data, without what is outdated.

    Figures of systems that have other settings by now are left out, and those of none that is
    known: nobody could say what they are figures of.

    Args:
        before: the earlier report; {} for none.
        suite: of this one.
        base: the pretrained model of this one; what started from another is left out.
        about: what holds for each task whoever answers it.
    """
    if before.get("suite") != suite:
        return {}
    is_other = len({before.get("base"), base} - {None}) > 1
    current = {
        name: settings_digest(plain(system.settings))
        for name, system in known.SYSTEMS.items()
        if not (is_other and system.uses_base)
    }
    found = {
        name: _only(current, report)
        for name, report in before["tasks"].items()
        if name in about and all(report.get(key) == value for key, value in about[name].items())
    }
    return {name: report for name, report in found.items() if report["systems"]}


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


def _only(settings: Mapping[str, str], report: Report) -> Report:
    """Return a task's report with the figures that these settings gave."""
    systems = {
        name: entry
        for name, entry in report["systems"].items()
        if name in settings and entry.get("settings") == settings[name]
    }
    tests = report["compared"]
    if tests is not None:
        against = {name: each for name, each in tests["against"].items() if name in systems}
        tests = tests | {"against": against} if tests["system"] in systems else None
    return report | {"systems": systems, "compared": tests}
