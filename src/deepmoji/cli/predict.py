"""`deepmoji predict` and `deepmoji encode`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deepmoji.cli.common import as_text, progress
from deepmoji.cli.inputs import COLUMN, text_batches

if TYPE_CHECKING:
    from deepmoji.inference.prediction import Prediction

app = typer.Typer(rich_markup_mode="rich")

Texts = Annotated[
    list[str] | None,
    typer.Argument(
        help="Texts to read; without any, --file or standard input.",
        show_default=False,
    ),
]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="A file with one text on each line, or a .csv, .tsv or .jsonl with a column or field "
        "of texts; - is standard input. Can be given several times.",
        show_default=False,
    ),
]
Column = Annotated[
    str,
    typer.Option(
        "--text-column", metavar="NAME", help="The column of .csv and .tsv, the field of .jsonl."
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="A model bundle (folder), or the name of a shipped model; default by default.",
        show_default=False,
    ),
]
# As `inference.reading.LongTexts`, which is not imported here: a command starts without NumPy.
LongTexts = Annotated[
    Literal["cut", "attention", "mean"],
    typer.Option(
        "--long-texts",
        help="Of texts longer than the model reads: the beginning (cut), or all of it, in windows "
        "weighed by the attention that they draw, or all alike (mean).",
    ),
]
Stride = Annotated[
    int | None,
    typer.Option(
        "--stride",
        min=1,
        metavar="N",
        help="Words from one window to the next at most; half a window by default.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for each text.")]


@app.command()
def predict(
    context: typer.Context,
    texts: Texts = None,
    file: Files = None,
    text_column: Column = COLUMN,
    model: Model = None,
    top: Annotated[
        int, typer.Option("--top", "-n", min=1, metavar="N", help="How many labels.")
    ] = 5,
    shown: Annotated[
        Literal["labels", "emotions"],
        typer.Option("--as", help="The labels, or what a table from emojis to emotions makes."),
    ] = "labels",
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --as emotions, a table of your own (TOML; docs/emojis.md).",
            show_default=False,
        ),
    ] = None,
    explain: Annotated[
        Literal["attention", "occlusion"],
        typer.Option(
            help="What words are shaded by: attention, or how the answer changes without the word "
            "(occlusion; the text is read once more for each of its words)."
        ),
    ] = "attention",
    long_texts: LongTexts = "cut",
    stride: Stride = None,
    as_json: Json = False,
) -> None:
    """Predict the emojis of texts, and shade the words that mattered.

    Example: [bold]deepmoji predict "This is the shit" "This is shit"[/bold]

    Example: [bold]deepmoji predict --json --file posts.csv --text-column body > out.jsonl[/bold]

    Example: [bold]deepmoji predict --as emotions "so proud of you"[/bold]

    Example: [bold]deepmoji predict --file reviews.txt --long-texts attention[/bold]
    """
    if table is not None and shown != "emotions":
        raise typer.BadParameter("--table is for --as emotions")
    if explain != "attention" and shown == "emotions":
        raise typer.BadParameter("--explain is for labels, not for --as emotions")
    batches = text_batches(texts or [], file or [], named(context, text_column))
    from deepmoji.inference.predictor import load

    predictor = load(model, long_texts=long_texts, stride=stride)
    if shown == "emotions":
        from deepmoji.cli.emotions import show_emotions

        show_emotions(predictor, batches, table, top=top, as_json=as_json)
        return
    show = _print_json if as_json else _Tables()
    for batch in progress(batches, "predicting", show=not sys.stdout.isatty()):
        show(predictor.predict(batch, top, explain))


@app.command()
def encode(
    context: typer.Context,
    texts: Texts = None,
    file: Files = None,
    text_column: Column = COLUMN,
    model: Model = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The .npy or .parquet to write.", show_default=False
        ),
    ] = None,
    reduce: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="K",
            help="Numbers a text, by the projection in the model (docs/emojis.md); all by default.",
            show_default=False,
        ),
    ] = None,
    long_texts: LongTexts = "cut",
    stride: Stride = None,
    as_json: Json = False,
) -> None:
    """Encode texts as vectors (2,304 numbers with the default model, 800 with small).

    A .npy file holds a float32 array with a row for each text, a .parquet file the columns text
    and encoding.

    Example: [bold]deepmoji encode --file posts.txt --out encodings.npy[/bold]
    """
    if (out is None) == (not as_json):
        raise typer.BadParameter("say where the encodings go: --out FILE or --json, one of them")
    batches = text_batches(texts or [], file or [], named(context, text_column))
    from deepmoji.inference.encodings import SUFFIXES, open_writer
    from deepmoji.inference.predictor import load

    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"--out has to end in {' or '.join(SUFFIXES)}, not {out.name!r}")
    predictor = load(model, long_texts=long_texts, stride=stride)
    if out is None:
        for batch in progress(batches, "encoding", show=not sys.stdout.isatty()):
            encodings = predictor.encode(batch, reduce=reduce).tolist()
            for text, encoding in zip(batch, encodings, strict=True):
                _print_line({"text": text, "encoding": [round(value, 6) for value in encoding]})
            sys.stdout.flush()
        return
    if reduce is not None:
        predictor.encode((), reduce=reduce)  # or what is wrong would be told of a file half made
    rows, features = 0, reduce or predictor.bundle.config.features
    with open_writer(out, features) as writer:
        for batch in progress(batches, "encoding"):
            writer.append(batch, predictor.encode(batch, reduce=reduce))
            rows += len(batch)
    typer.echo(f"{out}: {rows:,} texts, {features:,} numbers each", err=True)


def named(context: typer.Context, column: str) -> str | None:
    """Return the column if the user named one, None where it is the default."""
    source = context.get_parameter_source("text_column")
    return column if source is not None and source.name != "DEFAULT" else None


class _Tables:
    """Prints predictions one below the other, an empty line between them."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console()
        self._first = True

    def __call__(self, predictions: "list[Prediction]") -> None:
        from deepmoji.inference.render import PredictionView

        for prediction in predictions:
            if not self._first:
                self._console.print()
            self._first = False
            self._console.print(PredictionView(prediction))


def _print_json(predictions: "list[Prediction]") -> None:
    from deepmoji.inference.render import to_dict

    for prediction in predictions:
        _print_line(to_dict(prediction))
    sys.stdout.flush()


def _print_line(row: dict[str, object]) -> None:
    sys.stdout.write(as_text(row) + "\n")
