"""`deepmoji annotate`: people rate texts in the browser, and what they said comes out."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deepmoji.cli.annotated import AsJson, Place, open_campaign, results
from deepmoji.cli.common import as_text
from deepmoji.errors import InputError, require

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Let people rate texts, or their own posts, in the browser, and take out what they said.",
)

_Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="What links begin with: where raters reach the server; by default the campaign's.",
        show_default=False,
    ),
]


@app.command()
def new(
    campaign: Place,
    texts: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEXTS]",
            help="CSV, TSV, JSON lines (also .gz) or Parquet, or plain text with a text on each "
            "line; - is standard input. May be left out with --contribute.",
            show_default=False,
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="nine (the paper's: 1 most negative to 9 most positive), labels:joy,anger,… or "
            "emojis (the 64)."
        ),
    ] = "nine",
    multi: Annotated[
        bool, typer.Option("--multi", help="Let raters give several labels to a text.")
    ] = False,
    raters_per_item: Annotated[int, typer.Option(help="How many raters each text goes to.")] = 3,
    title: Annotated[str, typer.Option(help="Heads every page.")] = "How does it feel?",
    instructions: Annotated[
        Path | None,
        typer.Option(help="A text file that raters read first.", show_default=False),
    ] = None,
    consent: Annotated[
        Path | None,
        typer.Option(help="A text file that raters have to agree to first.", show_default=False),
    ] = None,
    contribute: Annotated[
        bool,
        typer.Option(
            "--contribute",
            help="Raters bring posts of their own and say how they felt; without --consent they "
            "agree to a general text.",
        ),
    ] = False,
    text_column: Annotated[
        str | None, typer.Option(help="Column of the texts; by default text and the like.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="Column of their ids; by default id, else rows are counted.")
    ] = None,
    release_minutes: Annotated[
        int, typer.Option(help="After how long an unanswered text goes to another rater.")
    ] = 30,
    url: _Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a campaign, and print the link of the owner's page. It is shown once.

    Example: [bold]deepmoji annotate new moods tweets.csv --raters-per-item 10[/bold]
    """
    from deepmoji.annotate import Campaign, Settings
    from deepmoji.annotate.texts import read_texts

    settings = Settings(
        scale=scale,
        multi=multi,
        raters_per_item=raters_per_item,
        title=title,
        instructions=_read(instructions),
        consent=_read(consent),
        contribute=contribute,
        release_minutes=release_minutes,
        **({} if url is None else {"url": url}),
    )
    if texts is None:
        given = None
    else:
        given = read_texts(texts, text_column=text_column, id_column=id_column)
    with Campaign.create(campaign, given, settings) as made:
        link = made.owner_link
        place = shlex.quote(made.store.shown)  # of a URL without its password
    count, empty = (0, 0) if given is None else (len(given.texts), given.empty)
    if as_json:
        typer.echo(as_text({"texts": count, "empty": empty, "owner_link": link}))
        return
    left_out = f"; {empty:,} without any text were left out" if empty else ""
    typer.echo(f"{count:,} texts, {raters_per_item} raters each{left_out}.")
    typer.echo(f"Owner's page, shown this once: {link}")
    typer.echo(f"Next: deepmoji annotate invite {place} 5; deepmoji annotate serve {place}")


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8; save it as UTF-8") from error
    if not text.strip():
        raise InputError(f"{path} is empty")
    return text


@app.command()
def invite(
    campaign: Place,
    count: Annotated[int, typer.Argument(metavar="N", help="How many raters.")],
    url: _Url = None,
    as_json: AsJson = False,
) -> None:
    """Add raters, and print the name and the personal link of each. Links are shown once.

    Example: [bold]deepmoji annotate invite moods 10 > links.txt[/bold]
    """
    with open_campaign(campaign) as opened:
        invitations = opened.invite(count, url=url)
    if as_json:
        typer.echo(as_text({"raters": [asdict(each) for each in invitations]}))
        return
    for each in invitations:
        typer.echo(f"{each.name}\t{each.link}")


@app.command()
def revoke(
    campaign: Place,
    raters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RATER]...", help="Names of raters, or their links.", show_default=False
        ),
    ] = None,
    delete_answers: Annotated[
        bool, typer.Option("--delete-answers", help="Delete all that they gave, too.")
    ] = False,
    owner: Annotated[
        bool, typer.Option("--owner", help="End the owner's link, and print a new one.")
    ] = False,
    url: _Url = None,
) -> None:
    """End raters' links. Their answers stay; texts in their hands go to others.

    Example: [bold]deepmoji annotate revoke moods r-3fa9c1d24e[/bold]
    """
    if not raters and not owner:
        raise typer.BadParameter("name a rater, or --owner")
    with open_campaign(campaign) as opened:
        for who in raters or ():
            name = opened.revoke(who, delete_answers=delete_answers)
            typer.echo(f"{name}: revoked{', answers deleted' if delete_answers else ''}")
        if owner:
            typer.echo(f"Owner's page, shown this once: {opened.renew_owner(url=url)}")


@app.command()
def serve(
    campaign: Place,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8765,
) -> None:
    """Serve the raters' and the owner's pages until Ctrl-C.

    Example: [bold]deepmoji annotate serve moods --port 8765[/bold]
    """
    for library in ("starlette", "uvicorn", "jinja2"):
        require(library, "annotate")
    from deepmoji.annotate.server import serve as run
    from deepmoji.serving.listening import LOCAL

    with open_campaign(campaign) as opened:
        title = opened.title

        def ready(address: str) -> None:
            typer.echo(f"Serving {title!r} on {address}; Ctrl-C ends it.", err=True)
            if host not in LOCAL:
                typer.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
                typer.echo(
                    "links and answers travel unencrypted; put a server with HTTPS in front of it",
                    err=True,
                )

        run(opened, host, port, ready)


app.add_typer(results)
