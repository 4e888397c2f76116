"""One process of a pretraining run."""

import math
import time
from typing import cast

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.wrappers import (
    _FabricOptimizer,  # pyright: ignore[reportPrivateUsage] - only its type
)
from numpy.typing import NDArray
from torch import nn

from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.errors import DeepmojiError, InputError
from deepmoji.evaluation.metrics import Priors, emoji_accuracies
from deepmoji.training.averaging import average_of
from deepmoji.training.batches import BatchPlan
from deepmoji.training.checkpoint import Checkpoint, Saved, State
from deepmoji.training.loop import (
    Progress,
    Report,
    decay_weights,
    learning_rate,
    log_probabilities,
    make_optimiser,
    to_tensors,
)
from deepmoji.training.material import read_material
from deepmoji.training.network import Network, Output
from deepmoji.training.teacher import Answers, Distillation

_REPORT_SECONDS = 2.0


def new_network(model: ModelConfig, config: PretrainConfig) -> Network:
    """Return the network as a run starts it, from the run's seed."""
    torch.manual_seed(config.seed)
    network = Network(
        model,
        embedding_dropout=config.embedding_dropout,
        word_dropout=config.word_dropout,
        final_dropout=config.final_dropout,
    )
    nn.init.uniform_(network.embedding.weight, -config.embedding_range, config.embedding_range)
    return network


class Trainer:
    """One process of a run: its share of every batch, all of every evaluation.

    Args:
        fabric: launched devices.
        corpus: the training and validation pairs.
        network: as :func:`new_network` makes it.
        config: the settings.
        checkpoint: where the run is kept.
        report: told of progress, in the first process only.
        answers: a teacher's, if it has one.
    """

    def __init__(
        self,
        fabric: Fabric,
        *,
        corpus: CorpusFolder,
        network: Network,
        config: PretrainConfig,
        checkpoint: Checkpoint,
        report: Report,
        answers: Answers | None = None,
    ) -> None:
        self.fabric, self.config, self.report = fabric, config, report
        self.material = read_material(corpus, config)
        self.validation = corpus.read_split("validation")
        self.classes = network.config.classes
        self.plan = BatchPlan(
            self.material.rows, config, classes=self.classes, chances=self.material.chances
        )
        self.checkpoint = checkpoint
        self.state = State()
        self.plain = network
        self.network = fabric.setup_module(network)
        self.average = average_of(network, config.average) if config.average else None
        # What is evaluated and kept.
        self.result = network if self.average is None else self.average.module
        optimiser = fabric.setup_optimizers(make_optimiser(network, config))
        self.optimiser = cast("_FabricOptimizer", optimiser)  # one in, one out
        self.loss = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing, reduction="sum")
        self.distil = None
        if answers is not None:
            seen = self.material.priors.seen
            self.distil = Distillation(answers, seen=seen, config=config)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        saved = self.checkpoint.load()
        if saved is None:
            return
        self.state = saved.state
        self._check_schedule()
        self.plain.load_state_dict(saved.network)
        self.optimiser.load_state_dict(saved.optimiser)
        if self.average is not None:
            self.average.load_state_dict(saved.average)

    def _check_schedule(self) -> None:
        """Refuse another number of steps once the rate has begun to fall for the first."""
        before, now = self.state.steps or self.plan.steps, self.plan.steps
        flat = (1 - self.config.decay) * min(before, now)
        if before != now and self.state.step > flat:
            raise InputError(
                f"this run was begun with {before} steps and its learning rate is falling since "
                f"step {flat:.0f}; go on with the same --epochs, or choose another --out"
            )

    def run(self) -> None:
        """Train until the steps are done or validation stops improving."""
        if self.state.is_finished:
            return
        self.state.steps = self.plan.steps
        clock = _Clock(self.state, self.plan.steps, self.config.batch_size)
        while self.state.step < self.plan.steps:
            loss = self.step(self.state.step)
            self.state.step += 1
            clock.tick(loss)
            last = self.state.step == self.plan.steps
            if last or self.state.step % self.config.evaluate_every == 0:
                evaluation = self.evaluate()
                last |= self.state.waited(self.config.evaluate_every) >= self.config.patience
                if self.fabric.is_global_zero:
                    self.report(clock.progress(evaluation, is_last=last))
                if last:
                    break
            elif self.fabric.is_global_zero and clock.is_due():
                self.report(clock.progress({}))
            if self.state.step % self.config.checkpoint_every == 0:
                self.save()
        self.state.is_finished = True
        self.save()

    def step(self, step: int) -> float:
        """Make one step; return this process's loss, nats a pair."""
        rate = learning_rate(step, self.plan.steps, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        # Seeded step by step, dropout too is the same after a resumption.
        torch.manual_seed((self.config.seed << 40) + step * 1024 + self.fabric.global_rank)
        rows = self.plan.rows(step)
        own = rows[self.fabric.global_rank :: self.fabric.world_size]
        device = self.fabric.device
        ids, lengths = to_tensors(self.material.rows, own, self.config.max_tokens, device)
        targets = torch.from_numpy(self.material.targets(own)).to(device)
        output: Output = self.network(ids, lengths)
        logits = output.logits.float()
        loss = self.loss(logits, targets)
        if self.distil is not None:
            loss = self.distil(loss, logits, own)
        # Gradients are averaged over processes: scaled so that each row counts the same.
        self.fabric.backward(loss * (self.fabric.world_size / len(rows)))
        norm = self.fabric.clip_gradients(
            self.network,
            self.optimiser,
            max_norm=self.config.clip_norm,
            error_if_nonfinite=False,  # the error below says what to do
        )
        if self.config.weight_decay:
            decay_weights(self.plain, rate * self.config.weight_decay)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.plain)
        self.optimiser.zero_grad(set_to_none=True)
        value = float(loss.detach()) / max(1, len(own))
        if not math.isfinite(value) or not math.isfinite(float(cast("torch.Tensor", norm))):
            raise DeepmojiError(
                f"the loss or its gradient is no number any more at step {step}; "
                "start again with a lower --learning-rate"
            )
        return value

    def evaluate(self) -> dict[str, float]:
        """Evaluate on validation; every process does the same, so that all stop together."""
        with self.fabric.autocast():
            scores = log_probabilities(
                self.result,
                self.validation,
                classes=self.classes,
                max_tokens=self.config.max_tokens,
                device=self.fabric.device,
            )
        result = split_accuracies(scores, self.validation, self.material.priors)
        better = self.state.record(self.fabric.broadcast(result))
        if better and self.fabric.is_global_zero:
            self.checkpoint.save_best(self.result.state_dict())
        return result

    def save(self) -> None:
        """Write the checkpoint, from the first process."""
        if self.fabric.is_global_zero:
            average = {} if self.average is None else self.average.state_dict()
            weights, optimiser = self.plain.state_dict(), self.optimiser.state_dict()
            self.checkpoint.save(Saved(self.state, weights, optimiser, average))
        self.fabric.barrier()


def split_accuracies(scores: NDArray[np.float32], split: Shard, priors: Priors) -> dict[str, float]:
    """:func:`emoji_accuracies` for an evaluation split and its flags.

    Raises:
        InputError: if the split has no flags, as training pairs have none.
    """
    if split.balanced is None or split.natural is None:
        raise InputError("accuracies are measured on validation or test, not on training pairs")
    return emoji_accuracies(
        scores, split.labels, balanced=split.balanced, natural=split.natural, priors=priors
    )


class _Clock:
    """Texts a second and time left, over the latest steps."""

    def __init__(self, state: State, steps: int, batch_size: int) -> None:
        self._state, self._steps, self._batch = state, steps, batch_size
        self._started = self._reported = time.monotonic()
        self._before, self._first = state.seconds, state.step
        self._losses: list[float] = []

    def tick(self, loss: float) -> None:
        self._losses = [*self._losses[-99:], loss]
        self._state.seconds = self._before + time.monotonic() - self._started

    def is_due(self) -> bool:
        return time.monotonic() - self._reported >= _REPORT_SECONDS

    def progress(self, evaluation: dict[str, float], *, is_last: bool = False) -> Progress:
        self._reported = time.monotonic()
        rate = (self._state.step - self._first) / max(1e-9, self._reported - self._started)
        return Progress(
            step=self._state.step,
            steps=self._steps,
            loss=sum(self._losses) / len(self._losses),
            texts_per_second=rate * self._batch,
            seconds_left=(self._steps - self._state.step) / max(1e-9, rate),
            is_last=is_last,
            evaluation=evaluation,
        )
