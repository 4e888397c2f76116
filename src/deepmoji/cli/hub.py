"""`deepmoji download` and `deepmoji push`: models from where they are published, and to there."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deepmoji.cli.common import as_text

app = typer.Typer(rich_markup_mode="rich")


class DownloadBar:
    """Shows downloads on a terminal, a line for each file."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Show how far a file is: bytes so far and in all."""
        if not sys.stderr.isatty():
            return
        bar = self._bar or self._start()
        if name not in self._tasks:
            self._tasks[name] = bar.add_task(name, total=total)
        bar.update(self._tasks[name], completed=done, total=total)

    def close(self) -> None:
        """Give the terminal back."""
        if self._bar is not None:
            self._bar.stop()

    def _start(self) -> Any:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._bar.start()
        return self._bar


@app.command()
def download(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="original, original-keras, or a model on a hub: hf://OWNER/NAME[@REVISION].",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The folder to write; one in the cache by default.",
            show_default=False,
        ),
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(help="What to compare a file with that has no published SHA-256."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Bring a published model here, checked, and print the folder it is in.

    A download that was cut off goes on where it stopped.

    Example: [bold]deepmoji download original[/bold]
    """
    from deepmoji.hub.download import get, unchecked

    bar = DownloadBar()
    try:
        found = get(name, out=out, sha256=sha256, report=bar)
    finally:
        bar.close()
    for file in found.files:
        if not file.checked:
            typer.secho("warning: ", fg="yellow", bold=True, nl=False, err=True)
            typer.echo(unchecked(file), err=True)
    if as_json:
        files = [
            {
                "path": str(file.path),
                "bytes": file.path.stat().st_size,
                "sha256": file.sha256,
                "checked_with": file.checked or None,
            }
            for file in found.files
        ]
        typer.echo(as_text({"name": found.name, "folder": str(found.folder), "files": files}))
    else:
        typer.echo(str(found.folder))


@app.command()
def push(
    model: Annotated[Path, typer.Argument(help="A model bundle (folder).", show_default=False)],
    place: Annotated[
        str,
        typer.Argument(metavar="PLACE", help="Where it goes: hf://OWNER/NAME.", show_default=False),
    ],
    private: Annotated[bool, typer.Option("--private", help="Let nobody else see it.")] = False,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="What the commit says.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Publish a model with its card on a model hub, and print the page of the commit.

    The token that may write comes from HF_TOKEN or `hf auth login`.

    Example: [bold]deepmoji push my-model hf://my-name/my-model[/bold]
    """
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from dataclasses import asdict

    from deepmoji.hub.push import push as run

    pushed = run(model, place, private=private, message=message)
    typer.echo(as_text(asdict(pushed)) if as_json else pushed.page)
