"""Pictures: with the machine's font, without one, and what the SVG says."""

import numpy as np
import pytest

from deepmoji.emojis.glyphs import VARIABLE, find_glyphs
from deepmoji.emojis.map import EmojiMap
from deepmoji.emojis.pictures import _pushed_apart, draw_plane, draw_tree
from deepmoji.errors import InputError

LABELS = ("😂", "❤", "♡", "😡", "😠")


@pytest.fixture(scope="module")
def found():
    scores = np.random.default_rng(0).random((50, 5))
    return EmojiMap.of(scores, LABELS)


@pytest.mark.parametrize("draw", [draw_tree, draw_plane])
def test_without_a_font(found, draw, tmp_path):
    draw(found, 2, None, tmp_path / "a")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    svg = (tmp_path / "a.svg").read_text("utf-8")
    assert [label for label in LABELS if f">{label}" not in svg] == []
    assert "emoji-" not in svg
    assert ">❤\ufe0f<" in svg  # the coloured form, not that of text fonts


@pytest.mark.parametrize("draw", [draw_tree, draw_plane])
def test_with_the_font(found, draw, tmp_path):
    glyphs = find_glyphs()
    if glyphs is None:
        pytest.skip("no colour emoji font on this machine")
    draw(found, 2, glyphs, tmp_path / "glyphs")
    draw(found, 2, None, tmp_path / "names")
    assert (tmp_path / "glyphs.png").read_bytes() != (tmp_path / "names.png").read_bytes()
    picture = glyphs.draw("😂")
    assert picture.shape == (72, 72, 4)
    assert picture[36, 36, 3] == 255
    assert glyphs.draw("♡") is None or glyphs.draw("♡").any()


@pytest.mark.parametrize("draw", [draw_tree, draw_plane])
def test_labels_are_no_formulas(draw, tmp_path):
    labels = ("$x^$", "$", "a_b", "<&>")
    found = EmojiMap.of(np.random.default_rng(0).random((50, 4)), labels)
    draw(found, 2, None, tmp_path / "a")
    svg = (tmp_path / "a.svg").read_text("utf-8")
    assert [each for each in ("$x^$", "$", "a_b", "&lt;&amp;>") if f">{each}<" not in svg] == []


@pytest.mark.parametrize("draw", [draw_tree, draw_plane])
def test_labels_that_are_used_all_alike(draw, tmp_path):
    found = EmojiMap.of(np.outer(np.arange(9), [1, 2, 3]), ("a", "b", "c"))
    draw(found, 2, None, tmp_path / "a")
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "a.svg"}


def test_a_font_that_is_named_and_wrong(monkeypatch, tmp_path):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none.ttf"))
    with pytest.raises(InputError, match="there is no font"):
        find_glyphs()
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    monkeypatch.setenv(VARIABLE, str(broken))
    with pytest.raises(InputError, match="cannot be read"):
        find_glyphs()


def test_emojis_are_pushed_apart():
    points = np.random.default_rng(0).normal(size=(20, 2))
    places = _pushed_apart(points, 0.5)
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.49
