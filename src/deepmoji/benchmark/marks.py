"""Marking: the only place where answers that are finished meet the truth of a test split."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.cells import Cell
from deepmoji.benchmark.layout import SetFile
from deepmoji.benchmark.suites import Suite
from deepmoji.benchmark.tasks import Task, published_sets
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled


def truth_of_test(task: Task, cell: Cell) -> NDArray[np.float32]:
    """Return the truth of a task's test split to whoever brings finished answers to it.

    Args:
        task: the task.
        cell: answers to it.

    Returns:
        multi-hot [n, C], rows and classes in the order of the answers.

    Raises:
        InputError: if the answers are to another task or to other data than the file holds now.
    """
    check_belongs(task, cell)
    stored = _test_split(task.suite, task.name, task.test.data, task.test.digest)
    return task.problem.targets(stored, f"the test split of {task.name}")


def check_belongs(task: Task, cell: Cell) -> None:
    """Make sure that a cell answers this task as it is now.

    Raises:
        InputError: if it does not.
    """
    key = cell.key
    where = f"{key.system} on {key.task}, seed {key.seed}"
    if (key.suite, key.task) != (task.suite, task.name) or key.data != task.digest:
        raise InputError(
            f"the stored answers of {where} are to other data than the task {task.name} of "
            f"{task.suite} holds now; run the benchmark again"
        )
    classes = len(task.problem.classes)
    for name, answers, count in (
        ("validation", cell.validation, len(task.validation)),
        ("test", cell.test, len(task.test)),
    ):
        if answers.shape != (count, classes):
            raise InputError(
                f"the stored {name} answers of {where} have the shape {answers.shape}, expected "
                f"{(count, classes)}; delete them and run the benchmark again"
            )


@lru_cache(maxsize=4)
def _test_split(suite: Suite, name: str, data: Path, digest: str) -> Labelled:
    (published,) = published_sets(suite, [name])
    content = SetFile.read(data, suite, published)
    if content.digest != digest:
        raise InputError(f"the file of {name} in {data / suite} has changed; run this again")
    return content.splits["test"]
