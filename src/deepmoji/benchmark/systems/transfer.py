"""DeepMoji's own methods, from pretraining to each task: one model, or one for each class."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deepmoji.benchmark.system import Answers
from deepmoji.benchmark.tasks import Task
from deepmoji.config import FineTuneConfig, Method
from deepmoji.evaluation.datasets import Labelled, Problem

_NOTES = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """One model for all classes, fine-tuned with the defaults that users get.

    Attributes:
        method: of ``transfer.finetune.METHODS``.
    """

    method: Method
    deterministic: bool = False
    uses_base: bool = True
    settings: Mapping[str, Any] = field(default_factory=lambda: FineTuneConfig().to_dict())
    folder: Path | None = None  # of the unfinished run, if it is to be kept

    @property
    def name(self) -> str:
        """The method's."""
        return self.method

    def going_on_in(self, folder: Path) -> "Transfer":
        """Keep the unfinished run in a folder."""
        return replace(self, folder=folder)

    def fits(self, task: Task) -> bool:
        """Every task."""
        return True

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
        """Fine-tune; see :class:`deepmoji.benchmark.system.System`."""
        from deepmoji.transfer.finetune import finetune

        return finetune(
            train,
            validation,
            base=base,
            method=self.method,
            seed=seed,
            report=_note,
            folder=self.folder,
            classes=problem.classes,
            multi_label=problem.kind == "multi",
        )


def _note(progress: Any) -> None:
    """Note the end of an epoch, for whoever looks into the log of a cell that takes an hour."""
    if progress.validation_loss is not None:
        _NOTES.info(
            "stage %d of %d, %s, epoch %d: validation loss %.4f, best %.4f",
            progress.stage,
            progress.stages,
            progress.layers,
            progress.epoch,
            progress.validation_loss,
            progress.best_loss,
        )


@dataclass(frozen=True, kw_only=True)
class OneVersusRest(Transfer):
    """A binary model for each class from the same start: the paper's way to its F1."""

    @property
    def name(self) -> str:
        """The method's, marked."""
        return f"{self.method}-ovr"

    def going_on_in(self, folder: Path) -> Transfer:
        """Keep nothing: it is many runs."""
        return self

    def fits(self, task: Task) -> bool:
        """Tasks that the paper scored so: more than two classes, class-average F1."""
        return task.measure == "class_average_f1" and len(task.problem.classes) > 2

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
        """Fine-tune for each class; see :class:`deepmoji.benchmark.system.System`."""
        from deepmoji.transfer.one_vs_rest import one_vs_rest

        return one_vs_rest(
            train,
            validation,
            base=base,
            method=self.method,
            seed=seed,
            classes=problem.classes,
            multi_label=problem.kind == "multi",
        )
