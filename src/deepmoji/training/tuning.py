"""Where a tuning run stands: for whoever shows it, and on disk."""

from dataclasses import dataclass, field
from typing import Any

from deepmoji.training.checkpoint import Checkpoint


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a tuning run stands, for whoever shows it."""

    stage: int  # from 1
    stages: int
    layers: str  # that learn
    epoch: int  # of the stage, from 1
    batch: int  # done of the epoch
    batches: int
    train_loss: float  # nats, mean over the epoch so far
    validation_loss: float | None  # at the end of an epoch
    best_loss: float  # of validation, over all stages
    least_seconds_left: float  # if every stage stops as early as it can; 0 if not known yet


@dataclass
class Standing:
    """What changes during a run, besides weights and optimiser."""

    stage: int = 0
    epoch: int = 0  # of the stage
    waited: int = 0  # epochs since the stage's best one
    stage_loss: float = float("inf")  # the stage's best, of validation
    best_loss: float = float("inf")  # of all stages
    history: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def note(
        self, *, stage: str, train_loss: float, validation_loss: float, seconds: float
    ) -> None:
        """Note an epoch."""
        self.epoch += 1
        self.waited = 0 if validation_loss < self.stage_loss else self.waited + 1
        self.stage_loss = min(self.stage_loss, validation_loss)
        self.history.append(
            {
                "stage": stage,
                "epoch": self.epoch,
                "train_loss": round(train_loss, 6),
                "validation_loss": round(validation_loss, 6),
                "seconds": round(seconds, 2),
            }
        )

    def next_stage(self) -> None:
        """Begin the next stage."""
        self.stage += 1
        self.epoch = self.waited = 0
        self.stage_loss = float("inf")


class TuningCheckpoint(Checkpoint):
    """The folder of a tuning run."""

    def save_tuning(self, content: dict[str, Any]) -> None:
        """Write everything that the next epoch depends on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write({"fingerprint": self._fingerprint, **content}, self._latest)

    def load_tuning(self) -> dict[str, Any] | None:
        """Return the run so far, or None if there is none.

        Raises:
            InputError: if the folder holds a run with other settings or data.
        """
        return self._read_latest()
