"""`deepmoji export`: a trained model to a smaller one, or to another program's file."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from deepmoji.bundle import Bundle
from deepmoji.cli.common import require_training
from deepmoji.errors import InputError

app = typer.Typer(rich_markup_mode="rich")

_LEAST_AGREEMENT = 0.99  # of the most probable emoji, before and after quantisation
_ENOUGH_TEXTS = 100  # of fewer, one that differs says nothing
_SCORES = {"natural_top1", "natural_top5", "balanced_top1", "balanced_top5"}
Precision = Literal["int8", "fp32"]
Target = Literal["bundle", "keras", "torchmoji"]


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
    require_training()
    if target != "bundle":
        if precision or texts or scores or calibrate or note:
            raise InputError(
                "--precision, --texts, --scores, --calibrate, --note are for --format bundle alone"
            )
        from deepmoji.interop.writing import export_weights

        written = export_weights(model, out, target=target)
        typer.echo(f"{written} holds the weights now, for {target}")
        if target == "torchmoji" and Bundle.open(model).config.gates == "sigmoid":
            _warn(
                "torchMoji's LSTMs have hard sigmoid gates, this model's logistic ones: "
                "torchMoji would give other answers. deepmoji import sees which they are."
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
    agreement: Any = bundle.training["agreement_with_fp32"]
    typer.echo(json.dumps(dict(agreement), indent=1))
    if agreement["texts"] >= _ENOUGH_TEXTS and agreement["top1_agreement"] < _LEAST_AGREEMENT:
        _warn(
            f"the most probable emoji is the same for only {agreement['top1_agreement']:.1%} of "
            f"the texts, less than {_LEAST_AGREEMENT:.0%}; --precision fp32 loses nothing"
        )


def _warn(text: str) -> None:
    typer.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
    typer.echo(text, err=True)


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
