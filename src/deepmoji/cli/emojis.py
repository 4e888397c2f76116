"""`deepmoji emojis`: which emojis a model uses alike."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepmoji.cli.common import as_text, progress
from deepmoji.cli.inputs import COLUMN, text_batches
from deepmoji.cli.predict import Column, Files, Model, named
from deepmoji.emojis.naming import place_of
from deepmoji.errors import require

if TYPE_CHECKING:
    from deepmoji.emojis.map import EmojiMap
    from deepmoji.inference.predictor import Predictor

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Show which emojis a model uses alike: tree, groups, plane, neighbours, typical texts.",
)

_GROUPS = 14
_BATCH = 2048
Corpus = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="A corpus folder: the texts of its balanced test set.",
        show_default=False,
    ),
]
Emoji = Annotated[str, typer.Argument(help="One of the model's labels.", show_default=False)]
Count = Annotated[int, typer.Option("--top", "-n", min=1, metavar="N", help="How many.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("map")
def map_command(
    context: typer.Context,
    file: Files = None,
    text_column: Column = COLUMN,
    corpus: Corpus = None,
    model: Model = None,
    groups: Annotated[int, typer.Option(min=1, help="How many to cut the tree into.")] = _GROUPS,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the map there, as JSON.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Write the tree, as this with .png and .svg, and the plane, -plane."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Cluster the emojis by how a model's probabilities for them go together, and show the tree.

    Average linkage on the correlations over the texts: thousands of texts, of all kinds.

    Example: [bold]deepmoji emojis map --file posts.txt --out map.json --plot emojis[/bold]
    """
    require("scipy", "eval")
    if plot is not None:
        require("matplotlib", "eval")
    batches = _texts(context, file, text_column, corpus)
    from deepmoji.emojis.map import check_groups
    from deepmoji.inference.predictor import load

    predictor = load(model)
    check_groups(groups, predictor.labels)  # told before the texts are read
    found = _measured(batches, predictor)
    result = found.to_dict(groups)
    if out is not None:
        from deepmoji.files import write_json

        write_json(out, result)
    if plot is not None:
        _plot(found, groups, plot)
    if as_json:
        typer.echo(as_text(result, indent=1))
    else:
        _show(found, result)


@app.command()
def nearest(
    context: typer.Context,
    emoji: Emoji,
    file: Files = None,
    text_column: Column = COLUMN,
    corpus: Corpus = None,
    model: Model = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="What `emojis map --out` wrote, instead."),
    ] = None,
    top: Count = 5,
    as_json: Json = False,
) -> None:
    """Name the emojis that a model uses most like one, with the correlations.

    Example: [bold]deepmoji emojis nearest 😂 --map map.json[/bold]
    """
    require("scipy", "eval")
    if map_file is not None:
        if file or corpus or model:
            raise typer.BadParameter("--map stands for the texts and the model; give one of them")
        from deepmoji.emojis.map import EmojiMap
        from deepmoji.files import read_json

        found = EmojiMap.from_dict(read_json(map_file))
    else:
        from deepmoji.inference.predictor import load

        batches = _texts(context, file, text_column, corpus)
        predictor = load(model)
        place_of(emoji, predictor.labels)  # told before the texts are read
        found = _measured(batches, predictor)
    rows = found.nearest(emoji, top)
    if as_json:
        typer.echo(as_text([{"label": each, "correlation": alike} for each, alike in rows]))
        return
    from deepmoji.inference.render import printable

    for label, alike in rows:
        typer.echo(f"{printable(label)}  {alike:+.2f}")


@app.command()
def typical(
    context: typer.Context,
    emoji: Emoji,
    file: Files = None,
    text_column: Column = COLUMN,
    corpus: Corpus = None,
    model: Model = None,
    top: Count = 10,
    as_json: Json = False,
) -> None:
    """Find the texts that are most typical of an emoji: where its probability is highest.

    Example: [bold]deepmoji emojis typical 😂 --file posts.txt[/bold]
    """
    from deepmoji.emojis.typical import most_typical
    from deepmoji.inference.predictor import load
    from deepmoji.inference.render import printable

    batches = _texts(context, file, text_column, corpus)
    predictor = load(model)
    place = place_of(emoji, predictor.labels)
    shown = progress(batches, "predicting", show=not sys.stdout.isatty() or not as_json)
    for text, probability in most_typical(predictor, shown, place, top):
        if as_json:
            typer.echo(as_text({"text": text, "probability": round(probability, 6)}))
        else:
            typer.echo(f"{probability:6.1%}  {printable(text)}")


def _texts(
    context: typer.Context, file: list[Path] | None, column: str, corpus: Path | None
) -> Iterator[list[str]]:
    """Yield the texts of files, standard input or a corpus."""
    if corpus is None:
        return text_batches([], file or [], named(context, column))
    if file:
        raise typer.BadParameter("give --file or --corpus, not both")
    require("pyarrow", "corpus")
    from deepmoji.corpus.shards import CorpusFolder

    split = CorpusFolder.open(corpus).read_split("test")
    rows = zip(split.texts or (), split.balanced if split.balanced is not None else (), strict=True)
    # A post with several emojis stands there once for each.
    distinct = list(dict.fromkeys(text for text, balanced in rows if balanced))
    return (distinct[start : start + _BATCH] for start in range(0, len(distinct), _BATCH))


def _measured(batches: Iterable[list[str]], predictor: "Predictor") -> "EmojiMap":
    import numpy as np

    from deepmoji.emojis.map import EmojiMap

    blocks = [predictor.scores(batch) for batch in progress(batches, "predicting")]
    empty = np.empty((0, len(predictor.labels)), np.float32)
    return EmojiMap.of(np.concatenate([empty, *blocks]), predictor.labels)


def _plot(found: "EmojiMap", groups: int, stem: Path) -> None:
    from deepmoji.emojis.glyphs import VARIABLE, find_glyphs
    from deepmoji.emojis.pictures import draw_plane, draw_tree

    glyphs = find_glyphs()
    if glyphs is None:
        typer.echo(
            "no colour emoji font was found: the .png has names instead, the .svg shows what its "
            f"reader's fonts have. Install one (fonts-noto-color-emoji) or name it in {VARIABLE}",
            err=True,
        )
    draw_tree(found, groups, glyphs, stem)
    draw_plane(found, groups, glyphs, stem.with_name(f"{stem.name}-plane"))


def _show(found: "EmojiMap", result: dict[str, Any]) -> None:
    from rich.cells import set_cell_size
    from rich.console import Console
    from rich.text import Text

    from deepmoji.emojis.dendrogram import tree_lines
    from deepmoji.inference.render import printable

    console = Console(highlight=False)
    leaves = [found.labels.index(label) for label in result["leaves"]]
    widest = max(2, max(map(len, found.labels)))
    console.print(
        f"{len(leaves)} labels over {found.texts:,} texts; branches join at 1 - correlation, the "
        "more alike the further left"
    )
    for label, branches in tree_lines(found, leaves, max(20, console.width - widest - 2)):
        name = set_cell_size(printable(label), widest)
        console.print(Text(f"{name} {branches}", no_wrap=True))
    console.print()
    for number, group in enumerate(result["groups"], start=1):
        console.print(Text(f"{number:3}  {printable(' '.join(group))}"))
