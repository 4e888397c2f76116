"""`deepmoji score`: files of any size through a model."""

import json
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from deepmoji.cli.cluster import Address, Runner, RunnerName, chosen_cluster
from deepmoji.cli.common import PATIENCE
from deepmoji.cli.predict import LongTexts, Model, Stride
from deepmoji.scoring import score as score_files
from deepmoji.scoring.runners import Local
from deepmoji.scoring.settings import PREFIX, ScoreSettings

app = typer.Typer(rich_markup_mode="rich")

_MINUTE = 60.0
_KEPT = "interrupted; what is finished is kept: the same command goes on from there"


class _Format(StrEnum):
    PARQUET = "parquet"
    JSONL = "jsonl"


@app.command("score")
def score_command(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders and globs, here or at s3://, gs:// and hf://: Parquet, CSV, TSV, "
            "JSON lines or plain text with a text a line; the last four also .gz, .bz2, .zst.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str,
        typer.Option("--out", "-o", metavar="DIR", help="The folder to make, or an s3 or gs URL."),
    ],
    model: Model = None,
    text_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Column or field of the texts; by default text and the like."
        ),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", "-n", min=0, metavar="N", help="How many labels; 0: none.")
    ] = 5,
    encode: Annotated[bool, typer.Option("--encode", help="Also the encodings.")] = False,
    scores: Annotated[
        bool, typer.Option("--scores", help="Also the probabilities of all labels.")
    ] = False,
    long_texts: LongTexts = "cut",
    stride: Stride = None,
    prefix: Annotated[str, typer.Option(help="What the names of new columns begin with.")] = PREFIX,
    form: Annotated[_Format, typer.Option("--format", help="Of the output.")] = _Format.PARQUET,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; by default all cores.")
    ] = None,
    runner: Runner = RunnerName.LOCAL,
    address: Address = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace other scores in the folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Score files of any size: their rows and columns, in order, with the model's beside them.

    Killed and run again, it goes on where it was. Each file becomes one, there whole or not at
    all.

    Example: [bold]deepmoji score posts/ --out scored[/bold]

    Example: [bold]deepmoji score 'posts/*.csv.gz' --text-column body --out scored --encode[/bold]
    """
    cluster = chosen_cluster(runner, address, workers)
    settings = ScoreSettings(
        model=model,
        text_column=text_column,
        top=top,
        encode=encode,
        scores=scores,
        long_texts=long_texts,
        stride=stride,
        prefix=prefix,
        format=form.value,
    )
    with _nothing_lost(), _Shown() as progress:
        report = score_files(
            inputs,
            out,
            settings=settings,
            runner=cluster or Local(workers),
            overwrite=overwrite,
            progress=progress,
        )
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=1))
        return
    if report.parts == report.parts_before:
        typer.echo(f"{out} is finished already, nothing to do.")
    before = f", {report.parts_before:,} of them before" if report.parts_before else ""
    rate = report.rows_now / max(report.seconds, 1e-9)
    typer.echo(
        f"{report.parts:,} files{before}; {report.rows:,} rows, {report.rows_now:,} scored now "
        f"({report.seconds:,.0f} s, {rate:,.0f}/s)."
    )


@contextmanager
def _nothing_lost() -> Generator[None]:
    """Say at an interruption that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_KEPT) from None


class _Shown:
    """Progress: a bar with rows a second and the time left; a line a minute where no terminal is.

    Entering gives it, leaving ends the bar.
    """

    def __init__(self) -> None:
        self._begun = self._told = time.monotonic()
        self._rows, self._size, self._total, self._before = 0, 0.0, 0, 0
        self._bar: Any = None

    def __enter__(self) -> "_Shown":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, total: int, done: int) -> None:
        self._begun = self._told = time.monotonic()
        self._total, self._size, self._before = total, float(done), done

    def advance(self, size: float, rows: int) -> None:
        self._size += size
        if not rows:
            self._before += int(size)  # found finished, so no measure of speed
        self._rows += rows
        if sys.stderr.isatty():
            self._show()
        elif time.monotonic() - self._told >= _MINUTE:
            self._told = time.monotonic()
            typer.echo(self._line(), err=True)

    def _show(self) -> None:
        if self._bar is None:
            if time.monotonic() - self._begun < PATIENCE:
                return
            self._bar = _new_bar(self._total)
        self._bar.update(self._bar.task_ids[0], completed=self._size, told=self._line())

    def _line(self) -> str:
        seconds = max(time.monotonic() - self._begun, 1e-9)
        speed = (self._size - self._before) / seconds
        left = (self._total - self._size) / speed if speed else 0.0
        return f"{self._rows:,} rows, {self._rows / seconds:,.0f}/s, {_duration(left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _new_bar(total: int) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("scoring"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task("scoring", total=total, told="")
    bar.start()
    return bar
