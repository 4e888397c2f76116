"""Tuning a network on labelled texts, stage by stage, with the best weights kept throughout."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deepmoji.config import FineTuneConfig
from deepmoji.errors import DeepmojiError
from deepmoji.training.examples import Examples, loss_of
from deepmoji.training.network import Network
from deepmoji.training.reader import Reader
from deepmoji.training.thaw import LAYERS, Layer, Recipe, Stage
from deepmoji.training.tuning import Progress, Standing, TuningCheckpoint

Report = Callable[[Progress], None]
_REPORT_SECONDS = 0.5
_SAVE_SECONDS = 30.0
_FEWEST_STEPS = 3  # of a cycle; one of fewer has no peak, and the rate stays even


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is the same for all stages."""

    config: FineTuneConfig
    batch_size: int
    seed: int
    precision: torch.dtype
    learnable_words: Tensor  # bool [V]: rows of the embedding that training texts hold


class Tuner:
    """One run of a recipe.

    Args:
        network: as it starts; on its device.
        train: the texts to learn from.
        validation: the texts that say when to stop.
        settings: the same for all stages.
        checkpoint: where the run is kept, if anywhere.
        report: told of progress.
    """

    def __init__(
        self,
        network: Network,
        *,
        train: Examples,
        validation: Examples,
        settings: Settings,
        checkpoint: TuningCheckpoint | None,
        report: Report,
    ) -> None:
        self.network, self.settings, self.checkpoint = network, settings, checkpoint
        self.train, self.validation, self.report = train, validation, report
        self.standing = Standing()
        self.best: Mapping[str, Tensor] = {}
        self._saved = time.monotonic()

    def run(self, recipe: Recipe) -> list[dict[str, Any]]:
        """Go through all stages; the network has the best weights afterwards.

        Returns:
            for each epoch its stage, losses and seconds.

        Raises:
            DeepmojiError: if a loss is no number.
        """
        saved = self.checkpoint.load_tuning() if self.checkpoint else None
        if saved is not None:
            self.standing = Standing(**saved["standing"])
            self.best = saved["best"]
            self.network.load_state_dict(dict(self.best))
        while self.standing.stage < len(recipe.stages):
            stage = recipe.stages[self.standing.stage]
            _Course(self, stage, stages=len(recipe.stages)).run(saved)
            saved = None
            self.network.load_state_dict(dict(self.best))
            self.standing.next_stage()
            self.save({})
        self.network.load_state_dict(dict(self.best))
        return self.standing.history

    def reader(self, examples: Examples, lowest: Layer) -> Reader:
        """Read texts with the network as it is."""
        return Reader(self.network, examples, lowest, self.settings.precision)

    def keep(self, validation_loss: float) -> None:
        """Keep the network's weights if they are the best of all stages so far."""
        if validation_loss < self.standing.best_loss:
            self.standing.best_loss = validation_loss
            self.best = {
                name: each.detach().clone() for name, each in self.network.state_dict().items()
            }

    def save(self, learning: Mapping[str, Any], *, force: bool = True) -> None:
        """Write a checkpoint, now or every half a minute."""
        if self.checkpoint is None:
            return
        if force or time.monotonic() - self._saved >= _SAVE_SECONDS:
            self.checkpoint.save_tuning(
                {
                    "standing": vars(self.standing),
                    "best": dict(self.best),
                    "network": self.network.state_dict() if learning else {},
                    "learning": dict(learning),
                }
            )
            self._saved = time.monotonic()


class _Course:
    """One stage of a run."""

    def __init__(self, tuner: Tuner, stage: Stage, *, stages: int) -> None:
        self.tuner, self.stage, self.stages = tuner, stage, stages
        self.standing, self.settings = tuner.standing, tuner.settings
        self.config = tuner.settings.config
        self.batches = -(-self.config.epoch_size // self.settings.batch_size)
        self._reported = 0.0

    def run(self, saved: Mapping[str, Any] | None) -> None:
        """Train until validation stops improving, or the cycle is done."""
        network, tuner = self.tuner.network, self.tuner
        if saved and saved["network"]:
            network.load_state_dict(saved["network"])
        self._freeze()
        optimiser, schedule = self._optimiser()
        if saved and saved["learning"]:
            optimiser.load_state_dict(saved["learning"]["optimiser"])
            if schedule is not None:
                schedule.load_state_dict(saved["learning"]["schedule"])
        train = tuner.reader(tuner.train, self.stage.layers[0])
        validation = tuner.reader(tuner.validation, self.stage.layers[0])
        while not self._is_over():
            began = time.monotonic()
            loss = self._epoch(train, optimiser, schedule)
            validation_loss = self._validate(validation)
            tuner.keep(validation_loss)
            self.standing.note(
                stage=self.stage.name,
                train_loss=loss,
                validation_loss=validation_loss,
                seconds=time.monotonic() - began,
            )
            self._tell(self.batches, loss, validation_loss)
            learning = {"optimiser": optimiser.state_dict()}
            if schedule is not None:
                learning["schedule"] = schedule.state_dict()
            tuner.save(learning, force=False)

    def _is_over(self) -> bool:
        if self.stage.cycle:
            return self.standing.epoch >= min(self.stage.cycle, self.config.epochs)
        is_late = self.standing.waited >= self.config.patience
        return is_late or self.standing.epoch >= self.config.epochs

    def _freeze(self) -> None:
        for name, parameter in self.tuner.network.named_parameters():
            parameter.requires_grad_(name.split(".")[0] in self.stage.layers)

    def _optimiser(
        self,
    ) -> tuple[torch.optim.Adam, torch.optim.lr_scheduler.OneCycleLR | None]:
        """Make a fresh Adam, with a rate for each layer."""
        config = self.config
        peak = config.new_learning_rate if self.stage.rate == "new" else config.learning_rate
        groups: list[dict[str, Any]] = []
        for layer in LAYERS:
            if layer in self.stage.layers:
                depth = len(LAYERS) - 1 - LAYERS.index(layer)
                members = [p for n, p in self._parameters() if n.split(".")[0] == layer]
                groups.append({"params": members, "lr": peak / self.stage.slower**depth})
        optimiser = torch.optim.Adam(groups, fused=True)
        steps = min(self.stage.cycle, config.epochs) * self.batches
        if steps < _FEWEST_STEPS:
            return optimiser, None
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=[group["lr"] for group in groups],
            total_steps=steps,
            cycle_momentum=False,
        )
        return optimiser, schedule

    def _parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        for name, parameter in self.tuner.network.named_parameters():
            if parameter.requires_grad:
                yield name, parameter

    def _epoch(
        self,
        reader: Reader,
        optimiser: torch.optim.Adam,
        schedule: torch.optim.lr_scheduler.OneCycleLR | None,
    ) -> float:
        """Train on texts drawn with replacement; return the mean loss."""
        number = (self.settings.seed, self.standing.stage, self.standing.epoch)
        random = np.random.default_rng(number)
        # Dropout too depends on the epoch alone, so that a run goes on as if never interrupted.
        torch.manual_seed(int(random.integers(1 << 62)))
        draws = random.integers(len(reader.examples), size=self.config.epoch_size)
        drawn = torch.from_numpy(draws).to(reader.examples.ids.device)
        self.tuner.network.train()
        total = 0.0
        for batch, rows in enumerate(drawn.split(self.settings.batch_size)):
            total += self._step(reader, rows, optimiser) * len(rows)
            if schedule is not None:
                schedule.step()
            self._tell(batch, total / (batch * self.settings.batch_size + len(rows)), None)
        return total / len(drawn)

    def _step(self, reader: Reader, rows: Tensor, optimiser: torch.optim.Adam) -> float:
        network, examples = self.tuner.network, reader.examples
        losses = loss_of(
            reader.logits(rows),
            examples.targets[rows],
            examples.weights[rows],
            network.config.outputs,
        )
        loss = losses.mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        words = network.embedding.weight
        if words.grad is not None and self.config.embedding_l2:
            # By hand, as the optimiser's would also shrink the words that training texts lack:
            # Adam makes a full step of any gradient, however small.
            learnable = self.settings.learnable_words.unsqueeze(1)
            words.grad.addcmul_(words.detach(), learnable, value=2 * self.config.embedding_l2)
        nn.utils.clip_grad_norm_([p for _, p in self._parameters()], self.config.clip_norm)
        optimiser.step()
        return _finite(float(loss.detach()), self.stage)

    @torch.no_grad()
    def _validate(self, reader: Reader) -> float:
        """Return the mean loss on validation, nats."""
        self.tuner.network.eval()
        examples, outputs = reader.examples, self.tuner.network.config.outputs
        total = 0.0
        for rows in torch.argsort(examples.lengths).split(250):
            logits = reader.logits(rows)
            losses = loss_of(logits, examples.targets[rows], examples.weights[rows], outputs)
            total += float(losses.sum())
        return _finite(total / len(examples), self.stage)

    def _tell(self, batch: int, loss: float, validation_loss: float | None) -> None:
        now = time.monotonic()
        if validation_loss is None and now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        self.tuner.report(
            Progress(
                stage=self.standing.stage + 1,
                stages=self.stages,
                layers=self.stage.name,
                epoch=self.standing.epoch + (validation_loss is None),
                batch=batch,
                batches=self.batches,
                train_loss=loss,
                validation_loss=validation_loss,
                best_loss=self.standing.best_loss,
                least_seconds_left=self._least_seconds_left(batch),
            )
        )

    def _least_seconds_left(self, batch: int) -> float:
        """Return the time left if every stage ends as early as it can; an epoch takes as long."""
        times = [each["seconds"] for each in self.standing.history if each["stage"] != "output"]
        epoch = times[-1] if times else 0.0
        stages = self.stages - self.standing.stage - 1
        soonest = min(self.config.patience, self.config.epochs)
        here = min(
            self.config.patience - self.standing.waited, self.config.epochs - self.standing.epoch
        )
        if self.stage.cycle:
            here = self.stage.cycle - self.standing.epoch
        return max(0.0, here - batch / self.batches + stages * soonest) * epoch


def _finite(loss: float, stage: Stage) -> float:
    if not math.isfinite(loss):
        raise DeepmojiError(
            f"the loss is no number any more while {stage.name} learns; "
            "start again with lower learning rates"
        )
    return loss
