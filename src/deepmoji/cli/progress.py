"""How a long run is shown: a bar on a terminal, lines in a log."""

import sys
import time
from typing import Any

import typer

_SILENCE = 60.0  # seconds at the most between two lines of a log


class ProgressLine:
    """Shows a run: a bar on a terminal, otherwise a line a minute; and every evaluation.

    It starts in the process that first calls it, which need not be the one that made it.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._said = 0.0

    def __call__(self, progress: Any) -> None:
        """Show a ``training.loop.Progress``."""
        if progress.evaluation:
            values = "  ".join(f"{name} {value:.4f}" for name, value in progress.evaluation.items())
            self._say(f"step {progress.step:,}  train_loss {progress.loss:.4f}  {values}")
        if sys.stderr.isatty() and self._bar is None:
            self._start(progress)
        elif self._bar is None and time.monotonic() - self._said > _SILENCE:
            self._said = time.monotonic()
            self._say(
                f"{progress.stage or 'step'} {progress.step:,} of {progress.steps:,}  "
                f"loss {progress.loss:.4f}  "
                f"{progress.texts_per_second:,.0f} texts/s  {_clock(progress.seconds_left)} left"
            )
        if self._bar is not None:
            self._bar.update(
                self._bar.task_ids[0],
                completed=progress.step,
                loss=f"{progress.loss:.3f}",
                speed=f"{progress.texts_per_second:,.0f}",
                left=_clock(progress.seconds_left),
            )
        if progress.stage and progress.step == progress.steps:
            self.close()

    def close(self) -> None:
        """Give the terminal back."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = None

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, highlight=False)
        else:
            typer.echo(line, err=True)

    def _start(self, progress: Any) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            *([TextColumn(progress.stage)] if progress.stage else []),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  {task.fields[speed]} texts/s"),
            TextColumn("{task.fields[left]} left"),
            console=Console(stderr=True),
        )
        self._bar.add_task("steps", total=progress.steps, loss="", speed="", left="")
        self._bar.start()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
