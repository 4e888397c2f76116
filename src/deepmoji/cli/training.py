"""`deepmoji pretrain` and `deepmoji export`: from a corpus to a model, and to a smaller one."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from deepmoji.bundle import Bundle
from deepmoji.config import Gates, ModelConfig, PretrainConfig
from deepmoji.errors import InputError, require

app = typer.Typer(rich_markup_mode="rich")

_SCORES = {"natural_top1", "natural_top5", "balanced_top1", "balanced_top5"}
_SILENCE = 60.0  # seconds at the most between two lines of a log
Device = Literal["auto", "cpu", "cuda", "mps"]
Arithmetic = Literal["bf16-mixed", "32-true"]
Precision = Literal["int8", "fp32"]
Target = Literal["bundle", "keras", "torchmoji"]
_DEFAULT = PretrainConfig()
_SIZES = ModelConfig()


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
                f"step {progress.step:,} of {progress.steps:,}  loss {progress.loss:.4f}  "
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

    def close(self) -> None:
        """Give the terminal back."""
        if self._bar is not None:
            self._bar.stop()

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, highlight=False)
        else:
            typer.echo(line, err=True)

    def _start(self, progress: Any) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
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


def _option(text: str) -> Any:
    return typer.Option(help=text, rich_help_panel="Training")


@app.command()
def pretrain(
    corpus: Annotated[Path, typer.Argument(help="A corpus folder.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model bundle to make.")],
    init: Annotated[
        Path | None,
        typer.Option(help="A model whose weights to start from, of the same sizes and gates."),
    ] = None,
    units: Annotated[int, typer.Option(help="LSTM units of each direction.", min=1)] = _SIZES.units,
    embedding_size: Annotated[
        int, typer.Option(help="Numbers a word.", min=1)
    ] = _SIZES.embedding_size,
    gates: Annotated[
        Gates, typer.Option(help="hard_sigmoid is what the original has.")
    ] = "sigmoid",
    epochs: Annotated[float, _option("Passes over the pairs.")] = _DEFAULT.epochs,
    batch_size: Annotated[int, _option("Pairs a step, over all processes.")] = _DEFAULT.batch_size,
    learning_rate: Annotated[float, _option("Adam's, at its peak.")] = _DEFAULT.learning_rate,
    warmup: Annotated[int, _option("Steps in which it rises.")] = _DEFAULT.warmup,
    decay: Annotated[float, _option("Share of the steps in which it falls.")] = _DEFAULT.decay,
    clip_norm: Annotated[float, _option("Largest norm of a gradient.")] = _DEFAULT.clip_norm,
    embedding_l2: Annotated[float, _option("Penalty on the embedding.")] = _DEFAULT.embedding_l2,
    embedding_range: Annotated[
        float, _option("The embedding starts uniform in +- this.")
    ] = _DEFAULT.embedding_range,
    embedding_dropout: Annotated[
        float, _option("Share of embedding channels dropped.")
    ] = _DEFAULT.embedding_dropout,
    final_dropout: Annotated[
        float, _option("Share dropped before the last layer.")
    ] = _DEFAULT.final_dropout,
    label_smoothing: Annotated[float, _option("Of the targets.")] = _DEFAULT.label_smoothing,
    balance: Annotated[
        float, _option("0 draws emojis as they occur, 1 each as often.")
    ] = _DEFAULT.balance,
    max_tokens: Annotated[int, _option("Training texts are cut there.")] = _DEFAULT.max_tokens,
    evaluate_every: Annotated[int, _option("Steps.")] = _DEFAULT.evaluate_every,
    checkpoint_every: Annotated[int, _option("Steps.")] = _DEFAULT.checkpoint_every,
    patience: Annotated[
        int, _option("Evaluations without a better one before it stops.")
    ] = _DEFAULT.patience,
    seed: Annotated[int, _option("Decides weights, order and dropout.")] = _DEFAULT.seed,
    device: Annotated[Device, typer.Option(help="Where to train.")] = "auto",
    processes: Annotated[
        int, typer.Option(help="Data-parallel processes; 0: one a core, or one a GPU.")
    ] = 0,
    precision: Annotated[
        Arithmetic, typer.Option(help="Of the arithmetic; weights are always fp32.")
    ] = "bf16-mixed",
) -> None:
    """Train a model to predict the emojis of posts. Stopped and run again, it goes on.

    Example: [bold]deepmoji pretrain corpus --out my-model --epochs 2[/bold]
    """
    config = PretrainConfig(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        warmup=warmup,
        decay=decay,
        clip_norm=clip_norm,
        embedding_l2=embedding_l2,
        embedding_range=embedding_range,
        embedding_dropout=embedding_dropout,
        final_dropout=final_dropout,
        label_smoothing=label_smoothing,
        balance=balance,
        max_tokens=max_tokens,
        evaluate_every=evaluate_every,
        checkpoint_every=checkpoint_every,
        patience=patience,
        seed=seed,
    )
    sizes = ModelConfig(units=units, embedding_size=embedding_size, gates=gates)
    _require_training()
    from deepmoji.training.pretrain import Hardware
    from deepmoji.training.pretrain import pretrain as run

    hardware = Hardware(device=device, processes=processes, precision=precision)
    line = ProgressLine()
    run(corpus, out, model=sizes, config=config, hardware=hardware, report=line, init=init)
    if os.environ.get("RANK", "0") == "0":
        typer.echo(f"{out} is a model now. Try: deepmoji predict --model {out} 'so tired'")


@app.command()
def export(
    model: Annotated[
        Path, typer.Argument(help="A bundle that holds training weights.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The bundle, or file, to make.")],
    target: Annotated[
        Target,
        typer.Option(
            "--format",
            help="A bundle, or the weights alone as a file of Keras 2 (HDF5) or torchMoji.",
        ),
    ] = "bundle",
    precision: Annotated[
        Precision | None,
        typer.Option(
            help="Of a bundle: int8 (a quarter of the size, and faster; default) or fp32."
        ),
    ] = None,
    texts: Annotated[
        Path | None,
        typer.Option(help="Real texts, one a line, to compare both forms on, for the card."),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="What `deepmoji evaluate --out` wrote, for the card."),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="CORPUS",
            help="Calibrate a model that pretrain has not: the corpus folder it was trained on.",
        ),
    ] = None,
    note: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="A sentence about this model, for the card; may be given repeatedly.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a bundle for inference alone, or a file that other programs read.

    How well the bundle agrees with the one it comes from is measured and printed.

    Example: [bold]deepmoji export my-model --out my-small-model --texts posts.txt[/bold]
    """
    _require_training()
    if target != "bundle":
        if precision or texts or scores or calibrate or note:
            raise InputError(
                "--precision, --texts, --scores, --calibrate, --note are for --format bundle alone"
            )
        from deepmoji.interop.writing import export_weights

        written = export_weights(model, out, target=target)
        typer.echo(f"{written} holds the weights now, for {target}")
        if target == "torchmoji" and Bundle.open(model).config.gates == "sigmoid":
            typer.echo(
                "A state dict does not say which gates its LSTMs have, and torchMoji computes hard "
                "sigmoid ones, this model logistic ones: import it with --gates sigmoid.",
                err=True,
            )
        return
    from deepmoji.training.export import SAMPLE_TEXTS
    from deepmoji.training.export import export as run

    lines = texts.read_text("utf-8", "replace").splitlines() if texts else SAMPLE_TEXTS
    bundle = run(
        model,
        out,
        precision=precision or "int8",
        texts=lines,
        scores=_systems(scores) if scores else None,
        calibrate=calibrate,
        notes=note or (),
    )
    if calibrate:
        _say_calibration(bundle.training["calibration"])
    typer.echo(json.dumps(dict(bundle.training["agreement_with_fp32"]), indent=1))


def _say_calibration(record: Any) -> None:
    errors = " ".join(
        f"{split} {record[split]['before']['calibration_error']:.2%} before, "
        f"{record[split]['after']['calibration_error']:.2%} after;"
        for split in ("validation", "test")
        if record[split]["rows"]
    )
    line = f"temperature {record['temperature']:.4f}; expected calibration error: {errors}"
    typer.echo(line.rstrip(";"), err=True)


def _systems(path: Path) -> dict[str, Any]:
    from deepmoji.files import read_json

    content: Any = read_json(path)
    values = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    systems = values.get("systems")
    if not isinstance(systems, dict) or not all(
        isinstance(scores, dict) and cast("dict[str, Any]", scores).keys() >= _SCORES
        for scores in cast("dict[str, Any]", systems).values()
    ):
        raise InputError(f"{path} holds no scores; write it with: deepmoji evaluate --out {path}")
    return cast("dict[str, Any]", systems)


def _require_training() -> None:
    for module in ("torch", "lightning_fabric", "onnx", "safetensors", "pyarrow"):
        require(module, "train")
