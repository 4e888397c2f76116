"""`deepmoji fit-projection`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deepmoji.cli.common import as_text, progress
from deepmoji.cli.inputs import COLUMN, text_batches
from deepmoji.cli.predict import Column, Files

app = typer.Typer(rich_markup_mode="rich")

_COMPONENTS = 64
_SHOWN = (8, 16, 32, 64, 128, 256)


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


@app.command("fit-projection")
def fit_projection(
    context: typer.Context,
    model: Annotated[
        Path, typer.Argument(help="The bundle that it is written into.", show_default=False)
    ],
    file: Files = None,
    text_column: Column = COLUMN,
    components: Annotated[
        int, typer.Option(min=1, metavar="K", help="The most numbers to reduce encodings to.")
    ] = _COMPONENTS,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Fit what `encode --reduce` needs: principal components of the encodings of texts.

    Take a few thousand texts or more, of the kind that will be encoded; without --file they are
    read from standard input.

    Example: [bold]deepmoji fit-projection my-model --file posts.txt[/bold]
    """
    from deepmoji.cli.predict import named
    from deepmoji.inference.predictor import load
    from deepmoji.inference.projection import Projection

    batches = text_batches([], file or [], named(context, text_column))
    predictor = load(model)
    read = progress(batches, "encoding", show=not sys.stdout.isatty())
    projection = Projection.fit(map(predictor.encode, read), components)
    projection.save(predictor.bundle.projection)
    kept = {size: projection.kept(size) for size in _SHOWN if size <= len(projection)}
    if as_json:
        facts = {"texts": projection.texts, "components": len(projection), "variance_kept": kept}
        typer.echo(as_text(facts, indent=1))
        return
    shares = ", ".join(f"{size}: {share:.1%}" for size, share in kept.items())
    typer.echo(
        f"{model} reduces encodings to up to {len(projection)} numbers now, fitted on "
        f"{projection.texts:,} texts; variance kept by {shares}"
    )
