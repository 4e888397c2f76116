"""What the commands share: loading them when used, errors in one line, progress."""

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sized
from importlib import import_module
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup

from deepmoji.errors import DeepmojiError, require
from deepmoji.files import is_disk_full

# Each command and the module of this folder whose `app` holds it; those of _GROUPS are groups.
COMMANDS = {
    "predict": "predict",
    "encode": "predict",
    "score": "score",
    "serve": "serve",
    "corpus": "corpus",
    "pretrain": "training",
    "evaluate": "evaluation",
    "finetune": "finetune",
    "benchmark": "benchmark",
    "study": "study",
    "emojis": "emojis",
    "import": "interop",
    "convert-benchmark": "classic",
    "export": "export",
    "fit-projection": "projection",
    "verify": "interop",
    "download": "hub",
    "push": "hub",
    "info": "bundle",
    "annotate": "annotate",
}
# Control characters beyond ASCII's, and what turns the direction of text.
_ACTING = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_GROUPS = frozenset({"annotate", "benchmark", "corpus", "emojis"})
PATIENCE = 3.0  # seconds before progress is shown

_Batch = TypeVar("_Batch", bound=Sized)


class Commands(TyperGroup):
    """The root command: imports a command when it is asked for, turns its errors into one line."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Its keys are all that typer reads, to suggest a name for a misspelt one.
        self.commands: Any = dict.fromkeys(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the order of a project."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module: Any = import_module(f"deepmoji.cli.{COMMANDS[cmd_name]}")
        group: Any = typer.main.get_group(module.app)
        if cmd_name in _GROUPS:
            group.name = cmd_name
            return group
        return group.commands[cmd_name]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let ``--debug`` stand anywhere, as people add it to the command that failed."""
        end = args.index("--") if "--" in args else len(args)
        if "--debug" in args[:end]:
            args = ["--debug", *(each for each in args[:end] if each != "--debug"), *args[end:]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what users can mend is told in one line, with exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # `deepmoji … | head`: typer ends quietly
            raise
        except (DeepmojiError, OSError, KeyboardInterrupt) as error:
            if ctx.params.get("debug"):
                raise
            typer.secho("error: ", fg="red", nl=False, err=True)
            typer.echo(_printable(_one_line(error)), err=True)
            raise typer.Exit(1) from error


def _one_line(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "interrupted"
    if isinstance(error, OSError) and error.strerror and not isinstance(error, DeepmojiError):
        where = f": {error.filename}" if error.filename else ""
        todo = "; make room and run the same command again" if is_disk_full(error) else ""
        return f"{error.strerror}{where}{todo}"
    return " ".join(str(error).split())


def _printable(message: str) -> str:
    """Keep what a message quotes, of a file or somebody's model, from acting on a terminal."""
    from deepmoji.inference.render import printable

    return printable(message)


def require_training() -> None:
    """Make sure that what training takes is installed."""
    for module in ("torch", "lightning_fabric", "onnx", "safetensors", "pyarrow"):
        require(module, "train")


def utf8_output() -> None:
    """Write UTF-8 wherever the output goes; emojis have no other encoding worth the name."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not stream.isatty():
            # A lone surrogate, from a file or its name, has no encoding: it becomes "?".
            reconfigure(encoding="utf-8", errors="replace")
        elif reconfigure is not None:
            reconfigure(errors="replace")


def as_text(value: object, *, indent: int | None = None) -> str:
    """Return JSON as people read it, and as escapes what standard output cannot encode.

    What acts on a terminal is escaped, too: JSON does so with a part of it alone.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    text = _ACTING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:  # a lone surrogate: no encoding has it, JSON's escapes do
        text = json.dumps(value, indent=indent)
    return text


def progress(batches: Iterable[_Batch], label: str, *, show: bool = True) -> Iterator[_Batch]:
    """Yield batches; after a few seconds a terminal's standard error shows how far it is.

    Args:
        batches: anything with a length, counted as so many texts.
        label: what is being done.
        show: whether anything may be shown at all.
    """
    begun = time.monotonic()
    done, bar = 0, None
    try:
        for batch in batches:
            yield batch
            done += len(batch)
            seconds = time.monotonic() - begun
            if bar is None and show and seconds >= PATIENCE and sys.stderr.isatty():
                bar = _bar(label)
            if bar is not None:
                speed = f"{done:,} texts, {done / max(seconds, 1e-9):,.0f}/s"
                bar.update(bar.task_ids[0], speed=speed)
    finally:
        if bar is not None:
            bar.stop()


def _bar(label: str) -> Any:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[speed]}"),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task(label, total=None, speed="")  # how many texts there will be is not known
    bar.start()
    return bar
