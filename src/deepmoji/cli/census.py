"""`deepmoji corpus census`: which emojis posts hold, and a label set made of them."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deepmoji.corpus import take_census
from deepmoji.corpus.settings import RULES, CorpusSettings
from deepmoji.files import atomic_path

app = typer.Typer(rich_markup_mode="rich")


@app.command("census")
def census_command(
    posts: Annotated[
        list[str],
        typer.Argument(
            metavar="POSTS", help="Files, folders and globs, as of build.", show_default=False
        ),
    ],
    count: Annotated[int, typer.Option(min=1, help="Emojis to propose at the most.")] = 64,
    least: Annotated[int, typer.Option(min=1, help="Posts that must hold each of them.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the proposed emojis there, one a line."),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(help="Column or field of the text; by default text and the like.")
    ] = None,
    lang_column: Annotated[
        str | None,
        typer.Option(help="Column or field of the language code; by default lang or language."),
    ] = None,
    language: Annotated[str, typer.Option(help="Count posts of this language; any: all.")] = "en",
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILTER",
            help=f"Switch off a filter, of {', '.join(RULES)}; may be given repeatedly.",
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; by default all cores.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all counts as JSON.")] = False,
) -> None:
    """Count the emojis of the posts that pass the filters, and propose labels for a corpus.

    Example: [bold]deepmoji corpus census posts/ --count 100 --least 500 --out labels.txt[/bold]
    """
    settings = CorpusSettings(
        text_column=text_column,
        lang_column=lang_column,
        language=language,
        without=tuple(without or ()),
    )
    census = take_census(posts, settings=settings, workers=workers)
    proposed = census.propose(count, least)
    if out is not None:
        with atomic_path(out) as path:
            path.write_text("".join(f"{emoji}\n" for emoji in proposed), encoding="utf-8")
    if as_json:
        content = {**census.to_dict(), "proposed": list(proposed)}
        typer.echo(json.dumps(content, ensure_ascii=False, indent=1))
        return
    shown = Table(title="Proposed labels", title_justify="left")
    for number, name in enumerate(("emoji", "posts", "of those that pass")):
        shown.add_column(name, justify="right" if number else "left")
    for emoji in proposed:
        held = census.counts[emoji]
        shown.add_row(emoji, f"{held:,}", f"{held / census.passed:.2%}")
    Console().print(shown)
    typer.echo(
        f"{census.posts:,} posts, {census.passed:,} pass the filters; they hold "
        f"{len(census.counts):,} different emojis, of which {len(proposed):,} are proposed."
    )
    if out is not None:
        typer.echo(f"Build with them: deepmoji corpus build POSTS --labels {out} --out CORPUS")
