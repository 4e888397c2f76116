"""The clock of a training run: losses, rate, and whether there is time for more."""

import math
import time

import torch
from torch import Tensor

from deepmoji.errors import DeepmojiError
from deepmoji.training.checkpoint import State
from deepmoji.training.loop import Progress

_REPORT_SECONDS = 2.0
_MARGIN, _SPARE = 1.25, 1.0  # times what is left to do before a limit, and seconds besides


class Clock:
    """Keeps what a run reports: its latest losses, texts a second, time left.

    Args:
        state: of the run, whose seconds it keeps.
        steps: to do in all.
        batch_size: texts a step.
        every: steps after which losses are read. Reading one waits for the device to have come to
            it: on a GPU, which runs behind, not to be done at every step.
        evaluation: how many steps an evaluation may last, before one has been timed.
        save: how many seconds a checkpoint may take, before one has been timed.
    """

    def __init__(
        self,
        state: State,
        *,
        steps: int,
        batch_size: int,
        every: int = 1,
        evaluation: float = 1.0,
        save: float = 1.0,
    ) -> None:
        self._state, self._steps, self._batch, self._every = state, steps, batch_size, every
        self._started = self._reported = self._lapped = time.monotonic()
        self._before, self._first = state.seconds, state.step
        self._waiting: list[Tensor] = []
        self._losses: list[float] = []
        self._longest: dict[str, float] = {}
        self._evaluation, self._save = evaluation, save

    @property
    def is_even(self) -> bool:
        """Whether this is a step at which the losses of all processes are read."""
        return (self._state.step - self._first) % self._every == 0

    def tick(self, loss: Tensor) -> None:
        """Note the loss of a step that has been made, a scalar."""
        self._waiting.append(loss)
        self._state.seconds = self._before + time.monotonic() - self._started
        if self.is_even:
            self.read()

    def read(self) -> None:
        """Read the losses of the steps since the last time.

        Raises:
            DeepmojiError: if one is no number.
        """
        if not self._waiting:
            return
        losses: list[float] = torch.stack(self._waiting).tolist()
        self._waiting.clear()
        self.lap("step", len(losses))
        for place, loss in enumerate(losses, start=self._state.step - len(losses)):
            if not math.isfinite(loss):
                raise DeepmojiError(
                    f"the loss or its gradient is no number any more at step {place}; "
                    "start again with a lower --learning-rate"
                )
        self._losses = [*self._losses, *losses][-100:]

    def lap(self, part: str, count: int = 1) -> None:
        """Note that a part of the run, or so many of one, have lasted since the last lap."""
        now = time.monotonic()
        seconds = (now - self._lapped) / count
        self._longest[part] = max(seconds, self._longest.get(part, 0.0))
        self._lapped = now

    def reaches(self, until: float, *, evaluation: bool) -> bool:
        """Tell whether the next steps and a checkpoint would last beyond a moment.

        Args:
            until: on the clock of ``time.monotonic``.
            evaluation: whether there is one among the next steps.
        """
        step = self._longest.get("step", self._before / max(1, self._first))
        ahead = self._every * step + 2 * self._longest.get("save", self._save)
        if evaluation:
            ahead += self._longest.get("evaluation", self._evaluation * step)
        return time.monotonic() + _MARGIN * ahead + _SPARE > until

    def is_due(self) -> bool:
        """Whether it is time for a report."""
        return time.monotonic() - self._reported >= _REPORT_SECONDS

    def progress(self, evaluation: dict[str, float], *, is_last: bool = False) -> Progress:
        """Return where the run stands."""
        self.read()
        self._reported = time.monotonic()
        rate = (self._state.step - self._first) / max(1e-9, self._reported - self._started)
        return Progress(
            step=self._state.step,
            steps=self._steps,
            loss=sum(self._losses) / max(1, len(self._losses)),
            texts_per_second=rate * self._batch,
            seconds_left=(self._steps - self._state.step) / max(1e-9, rate),
            is_last=is_last,
            evaluation=evaluation,
        )
