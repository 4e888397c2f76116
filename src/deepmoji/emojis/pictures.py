"""The tree and the plane of emojis as pictures, PNG with drawn glyphs and SVG with them as text."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from scipy.cluster.hierarchy import leaves_list

from deepmoji.emojis.dendrogram import joins_of
from deepmoji.emojis.glyphs import Glyphs
from deepmoji.emojis.map import EmojiMap, Floats
from deepmoji.files import atomic_path
from deepmoji.labels import NAMES
from deepmoji.text.emojis import EMOJI_CHARACTERS

# Okabe and Ito's colours; groups that stand side by side have different ones.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
_GREY = "#9A9A9A"
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "deepmoji",
    "svg.fonttype": "none",  # text stays text
}
_DPI = 160
_PLACEHOLDER = re.compile(r">emoji-(\d+)<")
_STILL_APART = 400  # steps that push overlapping emojis apart


class _Pen:
    """Puts emojis onto axes: as pictures, as text that is put in afterwards, or as names.

    Args:
        labels: of the map.
        glyphs: of the font; None draws names.
        as_text: for SVG.
    """

    def __init__(self, labels: Sequence[str], glyphs: Glyphs | None, *, as_text: bool) -> None:
        self._labels, self._glyphs, self._as_text = labels, glyphs, as_text

    def put(self, axes: Axes, at: tuple[float, float], label: int, inches: float) -> None:
        """Draw a label in the middle of a point of the axes' data."""
        name = self._labels[label]
        points = 72 * inches
        common: dict[str, Any] = {
            "ha": "center",
            "va": "center_baseline",
            "zorder": 5,
            "parse_math": False,  # a label with dollars is no formula
        }
        if self._as_text:
            axes.text(*at, f"emoji-{label}", fontsize=0.8 * points, clip_on=False, **common)
            return
        picture = None if self._glyphs is None else self._glyphs.draw(name)
        if picture is not None:
            image = OffsetImage(picture, zoom=points / len(picture), interpolation="antialiased")
            axes.add_artist(
                AnnotationBbox(image, at, frameon=False, pad=0, annotation_clip=False, zorder=5)
            )
        elif self._glyphs is not None and len(name) == 1 and name not in EMOJI_CHARACTERS:
            # A character of text fonts, ♡, which matplotlib's own font has.
            axes.text(*at, name, fontsize=0.95 * points, color="#C03030", clip_on=False, **common)
        else:
            shown = NAMES.get(name, name)
            axes.text(*at, shown, fontsize=6, rotation=90, clip_on=False, **common)

    def finish(self, text: str) -> str:
        """Return an SVG file's text with the emojis in their places."""
        return _PLACEHOLDER.sub(lambda match: f">{self._coloured(int(match[1]))}<", text)

    def _coloured(self, label: int) -> str:
        name = self._labels[label]
        selector = "\ufe0f" if len(name) == 1 and name in EMOJI_CHARACTERS else ""
        return name.replace("&", "&amp;").replace("<", "&lt;") + selector


def draw_tree(found: EmojiMap, groups: int, glyphs: Glyphs | None, stem: Path) -> None:
    """Draw the dendrogram, its groups in colours.

    Args:
        found: the map.
        groups: how many to colour.
        glyphs: of this machine's font; without, the PNG has names.
        stem: path without an ending; ``stem.png`` and ``stem.svg`` are written.
    """
    _draw(found, groups, glyphs, stem, _tree)


def draw_plane(found: EmojiMap, groups: int, glyphs: Glyphs | None, stem: Path) -> None:
    """Draw the emojis in two dimensions; the arguments are those of :func:`draw_tree`."""
    _draw(found, groups, glyphs, stem, _plane)


def _draw(found: EmojiMap, groups: int, glyphs: Glyphs | None, stem: Path, what: Any) -> None:
    colour_of = _colours(found, groups)
    with rc_context(_STYLE):
        for ending, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
            pen = _Pen(found.labels, glyphs, as_text=ending == "svg")
            figure = what(found, colour_of, pen)
            with atomic_path(stem.with_name(f"{stem.name}.{ending}")) as path:
                figure.savefig(path, format=ending, dpi=_DPI, metadata=metadata)
                if ending == "svg":
                    path.write_text(pen.finish(path.read_text("utf-8")), encoding="utf-8")


def _colours(found: EmojiMap, groups: int) -> dict[str, tuple[str, int]]:
    """Return colour and number of the group of each label."""
    return {
        label: (_COLOURS[number % len(_COLOURS)], number)
        for number, group in enumerate(found.groups(groups))
        for label in group
    }


def _tree(found: EmojiMap, colour_of: dict[str, tuple[str, int]], pen: _Pen) -> Figure:
    leaves = [int(each) for each in leaves_list(found.tree)]
    figure = Figure(figsize=(0.172 * len(leaves) + 0.8, 5.2), layout="constrained")
    axes = figure.subplots()
    joins = joins_of(found.tree, leaves)
    for join in joins:
        first, last = (colour_of[found.labels[leaves[row]]] for row in (join.first, join.last))
        colour = first[0] if first == last else _GREY
        (left, low), (right, other) = join.upper, join.lower
        axes.plot(
            [left, left, right, right],
            [low, join.height, join.height, other],
            color=colour,
            linewidth=1.5 if first == last else 1.1,
            solid_capstyle="round",
        )
    top = max(join.height for join in joins) or 1.0  # 0 where all labels are used alike
    # In two rows, so that each emoji may be nearly two columns wide.
    for row, leaf in enumerate(leaves):
        depth = (0.042, 0.106)[row % 2] * top
        colour, _ = colour_of[found.labels[leaf]]
        axes.plot([row, row], [0, -depth], color=colour, linewidth=0.9, alpha=0.6)
        pen.put(axes, (row, -depth), leaf, 0.3)
    axes.set_xlim(-1.2, len(leaves) + 0.2)
    axes.set_ylim(-0.15 * top, 1.02 * top)
    axes.set_yticks([tick for tick in np.arange(0, 2.1, 0.2) if tick <= top])
    axes.set_ylabel("1 - correlation of the predicted probabilities")
    axes.spines["left"].set_bounds(0, top)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    return figure


def _plane(found: EmojiMap, colour_of: dict[str, tuple[str, int]], pen: _Pen) -> Figure:
    points, _ = found.plane()
    if not points.any():  # nothing could push them apart
        points = _circle(len(points))
    size = 0.36  # inches an emoji
    width = 8.0
    span = points.max(axis=0) - points.min(axis=0)
    scale = (width - 1.5 * size) / span[0]
    places = _pushed_apart(points * scale, 1.06 * size)
    low, high = places.min(axis=0) - 0.8 * size, places.max(axis=0) + 0.8 * size
    figure = Figure(figsize=tuple(high - low))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_axis_off()
    for place, (x, y) in enumerate(places):
        colour, _ = colour_of[found.labels[place]]
        axes.plot(x, y, "o", markersize=72 * size * 1.12, color=colour, alpha=0.2, mew=0, zorder=1)
    for place, (x, y) in enumerate(places):
        pen.put(axes, (float(x), float(y)), place, 0.8 * size)
    return figure


def _circle(count: int) -> Floats:
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _pushed_apart(points: Floats, least: float) -> Floats:
    """Move points that lie nearer than ``least`` apart, half way each, until none do."""
    places = points.copy()
    for _ in range(_STILL_APART):
        between = places[:, np.newaxis] - places[np.newaxis]
        apart = np.linalg.norm(between, axis=2)
        np.fill_diagonal(apart, np.inf)
        lacking = np.maximum(least - apart, 0)
        if not lacking.any():
            break
        places += 0.5 * (between / np.maximum(apart, 1e-9)[..., None] * lacking[..., None]).sum(1)
    return places
