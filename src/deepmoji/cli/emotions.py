"""Emotions of texts, for `deepmoji predict --as emotions`."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepmoji.cli.common import as_text, progress

if TYPE_CHECKING:
    from deepmoji.inference.predictor import Predictor

_BAR = 30  # characters
_LONGEST_TEXT = 2000


def show_emotions(
    predictor: "Predictor",
    batches: Iterable[list[str]],
    path: Path | None,
    *,
    top: int,
    as_json: bool,
) -> None:
    """Print the strongest emotions of each text and its valence; as JSON all of them."""
    from deepmoji.inference.emotions import EmotionTable

    table = EmotionTable.read(path)
    table.weights_of(predictor.labels)  # what is wrong with it is told before any text is read
    first = True
    for batch in progress(batches, "predicting", show=not sys.stdout.isatty()):
        answers = predictor.emotions(batch, table).to_dicts()
        for text, answer in zip(batch, answers, strict=True):
            if as_json:
                sys.stdout.write(as_text({"text": text, **answer}) + "\n")
            else:
                _show(text, answer, top, table.emotions, first=first)
                first = False
        sys.stdout.flush()


def _show(
    text: str, answer: dict[str, Any], top: int, emotions: tuple[str, ...], *, first: bool
) -> None:
    from rich.console import Console
    from rich.text import Text

    from deepmoji.inference.render import bar, printable

    console = Console(highlight=False)
    if not first:
        console.print()
    shown = printable(text[:_LONGEST_TEXT]) + "…" * (len(text) > _LONGEST_TEXT)
    console.print(Text(shown) if text.strip() else Text("(empty text)", "dim"))
    ranked = answer["emotions"][:top]
    room = max(map(len, emotions))
    ascii_only = console.options.ascii_only
    for each in ranked:
        line = Text(f"  {printable(each['emotion']).ljust(room)}  ", no_wrap=True, overflow="crop")
        line.append(bar(each["share"] / max(ranked[0]["share"], 1e-9), _BAR, ascii_only), "cyan")
        line.append(f"{each['share']:8.1%}")
        console.print(line)
    console.print(Text(f"  valence {answer['valence']:+.2f} (-1 unpleasant, 1 pleasant)", "dim"))
