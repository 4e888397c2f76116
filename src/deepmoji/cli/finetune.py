"""`deepmoji finetune`: labelled texts to a model of one's own classes."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deepmoji.bundle import check_replaceable
from deepmoji.config import FineTuneConfig, Method
from deepmoji.errors import InputError
from deepmoji.files import LATEST, LOCK, PARTIAL

app = typer.Typer(rich_markup_mode="rich")

_DEFAULT = FineTuneConfig()
_SILENCE = 60.0  # seconds at the most between two lines of a log
_NO_LOSS = float("inf")
Device = Literal["auto", "cpu", "cuda", "mps"]
Arithmetic = Literal["auto", "bf16-mixed", "32-true"]


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


class TuningLine:
    """Shows a run: a line that changes on a terminal, otherwise a line for each stage or minute.

    The losses are those of training, and the best one of validation; the time left is the least
    that it can be, as a stage goes on as long as validation improves.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._said = time.monotonic()
        self._stage = 0

    def __call__(self, progress: Any) -> None:
        """Show a ``training.tuning.Progress``."""
        words = self._words(progress)
        if sys.stderr.isatty():
            bar = self._started()
            done = progress.stage - 1 + progress.batch / progress.batches / (progress.epoch + 1)
            bar.update(bar.task_ids[0], completed=done, total=progress.stages, words=words)
        elif progress.stage != self._stage or time.monotonic() - self._said > _SILENCE:
            self._stage, self._said = progress.stage, time.monotonic()
            typer.echo(words, err=True)

    def close(self) -> None:
        """Give the terminal back."""
        if self._bar is not None:
            self._bar.stop()

    def _started(self) -> Any:
        if self._bar is not None:
            return self._bar
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        bar = self._bar = Progress(
            BarColumn(bar_width=6),
            TextColumn("{task.fields[words]}"),
            console=Console(stderr=True),
            transient=True,
        )
        bar.add_task("stages", total=None, words="")
        bar.start()
        return bar

    @staticmethod
    def _words(progress: Any) -> str:
        best = f"  best {progress.best_loss:.3f}" if progress.best_loss < _NO_LOSS else ""
        left = round(progress.least_seconds_left)
        clock = f"  {left // 60}:{left % 60:02}+ left" if left else ""
        return (
            f"stage {progress.stage}/{progress.stages} {progress.layers}: epoch {progress.epoch}"
            f"  loss {progress.train_loss:.3f}{best}{clock}"
        )


def _option(text: str) -> Any:
    return typer.Option(help=text, rich_help_panel="Training")


@app.command()
def finetune(
    train: Annotated[
        Path,
        typer.Argument(
            help="Labelled texts: CSV, TSV, JSON lines or Parquet. A column `split` may name "
            "validation and test rows.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model bundle to make.")],
    validation: Annotated[
        Path | None, typer.Option(help="To choose on.  [default: a part of TRAIN]")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="To measure the finished model on; decides nothing.")
    ] = None,
    method: Annotated[
        Method, typer.Option(help="Which layers learn, and in which order.")
    ] = "chain-thaw",
    base: Annotated[
        Path | None,
        typer.Option(
            help="The bundle to start from, or a shipped model's name.  "
            "[default: the shipped model]"
        ),
    ] = None,
    text_column: Annotated[str | None, typer.Option(help="Where the texts are.")] = None,
    label_column: Annotated[str | None, typer.Option(help="Where the labels are.")] = None,
    multi_label: Annotated[
        bool | None,
        typer.Option(
            "--multi-label/--single-label",
            help="Whether several labels may hold.  [default: if that occurs]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, _option("Decides split, new weights, draws and dropout.")] = 0,
    epochs: Annotated[int, _option("Of each stage, at the most.")] = _DEFAULT.epochs,
    epoch_size: Annotated[int, _option("Texts of an epoch.")] = _DEFAULT.epoch_size,
    batch_size: Annotated[
        int, _option("Texts a step; 0: 250, or 50 if texts are long.")
    ] = _DEFAULT.batch_size,
    patience: Annotated[
        int, _option("Epochs without a better one before a stage ends.")
    ] = _DEFAULT.patience,
    new_learning_rate: Annotated[float, _option("Of new layers.")] = _DEFAULT.new_learning_rate,
    learning_rate: Annotated[float, _option("Of pretrained layers.")] = _DEFAULT.learning_rate,
    clip_norm: Annotated[float, _option("Largest norm of a gradient.")] = _DEFAULT.clip_norm,
    embedding_l2: Annotated[float, _option("Penalty on the embedding.")] = _DEFAULT.embedding_l2,
    embedding_dropout: Annotated[
        float, _option("Share of embedding channels dropped.")
    ] = _DEFAULT.embedding_dropout,
    final_dropout: Annotated[
        float, _option("Share dropped before the last layer.")
    ] = _DEFAULT.final_dropout,
    extend: Annotated[int, _option("Most new words of TRAIN to learn.")] = _DEFAULT.extend,
    max_tokens: Annotated[
        int, _option("Texts are cut there; 0: where the base cuts, or later (docs/finetune.md).")
    ] = _DEFAULT.max_tokens,
    class_weights: Annotated[
        bool, typer.Option("--class-weights", help="Rare classes count as much as frequent ones.")
    ] = _DEFAULT.class_weights,
    validation_share: Annotated[
        float, _option("Of TRAIN, where no validation texts are given.")
    ] = _DEFAULT.validation_share,
    device: Annotated[Device, typer.Option(help="Where to train.")] = "auto",
    precision: Annotated[
        Arithmetic,
        typer.Option(help="Of the arithmetic, auto: the faster one; weights are always fp32."),
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report.")] = False,
) -> None:
    """Tune a model to your own labels. Stopped and run again, it goes on.

    Example: [bold]deepmoji finetune reviews.csv --test unseen.csv --out my-model[/bold]
    """
    settings = FineTuneConfig(
        epochs=epochs,
        epoch_size=epoch_size,
        batch_size=batch_size,
        patience=patience,
        new_learning_rate=new_learning_rate,
        learning_rate=learning_rate,
        clip_norm=clip_norm,
        embedding_l2=embedding_l2,
        embedding_dropout=embedding_dropout,
        final_dropout=final_dropout,
        extend=extend,
        max_tokens=max_tokens,
        class_weights=class_weights,
        validation_share=validation_share,
    )
    options: dict[str, Any] = settings.to_dict() | {
        "text_column": text_column,
        "label_column": label_column,
        "multi_label": multi_label,
        "device": device,
        "precision": precision,
    }
    if test is not None:
        options["test"] = test
    from deepmoji.transfer.finetune import finetune as run

    check_replaceable(out)
    unfinished = _unfinished(out)
    line = TuningLine()
    try:
        tuned = run(
            train,
            validation,
            base=base,
            method=method,
            seed=seed,
            report=line,
            folder=unfinished,
            **options,
        )
    finally:
        line.close()
    tuned.save(out)
    shutil.rmtree(unfinished, ignore_errors=True)
    if as_json:
        typer.echo(json.dumps(tuned.report, indent=1, ensure_ascii=False))
    else:
        _show(tuned.report)
        typer.echo(f"{out} is a model now. Try: deepmoji predict --model {out} 'so tired'")


def _unfinished(out: Path) -> Path:
    """Return where a run is kept until it is finished, and its folder removed.

    Raises:
        InputError: if something else has that name.
    """
    whole = out.resolve()  # "." has no name
    folder = whole.with_name(f"{whole.name}.training")
    foreign = folder.exists() and (
        not folder.is_dir()
        or any(
            not path.match(PARTIAL) and path.name not in (LATEST, LOCK) for path in folder.iterdir()
        )
    )
    if foreign:
        raise InputError(
            f"{folder}, where the run would be kept until it is finished, is something else; "
            "rename it, or choose another --out"
        )
    return folder


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from deepmoji.inference.render import printable

    data, measures = report["data"], report["measures"]
    parts = [name for name in ("train", "validation", "test") if name in data]
    console = Console()
    classes = Table(title="Texts of each class", title_justify="left")
    classes.add_column("")
    for part in parts:
        classes.add_column(part, justify="right")
    for name in data["train_by_class"]:  # as it is, not as the markup that it may look like
        classes.add_row(
            Text(printable(name)), *(f"{data[f'{part}_by_class'][name]:,}" for part in parts)
        )
    classes.add_row("all", *(f"{data[part]:,}" for part in parts), style="bold")
    console.print(classes)
    marks = Table(title="Measures in %", title_justify="left")
    marks.add_column("")
    for part in measures:
        marks.add_column(part, justify="right")
    for name in measures["validation"]:
        cells = (f"{100 * measures[part][name]:.1f}" for part in measures)
        marks.add_row(name.replace("_", " "), *cells)
    console.print(marks)
    for note in _notes(data):
        console.print(note, highlight=False)


def _notes(data: dict[str, Any]) -> list[str]:
    notes: list[str] = []
    if data["validation_held_out_of_train"]:
        notes.append(f"{data['validation']} training texts were held out for validation.")
    copies = (
        ("train_copies", "training texts are copies of others"),
        ("validation_texts_in_train", "validation texts stand in the training texts"),
        ("test_texts_in_train", "test texts stand in the training texts: the figures flatter"),
        ("test_texts_in_validation", "test texts stand in the validation texts"),
    )
    notes += [f"{data[name]} {words}." for name, words in copies if data.get(name)]
    if data["words_added"]:
        notes.append(
            f"{data['words_added']:,} words were added; of the validation texts' words "
            f"{data['validation_unknown_share']:.1%} are unknown, "
            f"{data['validation_unknown_share_before']:.1%} before."
        )
    return notes
