"""`deepmoji evaluate`: how well a model predicts the emojis of posts that it never saw."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deepmoji.bundle import SHIPPED, model_folder
from deepmoji.errors import require
from deepmoji.files import write_json

app = typer.Typer(rich_markup_mode="rich")

_COLUMNS = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5")


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


@app.command()
def evaluate(
    corpus: Annotated[
        Path, typer.Argument(help="The corpus folder that it was trained on.", show_default=False)
    ],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            help="A model bundle, or a shipped model's name; may be given repeatedly.  "
            "[default: the shipped one]"
        ),
    ] = None,
    split: Annotated[Literal["test", "validation"], typer.Option(help="Of the corpus.")] = "test",
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Train fastText on the same pairs, for comparison.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the results there, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure emoji prediction: top 1 and top 5, on posts as they occur and balanced by emoji.

    On the balanced set every system's scores are divided by how often it saw each emoji in
    training. The prior, which says the same of every text, is always in the table.

    Example: [bold]deepmoji evaluate corpus --model my-model --baseline[/bold]
    """
    require("pyarrow", "corpus")
    from deepmoji.corpus.shards import CorpusFolder
    from deepmoji.evaluation.emoji import EmojiExam
    from deepmoji.inference.predictor import load

    folder = CorpusFolder.open(corpus)
    exam = EmojiExam(
        train=folder.read_train(),
        test=folder.read_split(split),
        labels=folder.labels,
        words=folder.vocabulary.words,
    )
    systems = {"prior": exam.prior()}
    if baseline:
        systems["fastText"] = exam.fasttext()
    for path in model or [None]:
        systems[_name(path)] = exam.model(load(path))
    result = {"split": split, **exam.sizes(), "systems": systems}
    if out is not None:
        write_json(out, result)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        _show(result)


def _name(path: Path | None) -> str:
    """Return what a model is called in results: its folder's name, not where that lies."""
    folder = SHIPPED if path is None else model_folder(path).absolute()
    return "shipped" if folder.resolve() == SHIPPED.resolve() else folder.name


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{result['split']}: {result['natural']:,} natural and {result['balanced']:,} "
        "balanced pairs, accuracy in %",
        title_justify="left",
    )
    table.add_column("")
    for name in _COLUMNS:
        table.add_column(name.replace("_", " ").replace("top", "top "), justify="right")
    for system, values in result["systems"].items():
        table.add_row(system, *(f"{100 * values[name]:.1f}" for name in _COLUMNS))
    Console().print(table)
