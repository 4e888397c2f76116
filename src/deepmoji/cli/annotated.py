"""What comes out of a campaign: `deepmoji annotate status`, `export`, `crowd-out`, `crowd-in`."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepmoji.cli.common import as_text

if TYPE_CHECKING:
    from deepmoji.annotate import Campaign

results = typer.Typer(rich_markup_mode="rich")

Place = Annotated[
    str,
    typer.Argument(
        metavar="CAMPAIGN",
        help="A folder, or a database URL such as postgresql://user@host/database.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@contextmanager
def open_campaign(place: str) -> Generator["Campaign"]:
    """Open a campaign; what its database refuses meanwhile is told in one line."""
    from deepmoji.annotate import Campaign

    with Campaign.open(place) as opened, opened.store.told():
        yield opened


@results.command()
def status(campaign: Place, as_json: AsJson = False) -> None:
    """Show how far a campaign is, and how far its raters agree (Krippendorff's alpha).

    Example: [bold]deepmoji annotate status moods[/bold]
    """
    with open_campaign(campaign) as opened:
        found = opened.status()
    if as_json:
        typer.echo(as_text(asdict(found)))
        return
    _overview(found)


def _overview(found: Any) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from deepmoji.annotate.export import iso

    console = Console()
    console.print(f"[bold]{escape(found.title)}[/bold]", highlight=False)
    lines = [
        f"{found.answers:,} of {found.wanted:,} answers; {found.complete:,} of {found.items:,} "
        f"texts have their {found.raters_per_item} raters; {found.in_hand:,} are before somebody",
        f"{found.unknown:,} times don't know",
        "agreement, Krippendorff's alpha: "
        + ("not defined yet" if found.alpha is None else f"{found.alpha:.3f}"),
    ]
    if found.posts:
        lines.append(f"{found.posts_answered:,} of {found.posts:,} posts of raters' own are rated")
    for line in lines:
        console.print(line, highlight=False)
    table = Table("rater", "answered", "posts", "last answer", "link")
    for rater in found.raters:
        link = "crowd" if rater.crowd else "revoked" if rater.revoked else "works"
        last = "" if rater.last is None else iso(rater.last)[:16].replace("T", " ")
        table.add_row(rater.name, f"{rater.answered:,}", f"{rater.posts:,}", last, link)
    if found.raters:
        console.print(table)


@results.command()
def export(
    campaign: Place,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="A file: .csv, .tsv, .jsonl or .parquet.", show_default=False
        ),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="majority (text, label: what most raters said), mean (nine points: negative or "
            "positive, near-neutral texts left out), ratings (every answer) or study (the ratings "
            "of each text as a list).",
        ),
    ] = "majority",
    min_raters: Annotated[
        int, typer.Option(min=1, help="Leave out texts with fewer answers; not for ratings.")
    ] = 1,
    keep_neutral: Annotated[
        bool, typer.Option("--keep-neutral", help="With mean, keep near-neutral texts, as neutral.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write what raters said, as a table that `deepmoji finetune` reads.

    Example: [bold]deepmoji annotate export moods labels.csv --format mean[/bold]
    """
    with open_campaign(campaign) as opened:
        made = opened.export(out, form, min_raters=min_raters, keep_neutral=keep_neutral)
    left_out = {
        "unlabelled": made.unlabelled,
        "tied": made.tied,
        "neutral": made.neutral,
    }
    if as_json:
        typer.echo(as_text({"rows": len(made.rows), **left_out}))
        return
    because = {"unlabelled": "too few answers", "tied": "a tie", "neutral": "a near-neutral mean"}
    why = [f"{count:,} for {because[name]}" for name, count in left_out.items() if count]
    typer.echo(f"{len(made.rows):,} rows{'; left out: ' + ', '.join(why) if why else ''}.")


@results.command("crowd-out")
def crowd_out(
    campaign: Place,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A .csv file.", show_default=False)],
) -> None:
    """Write the texts that need raters yet, for a crowd platform.

    Columns: item, text, and needed, the number of answers.

    Example: [bold]deepmoji annotate crowd-out moods batch.csv[/bold]
    """
    with open_campaign(campaign) as opened:
        count = opened.crowd_out(out)
    typer.echo(f"{count:,} texts need raters.")


@results.command("crowd-in")
def crowd_in(
    campaign: Place,
    answers: Annotated[
        Path,
        typer.Argument(metavar="ANSWERS", help="What the platform gives.", show_default=False),
    ],
    item_column: Annotated[
        str | None, typer.Option(help="By default item or Input.item.", show_default=False)
    ] = None,
    worker_column: Annotated[
        str | None, typer.Option(help="By default worker or WorkerId.", show_default=False)
    ] = None,
    answer_column: Annotated[
        str | None, typer.Option(help="By default answer or Answer.answer.", show_default=False)
    ] = None,
    time_column: Annotated[
        str | None,
        typer.Option(help="Times as ISO 8601; by default the time of the import is noted."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in a crowd platform's answers. The same file twice changes nothing.

    Example: [bold]deepmoji annotate crowd-in moods results.csv --answer-column Answer.mood[/bold]
    """
    from deepmoji.annotate.crowd import Columns

    columns = Columns(
        item=item_column, worker=worker_column, answer=answer_column, time=time_column
    )
    with open_campaign(campaign) as opened:
        taken = opened.crowd_in(answers, columns)
    if as_json:
        typer.echo(as_text(asdict(taken)))
        return
    notes = [
        f"{taken.answers:,} new answers, {taken.changed:,} changed, {taken.workers:,} new workers",
        f"{taken.rejected:,} rejected rows left out" if taken.rejected else "",
        f"{taken.revoked:,} rows of revoked raters left out" if taken.revoked else "",
        f"{taken.beyond:,} texts have more raters than asked for" if taken.beyond else "",
    ]
    typer.echo("; ".join(note for note in notes if note) + ".")
