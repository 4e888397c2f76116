"""The plot of a study: agreement of each system with its interval, beside the paper's; PNG, SVG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from deepmoji.errors import InputError
from deepmoji.files import atomic_path
from deepmoji.study.wording import BASELINES, in_order, name_of, published_for

# Okabe and Ito's colours, which the colour-blind can tell apart; markers differ as well.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "deepmoji",  # the same study, the same bytes
}
_ROW = 0.42  # inches a system
_LEFT, _MARGIN = 44.0, 1.5  # where the axis begins, %, and how far before what lies below that
_DPI = 160


def plot_files(stem: Path) -> tuple[Path, Path]:
    """Return the files that a plot is written to.

    Raises:
        InputError: if the path names no file.
    """
    if stem.name in ("", ".."):
        raise InputError(f"{stem} names no file; give a path to which .png and .svg are added")
    return stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")


def plot_study(result: Mapping[str, Any], stem: Path) -> None:
    """Draw a study.

    Args:
        result: of ``run.study``.
        stem: path without an ending; ``stem.png`` and ``stem.svg`` are written.

    Raises:
        InputError: if it names no file, or one that cannot be written.
    """
    with rc_context(_STYLE):
        figure = _figure(result)
        metadata = ({"Software": None}, {"Date": None})
        for target, each in zip(plot_files(stem), metadata, strict=True):
            with atomic_path(target) as path:
                figure.savefig(path, format=target.suffix[1:], dpi=_DPI, metadata=each)


def _figure(result: Mapping[str, Any]) -> Figure:
    systems = in_order(result["systems"])
    published = result["published"]["agreement"]
    figure = Figure(figsize=(7.5, _ROW * len(systems) + 1.15), layout="constrained")
    axes = figure.subplots()
    _human_readings(axes, systems.index("human"), result["systems"]["human"])
    for row, name in enumerate(systems):
        _draw(axes, row, name, result["systems"][name])
        if (known := published.get(published_for(name))) is not None:
            _draw_published(axes, row, 100 * known)
    axes.axvline(50, color=_GREY, linestyle=(0, (4, 2)), linewidth=1, zorder=1)
    axes.set_yticks(range(len(systems)), [name_of(name) for name in systems])
    axes.set_ylim(len(systems) - 0.4, -0.6)
    axes.set_xlim(_left(result), 100)
    axes.set_xlabel("agreement with the other raters on positive or negative, %")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    figure.legend(handles=_legend(), loc="outside upper center", ncols=3, frameon=False)
    return figure


def _left(result: Mapping[str, Any]) -> float:
    """Return where the axis begins: as always, or before all that is shown."""
    systems = result["systems"]
    shown = [entry[key] for entry in systems.values() for key in ("agreement", "low")]
    shown.append(systems["human"]["agreement_if_neutral_is_wrong"])
    least = 100 * min(shown)
    return _LEFT if least >= _LEFT else least - _MARGIN


def _style_of(name: str) -> tuple[str, str]:
    if name == "human":
        return "^", _GREEN
    return ("o", _BLUE) if name in BASELINES else ("s", _ORANGE)


def _draw(axes: Axes, row: int, name: str, entry: Mapping[str, Any]) -> None:
    marker, colour = _style_of(name)
    value, low, high = (100 * entry[each] for each in ("agreement", "low", "high"))
    axes.errorbar(
        value,
        row,
        xerr=[[max(value - low, 0)], [max(high - value, 0)]],
        fmt=marker,
        color=colour,
        markersize=5.5,
        elinewidth=1.3,
        capsize=3,
        zorder=3,
    )
    axes.annotate(
        f"{value:.1f}",
        (value, row),
        xytext=(0, 6),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
    )


def _draw_published(axes: Axes, row: int, value: float) -> None:
    axes.plot(
        value,
        row,
        marker="D",
        markersize=6.5,
        markerfacecolor="none",
        markeredgecolor="black",
        markeredgewidth=0.9,
        linestyle="none",
        zorder=4,
    )


def _human_readings(axes: Axes, row: int, human: Mapping[str, Any]) -> None:
    """Draw how far one human's figure moves with what a neutral answer counts."""
    low, high = human["agreement_if_neutral_is_wrong"], human["agreement_without_neutral"]
    if high is None:
        return
    axes.plot(
        [100 * low, 100 * high],
        [row, row],
        color=_GREEN,
        alpha=0.22,
        linewidth=7,
        solid_capstyle="butt",
        zorder=2,
    )


def _legend() -> list[Line2D]:
    common: dict[str, Any] = {"linestyle": "none"}
    return [
        Line2D([], [], marker="o", color=_BLUE, label="baselines", **common),
        Line2D([], [], marker="^", color=_GREEN, label="one human", **common),
        Line2D([], [], marker="s", color=_ORANGE, label="this model, tuned", **common),
        Line2D(
            [],
            [],
            marker="D",
            markerfacecolor="none",
            color="black",
            label="published, on other texts",
            **common,
        ),
        Line2D(
            [],
            [],
            color=_GREEN,
            alpha=0.22,
            linewidth=7,
            label="neutral answers wrong … left out",
        ),
        Line2D([], [], color=_GREY, linestyle=(0, (4, 2)), label="a coin"),
    ]
