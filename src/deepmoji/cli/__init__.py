"""The command line: parse, call, render. Every command is a module of this folder."""

import os
import sys
from typing import Annotated

import typer

from deepmoji.cli.common import INTERRUPTED, Commands, utf8_output

app = typer.Typer(
    cls=Commands,
    name="deepmoji",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"deepmoji {version('deepmoji')}")
        raise typer.Exit


@app.callback()
def deepmoji(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Read emotion, sentiment and sarcasm in short texts, with models learnt from emojis.

    Example: [bold]deepmoji predict "I love how you never reply back.."[/bold]
    """
    utf8_output()


def main() -> None:
    """Run the command line; exit code 0, 1 (it failed, one line says why) or 2 (usage)."""
    try:
        app()
    except SystemExit:
        if INTERRUPTED.is_set() and "daft" in sys.modules:
            # Ended while its workers start, daft's threads abort the interpreter on its way out.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
        raise
