"""The plain LSTM: two bidirectional layers without attention, skip connections or pretraining."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepmoji.benchmark.system import Answers
from deepmoji.benchmark.tasks import Task
from deepmoji.config import FineTuneConfig
from deepmoji.evaluation.datasets import Labelled, Problem


@dataclass(frozen=True, kw_only=True)
class PlainLstm:
    """Trained like DeepMoji's ``new``; what the architecture and pretraining have to beat."""

    name: str = "plain-lstm"
    deterministic: bool = False
    uses_base: bool = False
    settings: Mapping[str, Any] = field(default_factory=lambda: FineTuneConfig().to_dict())

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
        """Train it; see :class:`deepmoji.benchmark.system.System`."""
        from deepmoji.transfer.plain import plain_lstm

        return plain_lstm(
            train,
            validation,
            seed=seed,
            classes=problem.classes,
            multi_label=problem.kind == "multi",
        )
