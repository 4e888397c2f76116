"""Learning curves: the same tasks with fewer training texts, each subset inside the larger ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepmoji.benchmark.cells import Size
from deepmoji.benchmark.job import Base, Job
from deepmoji.benchmark.system import System
from deepmoji.benchmark.tasks import Task
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled

SIZES: tuple[Size, ...] = (10, 30, 100, 300, "all")


def size_named(text: str) -> Size:
    """Return the size that a person writes.

    >>> size_named("30"), size_named("all")
    (30, 'all')

    Raises:
        InputError: if it is none.
    """
    if text == "all":
        return "all"
    if not text.isdecimal() or not int(text):
        raise InputError(f"a size has to be a positive whole number or all, not {text!r}")
    return int(text)


def nested_order(train: Labelled, seed: int) -> list[int]:
    """Return the rows in an order of which every beginning is a stratified subset.

    The texts of each set of labels are shuffled and spread evenly over the order. Their first ones
    come before everything else: no class lacks in a subset that has room for all. So of the first n
    rows each set of labels has its share, to within one text and its share of those first ones that
    rare sets have before their turn.

    Args:
        train: texts and labels.
        seed: decides which texts come first.

    Returns:
        a permutation of the rows. Those of subsets of 10 begin those of subsets of 30.
    """
    draw = np.random.default_rng(seed)
    strata: dict[tuple[str, ...], list[int]] = {}
    for row, names in enumerate(train.labels):
        strata.setdefault(tuple(sorted(names)), []).append(row)
    keys: list[tuple[float, float, int]] = []
    for names in sorted(strata):
        rows = draw.permutation(strata[names])
        for place, row in enumerate(rows.tolist()):
            position = (place + 0.5) / len(rows) if place else 0.0
            keys.append((position, float(draw.random()), row))
    return [row for _, _, row in sorted(keys)]


def subset(task: Task, size: Size, seed: int) -> Task:
    """Return the task with so many training texts; validation and test stay as they are.

    Raises:
        InputError: if it has not so many.
    """
    if size == "all":
        return task
    if not 1 <= size <= len(task.train):
        raise InputError(
            f"{task.name} has {len(task.train)} training texts; a subset of {size} is impossible"
        )
    return task.with_train(nested_order(task.train, seed)[:size])


@dataclass(frozen=True, kw_only=True)
class CurvePlan:
    """Which learning curves to draw.

    Attributes:
        tasks: the tasks.
        systems: cheapest first.
        sizes: numbers of training texts, and ``all``.
        seeds: how many; each draws its own subsets.

    Raises:
        InputError: if there is no size, one is not positive, or one stands twice.
    """

    tasks: Sequence[Task]
    systems: Sequence[System]
    sizes: Sequence[Size] = SIZES
    seeds: int = 5

    def __post_init__(self) -> None:
        if not self.sizes or any(size != "all" and size < 1 for size in self.sizes):
            raise InputError(
                f"sizes have to be positive whole numbers or 'all', not {list(self.sizes)}"
            )
        if len(set(self.sizes)) < len(self.sizes):
            raise InputError(f"a size stands twice in {list(self.sizes)}; name each once")

    def too_large(self) -> dict[str, list[Size]]:
        """Return by task the sizes that it has not so many texts for; they are left out."""
        found: dict[str, list[Size]] = {}
        for task in self.tasks:
            large = [size for size in self.sizes if size != "all" and size > len(task.train)]
            if large:
                found[task.name] = [*large]
        return found

    def jobs(self, base: Base) -> list[Job]:
        """Return the jobs in the order in which they are best done: see ``job.plan``.

        A size that a task has not is left out: it is the same as all. A system that knows no
        chance answers all texts with the first seed alone; on subsets, the seeds draw the texts.
        """
        return [
            # All of them is what the suite has: its cells are taken, and made.
            Job.of(part, system, seed=seed, base=base, size=None if size == "all" else size)
            for seed in range(self.seeds)
            for system in self.systems
            for task in self.tasks
            if system.fits(task)
            for size, part in self._parts(task, seed)
            if seed == 0 or size != "all" or not system.deterministic
        ]

    def _parts(self, task: Task, seed: int) -> Iterable[tuple[Size, Task]]:
        for size in self.sizes:
            if size == "all" or size < len(task.train):
                yield size, subset(task, size, seed)
