"""How a run of benchmark cells is shown: a bar on a terminal, plain lines otherwise."""

import sys
from typing import Any

import typer
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.progress import TimeElapsedColumn as Elapsed


class CellLines:
    """A line for each cell that is done, with how many are left and what is running."""

    def __init__(self) -> None:
        self._done = self._left = 0
        self._running: list[str] = []

    def begin(self, *, done: int, left: int) -> None:
        """Say how much there is to do."""
        self._done, self._left = done, left
        self._say(f"{done:,} cells are there, {left:,} to do")

    def stale(self, job: Any, why: str) -> None:
        """Say which cell is not reused."""
        self._say(f"{job}: {why}, so it is done again")

    def started(self, job: Any) -> None:
        """Note what is running."""
        self._running.append(str(job))

    def finished(self, job: Any, seconds: float) -> None:
        """Say what is done."""
        self._end(job)
        self._done += 1
        running = f"; running: {'; '.join(self._running)}" if self._running else ""
        self._say(f"{job}: {seconds:,.1f} s ({self._done:,} done, {self._left:,} left{running})")

    def failed(self, job: Any, why: str) -> None:
        """Say what failed."""
        self._end(job)
        self._say(f"{job}: failed: {why}")

    def close(self) -> None:
        """Nothing is held."""

    def _end(self, job: Any) -> None:
        self._running.remove(str(job))
        self._left -= 1

    def _say(self, line: str) -> None:
        typer.echo(line, err=True)


class _OfTheWhole(ProgressColumn):
    """A bar and numbers, for what has an end that can be told."""

    max_refresh = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._bar, self._numbers = BarColumn(), MofNCompleteColumn()

    def render(self, task: Task) -> RenderableType:
        """Draw a task."""
        if task.total is None:
            return ""
        return Columns([self._bar.render(task), self._numbers.render(task)])


class CellBar(CellLines):
    """The same lines above a bar, and below it what is running, each with its time."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._bar = Progress(
            TextColumn("{task.description}"),
            Elapsed(),
            _OfTheWhole(),
            console=console,
            transient=True,
            refresh_per_second=1,
        )
        self._whole: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}

    def begin(self, *, done: int, left: int) -> None:
        """Show the bar."""
        super().begin(done=done, left=left)
        self._bar.start()
        self._whole = self._bar.add_task("cells", total=done + left, completed=done)

    def started(self, job: Any) -> None:
        """Show what is running."""
        super().started(job)
        self._tasks[str(job)] = self._bar.add_task(f"  {escape(str(job))}", total=None)

    def close(self) -> None:
        """Give the terminal back."""
        self._bar.stop()

    def _end(self, job: Any) -> None:
        super()._end(job)
        self._bar.remove_task(self._tasks.pop(str(job)))
        if self._whole is not None:
            self._bar.advance(self._whole)

    def _say(self, line: str) -> None:
        self._bar.console.print(escape(line), highlight=False)


def show_cells() -> CellLines:
    """Return what suits standard error."""
    return CellBar(Console(stderr=True)) if sys.stderr.isatty() else CellLines()
