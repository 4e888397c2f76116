"""A prediction as a person sees it in a terminal, and as a program reads it."""

import math
import unicodedata
from collections.abc import Iterator
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions
from rich.style import Style
from rich.text import Text

from deepmoji.inference.prediction import Prediction, Word
from deepmoji.labels import NAMES

_LONGEST_TEXT = 2000  # characters shown
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_MANY_UNKNOWN = 0.3
# Grey-brown to orange: apart from the background of dark and of light terminals alike.
_SHADES = (
    Style(color="white", bgcolor="#5c4f45"),
    Style(color="white", bgcolor="#8a5a2b"),
    Style(color="black", bgcolor="#c9771a"),
    Style(color="black", bgcolor="#ff9d1f", bold=True),
)
# Of words that speak against the answer (occlusion): grey-blue to blue.
_AGAINST = (
    Style(color="white", bgcolor="#454f5c"),
    Style(color="white", bgcolor="#2b5a8a"),
    Style(color="black", bgcolor="#5a9fd4"),
    Style(color="black", bgcolor="#8cc8ff", bold=True),
)
_DIM = Style(dim=True)


def to_dict(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as plain values, for JSON."""
    return {
        "text": prediction.text,
        "top": [
            {"label": label, **_name(label), "probability": round(probability, 6)}
            for label, probability in prediction.top
        ],
        "labels": list(prediction.labels),
        "words": [
            {"text": w.text, "start": w.start, "end": w.end, "weight": round(w.weight, 6)}
            | ({} if w.occlusion is None else {"occlusion": round(w.occlusion, 6)})
            for w in prediction.words
        ],
        "unknown_share": round(prediction.unknown_share, 6),
        "truncated": prediction.truncated,
        **({} if prediction.windows == 1 else {"windows": prediction.windows}),
    }


class PredictionView:
    """What :mod:`rich` prints for a prediction: the text, then a line for each label.

    Words are shaded by their attention weight, relative to the text's highest; without colours,
    the highest weights are written out instead. Where there is occlusion, words are shaded by it,
    those that speak against the answer in blue, and the largest values are written out.
    """

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        shaded = console.color_system is not None and not console.no_color
        yield self._text(shaded=shaded)
        if not shaded and self.prediction.words:
            yield self._weights()
        if any(word.occlusion for word in self.prediction.words):
            yield self._occlusions()
        yield from self._labels(options.max_width, ascii_only=options.ascii_only)
        for note in self._notes():
            yield Text(f"  {note}", _DIM)

    def _text(self, *, shaded: bool) -> Text:
        prediction = self.prediction
        shown = prediction.text[:_LONGEST_TEXT]
        line = Text(printable(shown) + "…" * (len(prediction.text) > len(shown)))
        highest = max((abs(_strength(word)) for word in prediction.words), default=0.0)
        for word in prediction.words if shaded else ():
            share = abs(_strength(word)) / highest if highest else 0.0
            level = math.ceil(share * (len(_SHADES) + 1)) - 2
            if level >= 0:  # less than a fifth of the highest weight is not shaded
                shades = _SHADES if _strength(word) > 0 else _AGAINST
                line.stylize(shades[level], word.start, min(word.end, len(shown)))
        return line if shown.strip() else Text("(empty text)", _DIM)

    def _weights(self) -> Text:
        ranked = sorted(self.prediction.words, key=lambda word: -word.weight)[:3]
        parts = (f"{printable(word.text[:30])} {word.weight:.0%}" for word in ranked)
        return Text(f"  attention: {' · '.join(parts)}", _DIM)

    def _occlusions(self) -> Text:
        ranked = sorted(self.prediction.words, key=lambda word: -abs(word.occlusion or 0))[:3]
        parts = (
            f"without {printable(word.text[:30])} ×{math.exp(-(word.occlusion or 0)):.2f}"
            for word in ranked
        )
        label = printable(self.prediction.top[0][0])
        return Text(f"  probability of {label}: {' · '.join(parts)}", _DIM)

    def _labels(self, width: int, *, ascii_only: bool) -> Iterator[Text]:
        top = self.prediction.top
        emojis = all(cell_len(label) <= 2 for label, _ in top)
        # Names take as much as the longest one of the 64 emojis, so that all tables line up.
        wanted = max(map(len, NAMES.values())) if emojis else max(cell_len(k) for k, _ in top)
        room = max(10, min(wanted, width - (35 if emojis else 31)))
        bar_width = max(4, min(40, width - room - (16 if emojis else 12)))
        for label, probability in top:
            name = _fit(NAMES.get(label, "") if emojis else printable(label), room)
            line = Text("  ", no_wrap=True, overflow="crop")
            if emojis:
                line.append(set_cell_size(printable(label), 2) + "  ")
            line.append(name + "  ")
            line.append(
                bar(probability / (top[0][1] or 1.0), bar_width, ascii_only), Style(color="cyan")
            )
            line.append(f"{probability:8.1%}")
            yield line

    def _notes(self) -> Iterator[str]:
        prediction = self.prediction
        if not prediction.words:
            yield "no words to read: this is what the model says to one unknown word"
        elif prediction.unknown_share >= _MANY_UNKNOWN:
            yield f"{prediction.unknown_share:.0%} of the words are unknown to the model"
        if not prediction.labels:
            yield "none of the labels reaches its threshold"
        elif prediction.labels != (prediction.top[0][0],):  # several may hold
            yield f"what holds: {' · '.join(map(printable, prediction.labels))}"
        if prediction.truncated:
            yield f"only the first {len(prediction.words)} words were read"
        if prediction.windows > 1:
            yield f"{len(prediction.words)} words were read, in {prediction.windows} windows"


def _strength(word: Word) -> float:
    return word.weight if word.occlusion is None else word.occlusion


def _name(label: str) -> dict[str, str]:
    return {"name": NAMES[label]} if label in NAMES else {}


def _fit(text: str, cells: int) -> str:
    return set_cell_size(text if cell_len(text) <= cells else text[: cells - 1] + "…", cells)


def bar(share: float, width: int, ascii_only: bool) -> str:
    """Return a bar as long as a share of ``width`` cells, at least a trace."""
    if ascii_only:
        return ("#" * max(1, round(share * width))).ljust(width)
    full, rest = divmod(max(1, round(share * width * 8)), 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def printable(text: str) -> str:
    """Replace, one for one, what would act on the terminal or cannot be encoded."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character in "\t\n\r":
        return " "
    hidden = unicodedata.category(character) in ("Cc", "Cs")
    turns_direction = character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return "\ufffd" if hidden or turns_direction else character
