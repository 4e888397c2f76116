"""The tree of emojis as lines and corners, and as text for a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepmoji.emojis.map import EmojiMap, Floats

_RIGHT, _DOWN, _UP, _LEFT = 1, 2, 4, 8
_LINES = {
    0: " ", _RIGHT: "╶", _LEFT: "╴", _DOWN: "╷", _UP: "╵", _RIGHT | _LEFT: "─", _UP | _DOWN: "│",
    _DOWN | _RIGHT: "┌", _DOWN | _LEFT: "┐", _UP | _RIGHT: "└", _UP | _LEFT: "┘",
    _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤", _DOWN | _RIGHT | _LEFT: "┬",
    _UP | _RIGHT | _LEFT: "┴", _UP | _DOWN | _RIGHT | _LEFT: "┼",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Join:
    """Where two branches become one.

    Attributes:
        height: 1 - correlation, on average, of the labels on either side.
        upper: row and height where the upper branch comes from.
        lower: the same of the lower one.
        first: row of the first leaf under it.
        last: row of the last one.
    """

    height: float
    upper: tuple[float, float]
    lower: tuple[float, float]
    first: int
    last: int


def joins_of(tree: Floats, leaves: list[int], *, whole: bool = False) -> list[Join]:
    """Return where branches join, from the most alike on.

    Args:
        tree: SciPy's linkage, [C - 1, 4].
        leaves: in the order of rows.
        whole: whether branches leave a join at a whole row, rather than at its middle.
    """
    count = len(leaves)
    row_of = {leaf: row for row, leaf in enumerate(leaves)}
    joins: list[Join] = []
    for one, other, height, _ in tree:
        found: list[tuple[float, float, int, int]] = []
        for branch in (int(one), int(other)):
            if branch < count:
                row = row_of[branch]
                found.append((row, 0.0, row, row))
            else:
                join = joins[branch - count]
                middle = (join.upper[0] + join.lower[0]) / 2
                row = middle // 1 if whole else middle
                found.append((row, join.height, join.first, join.last))
        found.sort()
        upper, lower = found
        joins.append(
            Join(
                height=float(height),
                upper=upper[:2],
                lower=lower[:2],
                first=upper[2],
                last=lower[3],
            )
        )
    return joins


def tree_lines(found: EmojiMap, leaves: list[int], width: int = 48) -> Iterator[tuple[str, str]]:
    """Yield each label and the branches to its right, a line each.

    Args:
        found: the map.
        leaves: in the order of lines.
        width: of the branches, in characters.
    """
    joins = joins_of(found.tree, leaves, whole=True)
    highest = max(join.height for join in joins) or 1.0  # 0 where all labels are used alike
    canvas = np.zeros((len(leaves), width), np.int64)

    def column(height: float) -> int:
        return max(1, round(height / highest * (width - 1)))

    for join in joins:
        end = column(join.height)
        rows = [int(join.upper[0]), int(join.lower[0])]
        for (_, height), row in zip((join.upper, join.lower), rows, strict=True):
            start = column(height) if height else 0
            for place in range(start, end):
                canvas[row, place] |= _RIGHT
                canvas[row, place + 1] |= _LEFT
        for row in range(rows[0], rows[1]):
            canvas[row, end] |= _DOWN
            canvas[row + 1, end] |= _UP
    for row, leaf in enumerate(leaves):
        line = "".join(_LINES[int(cell)] for cell in canvas[row])
        yield found.labels[leaf], line.rstrip()
