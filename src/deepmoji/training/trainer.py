"""One process of a pretraining run."""

from dataclasses import dataclass
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
from deepmoji.errors import InputError
from deepmoji.evaluation.metrics import Priors, emoji_accuracies
from deepmoji.training.averaging import average_of
from deepmoji.training.batches import BatchPlan
from deepmoji.training.checkpoint import Checkpoint, Saved, State
from deepmoji.training.clock import Clock
from deepmoji.training.ending import check_schedule, reopen
from deepmoji.training.guide import Encodings, Guide, GuidedNetwork
from deepmoji.training.loop import (
    Report,
    decay_weights,
    learning_rate,
    log_probabilities,
    make_optimiser,
)
from deepmoji.training.material import read_material, sources_of
from deepmoji.training.network import Network, Output
from deepmoji.training.pinned import copy_to
from deepmoji.training.resident import gather_from
from deepmoji.training.streams import Share
from deepmoji.training.teacher import Answers, Distillation

_READ_EVERY = {"cuda": 50}  # steps, see Clock
_BYTES_A_SECOND = 5e7  # of a checkpoint, at least


def new_network(
    model: ModelConfig,
    config: PretrainConfig,
    *,
    guess: int = 0,
    kind: type[Network] = Network,
) -> Network:
    """Return the network as a run starts it, from the run's seed.

    Args:
        model: its sizes and gates.
        config: its dropouts, among other settings.
        guess: numbers of another model's encodings that it is to guess; 0: none.
        kind: the network, where there is nothing to guess.
    """
    torch.manual_seed(config.seed)
    names = ("embedding_dropout", "word_dropout", "final_dropout")
    dropouts = {name: getattr(config, name) for name in names}
    network = GuidedNetwork(model, size=guess, **dropouts) if guess else kind(model, **dropouts)
    nn.init.uniform_(network.embedding.weight, -config.embedding_range, config.embedding_range)
    return network


@dataclass(frozen=True, kw_only=True)
class Besides:
    """What a run learns from besides the labels."""

    answers: tuple[Answers, ...] = ()  # each teacher's
    encodings: Encodings | None = None  # another model's, if the network guesses them


class Trainer:
    """One process of a run: its share of every batch, all of every evaluation.

    Args:
        fabric: launched devices.
        corpus: the training and validation pairs.
        network: as :func:`new_network` makes it.
        config: the settings.
        checkpoint: where the run is kept.
        report: told of progress, in the first process only.
        besides: what there is to learn from besides the labels.
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
        besides: Besides | None = None,
    ) -> None:
        self.fabric, self.config, self.report = fabric, config, report
        share = Share(rank=fabric.global_rank, world_size=fabric.world_size)
        self.material = read_material(corpus, config, share)
        self.validation = corpus.read_split("validation")
        self.classes = network.config.classes
        self.plan = BatchPlan(
            self.material.rows,
            config,
            classes=self.classes,
            chances=self.material.chances,
            part=self.material.part,
        )
        self.gather = gather_from(self.material.rows, config.max_tokens, fabric.device)
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
        besides = besides or Besides()
        self.distil = None
        if besides.answers:
            seen = self.material.priors.seen
            self.distil = Distillation(besides.answers, seen=seen, config=config)
        self.guide = None
        if besides.encodings is not None:
            sources, weight = sources_of(corpus, config), config.encodings_weight
            self.guide = Guide(besides.encodings, sources=sources, weight=weight)

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        saved = self.checkpoint.load()
        if saved is None:
            return
        self.state = saved.state
        if self.state.is_finished:
            reopen(saved, self.config, self.plan.steps)
        else:
            check_schedule(self.state, self.config, self.plan.steps)
        self.plain.load_state_dict(saved.network)
        self.optimiser.load_state_dict(saved.optimiser)
        if self.average is not None:
            self.average.load_state_dict(saved.average)

    def run(self, until: float | None = None) -> bool:
        """Train until the steps are done, validation stops improving, or the time is up.

        Args:
            until: when a checkpoint has to be written, on the clock of ``time.monotonic``; None:
                no limit. The clock of the first process counts.

        Returns:
            whether the run is finished.
        """
        if self.state.is_finished:
            return True
        self.state.steps, self.state.settings = self.plan.steps, self.config.to_dict()
        processes = {"processes": self.fabric.world_size}
        self.state.hardware = self.checkpoint.arithmetic | processes
        clock = self._new_clock()
        if self.state.step >= self.plan.steps and not self.state.is_evaluated:
            self._examine(clock)  # it was cut to where it is
        while not self._is_over:
            if self._is_time_up(clock, until):
                self.save()
                return False
            loss = self.step(self.state.step)
            self.state.step += 1
            clock.tick(loss)
            at_end = self.state.step == self.plan.steps
            if at_end or self.state.step % self.config.evaluate_every == 0:
                self._examine(clock)
                if self._is_over:
                    break
            elif self.fabric.is_global_zero and clock.is_due():
                self.report(clock.progress({}))
            if self.state.step % self.config.checkpoint_every == 0:
                clock.read()
                self.save()
                clock.lap("save")
        self.state.is_finished = True
        self.save()
        return True

    @property
    def _is_over(self) -> bool:
        """Whether the steps are done, or patience is at its end."""
        waited = self.state.waited(self.config.evaluate_every)
        is_stopped = self.state.is_evaluated and waited >= self.config.patience
        return is_stopped or self.state.step >= self.plan.steps

    def _examine(self, clock: Clock) -> None:
        """Evaluate, and report it."""
        clock.read()
        evaluation = self.evaluate()
        clock.lap("evaluation")
        if self.fabric.is_global_zero:
            self.report(clock.progress(evaluation, is_last=self._is_over))

    def _new_clock(self) -> Clock:
        size, weights = self.config.batch_size, sum(p.numel() for p in self.plain.parameters())
        return Clock(
            self.state,
            steps=self.plan.steps,
            batch_size=size,
            every=self._read_every,
            # Every process evaluates everything, without the gradients that make steps slow.
            evaluation=1 + len(self.validation) * self.fabric.world_size / size,
            save=16 * weights / _BYTES_A_SECOND,  # with Adam's state and an average
        )

    @property
    def _read_every(self) -> int:
        return _READ_EVERY.get(self.fabric.device.type, 1)

    def _is_time_up(self, clock: Clock, until: float | None) -> bool:
        """Tell, the same in all processes, whether to stop before the next steps."""
        if until is None or not clock.is_even:
            return False
        step, every = self.state.step, self.config.evaluate_every
        ahead = step + self._read_every
        evaluation = ahead // every > step // every or ahead >= self.plan.steps
        return self.fabric.broadcast(clock.reaches(until, evaluation=evaluation))

    def step(self, step: int) -> torch.Tensor:
        """Make one step; return this process's loss, nats a pair: no number if its gradient is."""
        rate = learning_rate(step, self.plan.steps, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        # Seeded step by step, dropout too is the same after a resumption.
        torch.manual_seed((self.config.seed << 40) + step * 1024 + self.fabric.global_rank)
        own = self.plan.rows(step)
        ids, lengths = self.gather(own - self.material.part.first)
        targets = copy_to(self.fabric.device, torch.from_numpy(self.material.targets(own)))
        output: Output = self.network(ids, lengths)
        logits = output.logits.float()
        loss = self.loss(logits, targets)
        if self.distil is not None:
            loss = self.distil(loss, logits, own)
        if self.guide is not None and output.guess is not None:
            loss = self.guide(loss, output.guess, own)
        # Gradients are averaged over processes: scaled so that each row counts the same.
        self.fabric.backward(loss * (self.fabric.world_size / self.plan.size(step)))
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
        # Not looked at here: that would wait for the device.
        return loss.detach() / max(1, len(own)) + 0 * cast("torch.Tensor", norm)

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
        step, every = self.state.step, self.config.evaluate_every
        # Only of a flat rate: a run whose rate has fallen cannot be made longer.
        is_extra = step == self.plan.steps and step % every > 0 and not self.config.decay
        better = self.state.record(self.fabric.broadcast(result), is_extra=is_extra)
        if better and self.fabric.is_global_zero:
            self.checkpoint.save_best(self.result.state_dict(), is_extra=is_extra)
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
