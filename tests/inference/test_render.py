"""What a person sees in a terminal, and what a program reads."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from deepmoji.inference.prediction import Prediction, Word
from deepmoji.inference.predictor import Predictor
from deepmoji.inference.render import PredictionView, to_dict
from deepmoji.labels import EMOJIS, NAMES
from tests.helpers.bundles import Tiny, make_bundle

LABELS = tuple((emoji, 0.9 / (k + 1)) for k, emoji in enumerate(EMOJIS))


def show(prediction, *, terminal=False, width=80, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding, errors="replace")
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system="256" if terminal else None
    )
    console.print(PredictionView(prediction))
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def bars(view):
    return [line for line in view.splitlines() if line.endswith("%") and "attention" not in line]


def made(text="so sad", words=((0, 2, 0.1), (3, 6, 0.9)), **changes):
    values = {
        "text": text,
        "top": LABELS[:5],
        "labels": (LABELS[0][0],),
        "words": tuple(Word(text=text[s:e], start=s, end=e, weight=w) for s, e, w in words),
        "unknown_share": 0.0,
        "truncated": False,
    }
    return Prediction(**(values | changes))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_columns_line_up_whatever_the_width_of_an_emoji(width):
    view = show(made(top=LABELS), width=width)
    lines = bars(view)
    assert len(lines) == 64
    assert len({cell_len(line) for line in lines}) == 1
    assert cell_len(lines[0]) <= width
    if width >= 80:
        assert all(name in view for name in NAMES.values())


def test_pipe_gets_no_colours_but_the_weights():
    view = show(made())
    assert "\x1b" not in view
    assert "attention: sad 90% · so 10%" in view


def test_terminal_gets_shaded_words():
    view = show(made(), terminal=True)
    assert "attention:" not in view
    so, sad = view.splitlines()[0].split("so ")
    assert "\x1b" not in so
    assert "48;5;" in sad


def occluded(*values, text="so sad now"):
    words, start = [], 0
    for part, value in zip(text.split(), values, strict=True):
        end = start + len(part)
        words.append(Word(text=part, start=start, end=end, weight=0.3, occlusion=value))
        start = end + 1
    return replace(made(text=text, words=()), words=tuple(words))


def test_occlusion_takes_the_place_of_attention():
    view = show(occluded(0.01, 0.7, -1.2), terminal=True)
    for words, against in zip(view.splitlines()[0].split(), (None, False, True), strict=True):
        found = re.search(r"48;5;(\d+)", words)
        assert (found is None) == (against is None)
    assert "without now ×3.32 · without sad ×0.50 · without so ×0.99" in view
    assert "attention:" not in view
    piped = show(occluded(0.01, 0.7, -1.2))
    assert "attention: so 30%" in piped
    assert "without sad ×0.50" in piped
    assert "without" not in show(occluded(0.0, 0.0, 0.0))


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    view = show(made(), terminal=True)
    assert "48;5;" not in view
    assert "attention: sad 90%" in view


def test_text_cannot_act_on_the_terminal():
    view = show(made(text="a\x1b[2J\x07b\u202ec\ud800\nd", words=((0, 1, 1.0),)), terminal=True)
    assert "\x1b[2J" not in view
    assert "\x07" not in view
    assert "\u202e" not in view
    assert view.splitlines()[0].endswith("d")


def test_labels_cannot_act_on_the_terminal():
    """They are another person's words, too, if the model is."""
    names = ("up\nsecond", "a\x1b[31mred\x07", "b\u202eX")
    top = tuple((name, 0.3) for name in names)
    view = show(made(top=top, labels=names), terminal=True)
    assert not {"\x1b[31m", "\x07", "\u202e"} & {part for part in ("\x1b[31m", "\x07", "\u202e")
                                                 if part in view}  # fmt: skip
    assert len(bars(view)) == 3
    assert "up second" in view


def test_notes_say_what_was_not_read():
    assert "no words to read" in show(made(text="", words=(), unknown_share=1.0))
    assert "(empty text)" in show(made(text=" ", words=(), unknown_share=1.0))
    assert "50% of the words are unknown" in show(made(unknown_share=0.5))
    assert "only the first 2 words were read" in show(made(truncated=True))
    assert "2 words were read, in 3 windows" in show(made(windows=3))
    plain = show(made())
    assert "windows" not in plain
    assert "unknown" not in plain
    assert "only" not in plain


def test_long_text_does_not_flood_the_terminal():
    assert len(show(made(text="so " + "x" * 1_000_000))) < 5000


def test_terminal_without_unicode_gets_plain_bars():
    top = (("yes", 0.9), ("no", 0.1))
    assert "####" in show(made(top=top), encoding="ascii")


def test_own_labels_and_certain_answers(tmp_path):
    labels = ("joy", "a label of quite some length", "anger")
    predictor = Predictor(make_bundle(tmp_path / "own", Tiny(labels=labels)))
    view = show(predictor.predict("so happy"))
    lines = bars(view)
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert to_dict(predictor.predict("so happy"))["top"][0].keys() == {"label", "probability"}
    assert "0.0%" in show(made(top=(("😂", 1.0), ("😒", 0.0))))


def test_json(predictor):
    row = json.loads(json.dumps(to_dict(predictor.predict("I love xyzzy", top=2))))
    assert row.keys() == {"text", "top", "labels", "words", "unknown_share", "truncated"}
    assert row["text"] == "I love xyzzy"
    assert row["top"][0].keys() == {"label", "name", "probability"}
    assert row["words"][2].keys() == {"text", "start", "end", "weight"}
    assert row["unknown_share"] == pytest.approx(1 / 3, abs=1e-6)
    assert row["truncated"] is False
    assert to_dict(made(windows=3))["windows"] == 3


def test_labels_that_hold_are_said_where_several_may():
    top = (("joy", 0.6), ("fear", 0.4), ("anger", 0.1))
    assert "what holds: joy · fear" in show(made(top=top, labels=("joy", "fear")))
    assert "none of the labels reaches its threshold" in show(made(top=top, labels=()))
    assert "holds" not in show(made(top=top, labels=("joy",)))
