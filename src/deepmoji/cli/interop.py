"""`deepmoji import` and `deepmoji verify`: weights of other programs."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepmoji.cli.common import as_text
from deepmoji.config import ORIGINAL_TOKENS, Gates
from deepmoji.errors import InputError

if TYPE_CHECKING:
    from deepmoji.interop.verify import Verdict

app = typer.Typer(rich_markup_mode="rich")

_Vocabulary = Annotated[
    Path | None,
    typer.Option(help="Of a weight file: the vocabulary.json it was trained with."),
]
_Gates = Annotated[
    Gates | None,
    typer.Option(help="Of its LSTMs, where the file cannot tell. The original's are hard_sigmoid."),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("import")
def import_(
    weights: Annotated[
        Path,
        typer.Argument(
            help="Weights of DeepMoji (Keras 2 HDF5), torchMoji (a state dict) or deepmoji-onnx.",
            show_default=False,
        ),
    ],
    vocabulary: Annotated[
        Path, typer.Option(help="The vocabulary.json that they were trained with.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The bundle to make.")],
    gates: _Gates = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Names of the classes, one a line; the 64 emojis, or numbers."),
    ] = None,
    max_tokens: Annotated[
        int, typer.Option(help="Words of a text that it reads; the original read 30.")
    ] = ORIGINAL_TOKENS,
    as_json: _Json = False,
) -> None:
    """Make a bundle of the original's weights: for predict, finetune, export and load.

    Example: [bold]deepmoji import model.bin --vocabulary vocabulary.json --out original[/bold]
    """
    from deepmoji.interop.bundles import import_weights

    names = _lines(labels) if labels else None
    bundle = import_weights(
        weights, out, vocabulary=vocabulary, gates=gates, labels=names, max_tokens=max_tokens
    )
    facts = {
        "out": str(bundle.folder),
        **bundle.training["imported"],
        "model": bundle.config.to_dict(),
        "max_tokens": bundle.max_tokens,
    }
    if as_json:
        typer.echo(as_text(facts, indent=1))
        return
    typer.echo(
        f"{out} is a model now, of {facts['format']} weights: {bundle.config.classes} classes, "
        f"{bundle.config.vocabulary_size:,} words, {bundle.config.gates.replace('_', ' ')} gates. "
        f"Whether it is the original: deepmoji verify {shlex.quote(str(out))}"
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error


@app.command()
def verify(
    model: Annotated[Path, typer.Argument(help="A bundle, or a weight file.", show_default=False)],
    vocabulary: _Vocabulary = None,
    gates: _Gates = None,
    as_json: _Json = False,
) -> None:
    """Say whether a model answers as the published DeepMoji does; exit code 1 if not.

    It asks the seven sentences of the original's tests.

    Example: [bold]deepmoji verify model.bin --vocabulary vocabulary.json[/bold]
    """
    from deepmoji.interop.loading import load
    from deepmoji.interop.verify import verify as ask

    verdict = ask(load(model, vocabulary=vocabulary, gates=gates))
    if as_json:
        typer.echo(as_text(verdict.to_dict(), indent=1))
    else:
        _show(verdict)
    if not verdict.is_original:
        raise typer.Exit(1)


def _show(verdict: "Verdict") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from deepmoji.inference.render import printable

    table = Table(box=None, pad_edge=False)
    for title in ("text", "the original", "this model", ""):
        table.add_column(title)
    for answer in verdict.answers:
        mark = "✓" if answer.agrees else "✗"
        found = Text(printable(" ".join(answer.found)))
        table.add_row(answer.text, " ".join(answer.expected), found, mark)
    console = Console(highlight=False)
    console.print(table)
    agreeing = sum(answer.agrees for answer in verdict.answers)
    console.print(
        f"{agreeing} of {len(verdict.answers)} agree; the mean features differ by up to "
        f"{verdict.feature_difference:.4f}."
    )
    is_it = "This is the original." if verdict.is_original else "This is not the original."
    console.print(is_it, style="bold")
