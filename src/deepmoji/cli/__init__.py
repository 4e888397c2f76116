"""The command line: parse, call, render. Every command is a module of this folder."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from deepmoji.cli.common import Commands, utf8_output
from deepmoji.machine import under_torchrun

app = typer.Typer(
    cls=Commands,
    name="deepmoji",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _end(number: int, frame: FrameType | None) -> None:
    """End at a service's or a scheduler's stop signal as at Ctrl-C."""
    interrupt = signal.getsignal(signal.SIGINT)
    if not callable(interrupt):  # a shell lets what it starts in the background ignore Ctrl-C
        interrupt = signal.default_int_handler
    interrupt(number, frame)


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
    if not under_torchrun():  # which ends a process so when another one has failed
        signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except SystemExit as end:
        if end.code and "deepmoji.corpus.program" in sys.modules:
            # Ended while its workers start, Daft's threads abort the interpreter on its way out.
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code if isinstance(end.code, int) else 1)
        raise
