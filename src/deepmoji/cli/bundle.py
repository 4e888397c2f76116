"""`deepmoji info`."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from deepmoji.bundle import SHIPPED, Bundle, shipped_models, shipped_name
from deepmoji.cli.common import as_text
from deepmoji.errors import BundleError

# What model hubs read at the head of a card, and no person wants to.
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)

app = typer.Typer(rich_markup_mode="rich")


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


@app.command()
def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A model bundle (folder), or the name of a shipped model; default by default.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a model is, its sizes, labels, files, model card and scores; and which ones ship.

    Example: [bold]deepmoji info my-model[/bold]
    """
    if model is None and not SHIPPED.is_dir():
        raise BundleError("this installation ships no model; name the folder of a model bundle")
    bundle = Bundle.open(model or SHIPPED)
    if as_json:
        typer.echo(as_text(_facts(bundle), indent=1))
    else:
        _show(bundle)


def _facts(bundle: Bundle) -> dict[str, Any]:
    return {
        "folder": str(bundle.folder),
        "shipped": shipped_models(),
        "model": bundle.config.to_dict() | {"features": bundle.config.features},
        "max_tokens": bundle.max_tokens,
        "labels": list(bundle.labels),
        "files": _sizes(bundle),
        "training": dict(bundle.training),
        "card": bundle.card,
    }


def _sizes(bundle: Bundle) -> dict[str, int]:
    files = sorted(path for path in bundle.folder.iterdir() if path.is_file())
    return {path.name: path.stat().st_size for path in files}


def _show(bundle: Bundle) -> None:
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.table import Table
    from rich.text import Text

    from deepmoji.inference.render import printable

    config, sizes = bundle.config, _sizes(bundle)
    gap = " " if all(len(label) == 1 for label in bundle.labels) else ", "
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    rows = {
        "model": str(bundle.folder),
        "vocabulary": f"{config.vocabulary_size:,} tokens, {config.embedding_size} numbers each",
        "network": f"2 bidirectional LSTM layers of {config.units} units a direction, "
        f"{config.gates.replace('_', ' ')} gates",
        "encoding": f"{config.features:,} numbers a text",
        "reads": f"up to {bundle.max_tokens} words of a text",
        "labels": f"{config.classes}: {gap.join(bundle.labels)}",
        "files": ", ".join(f"{name} {_readable(size)}" for name, size in sizes.items()),
    }
    for name, value in rows.items():  # as they are: neither markup nor what acts on a terminal
        table.add_row(name, Text(printable(value)))
    if shipped_name(bundle.folder):
        table.add_row("shipped", ", ".join(shipped_models()))
    console = Console(highlight=False)
    console.print(table)
    if bundle.card:
        console.print()
        card = map(printable, _FRONT_MATTER.sub("", bundle.card).split("\n"))
        console.print(Markdown("\n".join(card)))


def _readable(size: int) -> str:
    if size >= 100_000:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1e3:.1f} kB" if size >= 1000 else f"{size} B"
