"""What a system is to the benchmark: it learns from train and validation, then answers texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.tasks import Task
from deepmoji.evaluation.datasets import Labelled, Problem

# What every system chooses its settings by, if it has any: see ``selection``.
SELECTION = "log loss on validation, among those within a standard error of the best measure there"


class Answers(Protocol):
    """A system that has learnt one task.

    Attributes:
        report: what was chosen, and how; plain JSON values.
    """

    @property
    def report(self) -> Mapping[str, Any]: ...  # noqa: D102 - described above

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities, float32 [n, C], columns in the order of the problem's classes.

        Rows sum to 1 where exactly one class holds; in multi-label problems each stands alone.
        """
        ...


class System(Protocol):
    """A way to answer tasks.

    Attributes:
        name: as on the command line, in paths and in results.
        deterministic: whether all seeds give the same answers, so that one is enough.
        uses_base: whether it starts from the pretrained model that ``fit`` gets as ``base``.
        settings: everything else that its answers depend on; plain JSON values.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above
    @property
    def deterministic(self) -> bool: ...  # noqa: D102
    @property
    def uses_base(self) -> bool: ...  # noqa: D102
    @property
    def settings(self) -> Mapping[str, Any]: ...  # noqa: D102

    def fits(self, task: Task) -> bool:
        """Tell whether the system can answer a task at all."""
        ...

    def fit(
        self,
        problem: Problem,
        train: Labelled,
        validation: Labelled,
        *,
        base: Path | None,
        seed: int,
        measure: str,
    ) -> Answers:
        """Learn a task. No test text can reach this function, let alone an answer.

        Args:
            problem: kind and classes; ``train`` may lack some of the classes.
            train: texts to learn from.
            validation: texts to choose settings on, by :data:`SELECTION`.
            base: folder of the pretrained model; None for the one that ships with the package.
            seed: of everything that is drawn.
            measure: the task's official one, which counts in that choice.

        Raises:
            MissingDependency: if a library that it needs is not installed.
        """
        ...


@runtime_checkable
class Resumable(Protocol):
    """A system whose ``fit`` may take an hour, and goes on where it was broken off."""

    def going_on_in(self, folder: Path) -> System:
        """Return the same system, which keeps its unfinished fit in this folder."""
        ...
