"""The report of a benchmark: all figures, computed anew from the answers that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deepmoji.benchmark.averages import averages, group_reports
from deepmoji.benchmark.cells import Cell, Size, read_cells
from deepmoji.benchmark.curve import subset
from deepmoji.benchmark.earlier import (
    Report,
    still_tested,
    still_valid,
    taken_over,
    with_earlier,
)
from deepmoji.benchmark.published import (
    GROUPS,
    LEAK_FREE,
    NOT_PUBLIC,
    published,
    published_averages,
)
from deepmoji.benchmark.standing import (
    DIGITS,
    Marked,
    check_models,
    check_settings,
    compared,
    floor,
    leak_free_rows,
    over_seeds,
)
from deepmoji.benchmark.system import SELECTION
from deepmoji.benchmark.systems import in_order
from deepmoji.benchmark.tasks import Task
from deepmoji.benchmark.terminal import tables
from deepmoji.errors import InputError

__all__ = ["CURVE", "Report", "curve_report", "suite_report", "tables"]

CURVE = "curve"


def suite_report(tasks: Sequence[Task], out: Path, before: Report | None = None) -> Report:
    """Mark everything that is kept of a suite.

    Args:
        tasks: of one suite; those without a single answer are left out.
        out: the folder of the benchmark.
        before: an earlier report: figures of systems and seeds whose answers are no longer there
            are taken over from it, where they are of the same data, of the settings that the system
            has now and, if it starts from one, of the same pretrained model. Answers are large, and
            are not always kept.

    Returns:
        plain JSON values: for each task its measure, sizes, floor, published figures, each
        system's mean and deviation over seeds in every measure, and the test of chain-thaw against
        the others; then averages over the suite.

    Raises:
        InputError: if nothing is kept, or what is kept answers other data.
    """
    suite = tasks[0].suite
    cells = _kept(tasks, out, suite, f"deepmoji benchmark run --suite {suite}")
    origin = _origin(cells)
    about = {task.name: _about(task) for task in tasks}
    earlier = still_valid(before or {}, suite, origin["base"], about)
    reports = {
        task.name: about[task.name] | _task_report(task, cells[task.name], earlier.get(task.name))
        for task in tasks
        if cells[task.name] or task.name in earlier
    }
    old = {name: taken_over(cells[name], report["systems"]) for name, report in reports.items()}
    if before and any(old.values()):
        origin = with_earlier(origin, before)
    return {
        "suite": suite,
        "command": f"deepmoji benchmark report --suite {suite}",
        **origin,
        "taken_over": {name: sorted(systems) for name, systems in old.items() if systems},
        "tasks": reports,
        "groups": group_reports(
            reports, {name: published(suite, name) for name in GROUPS.values()}
        ),
        "averages": averages(reports, [task.name for task in tasks]),
        "published_averages": published_averages(suite),
        "not_public": {
            name: [each.to_dict() for each in published(suite, name)] for name in NOT_PUBLIC[suite]
        },
    }


def curve_report(tasks: Sequence[Task], out: Path) -> Report:
    """Mark everything that is kept of learning curves.

    Args:
        tasks: with all their training texts; those without a single answer are left out.
        out: the folder of the benchmark.

    Returns:
        plain JSON values: for each task and system a list of points, each with the number of
        training texts and the figures over seeds.

    Raises:
        InputError: if nothing is kept, or what is kept answers other data.
    """
    cells = _kept(tasks, out, CURVE, "deepmoji benchmark curve")
    for task in tasks:  # the points of all texts are those of the suite
        drawn = {cell.key.system for cell in cells[task.name]}
        whole = read_cells(out, task.suite, task.name) if drawn else ()
        cells[task.name] += [cell for cell in whole if cell.key.system in drawn]
    check_models([cell for kept in cells.values() for cell in kept])
    return {
        "suite": CURVE,
        "command": "deepmoji benchmark curve",
        "of": tasks[0].suite,
        **_origin(cells),
        "tasks": {task.name: _curve(task, cells[task.name]) for task in tasks if cells[task.name]},
    }


def _kept(tasks: Sequence[Task], out: Path, place: str, command: str) -> dict[str, list[Cell]]:
    cells = {task.name: list(read_cells(out, place, task.name)) for task in tasks}
    if not any(cells.values()):
        raise InputError(f"{out} holds no answers to mark; run: {command}")
    check_models([cell for kept in cells.values() for cell in kept])
    return cells


def _origin(cells: Mapping[str, Sequence[Cell]]) -> Report:
    """Return what all cells have in common: how settings were chosen, and where they were made."""
    every = [cell for kept in cells.values() for cell in kept]
    versions: dict[str, set[str]] = {}
    for cell in every:
        for library, version in cell.versions.items():
            versions.setdefault(library, set()).add(version)
    return {
        "selection": SELECTION,
        "base": next((cell.key.model for cell in every if cell.key.model), None),
        "machines": sorted({cell.machine for cell in every}),
        "versions": {library: ", ".join(sorted(each)) for library, each in versions.items()},
    }


def _by_system(task: Task, cells: Iterable[Cell]) -> dict[str, list[Marked]]:
    marked: dict[str, list[Marked]] = {}
    for cell in cells:
        marked.setdefault(cell.key.system, []).append(Marked.of(task, cell))
    return {name: marked[name] for name in in_order(marked)}


def _task_report(task: Task, cells: Sequence[Cell], earlier: Report | None) -> Report:
    by_system = _by_system(task, cells)
    systems: Report = dict(earlier["systems"]) if earlier else {}
    systems |= {
        name: over_seeds(task, marked, systems.get(name)) for name, marked in by_system.items()
    }
    tests = compared(task, by_system)
    if tests is None and earlier and earlier["compared"] is not None:
        tests = still_tested(earlier["compared"], systems, cells)
    return {
        "systems": {name: systems[name] for name in in_order(systems)},
        "compared": tests,
        "published": [each.to_dict() for each in published(task.suite, task.name)],
    }


def _about(task: Task) -> Report:
    """Return what holds for a task whoever answers it."""
    lowest = floor(task)
    seen = {text.strip() for split in (task.train, task.validation) for text in split.texts}
    kept = leak_free_rows(task)
    leak_free = {
        "rows": None if kept is None else int(kept.sum()),
        "floor": None if lowest.leak_free is None else round(lowest.leak_free, DIGITS),
    }
    return {
        "data": task.digest,
        "measure": task.measure,
        "kind": task.problem.kind,
        "classes": list(task.problem.classes),
        "texts": {
            "train": len(task.train),
            "validation": len(task.validation),
            "test": len(task.test),
            "test_also_in_train_or_validation": sum(
                text.strip() in seen for text in task.test.texts
            ),
        },
        "note": task.note,
        "floor": round(lowest.figures[task.measure], DIGITS),
        "floors": {name: round(floor(task, name).figures[name], DIGITS) for name in lowest.figures},
        "floor_answer": lowest.cell.report["answer"],
        **({LEAK_FREE: leak_free} if kept is not None else {}),
    }


def _curve(task: Task, cells: Sequence[Cell]) -> Report:
    made: dict[str, list[Cell]] = {}
    for cell in cells:
        made.setdefault(cell.key.system, []).append(cell)
    for each in made.values():  # a curve is of one making from its first point to its last
        check_settings(each)
    points: dict[tuple[str, Size], list[Marked]] = {}
    for cell in cells:
        size = "all" if cell.key.size is None else cell.key.size
        part = subset(task, size, cell.key.seed)
        points.setdefault((cell.key.system, size), []).append(Marked.of(part, cell))
    systems: dict[str, list[Report]] = {}
    for (system, size), marked in points.items():
        texts = len(task.train) if size == "all" else size
        point = {"size": size, "texts": texts} | over_seeds(task, marked)
        systems.setdefault(system, []).append(point)
    return _about(task) | {
        "systems": {
            name: sorted(systems[name], key=lambda point: point["texts"])
            for name in in_order(systems)
        }
    }
