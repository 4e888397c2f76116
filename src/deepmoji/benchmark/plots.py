"""Plots of reports: scores by data set and method, and learning curves; PNG and SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from deepmoji.benchmark.published import GROUPS, LEAK_FREE
from deepmoji.benchmark.systems import BASELINES, in_order
from deepmoji.benchmark.wording import measure_name, system_name
from deepmoji.files import atomic_path

Report = Mapping[str, Any]

# Okabe and Ito's colours, which the colour-blind can tell apart; markers differ as well.
_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C8C8C"
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "deepmoji",  # ids in the file are made from it: the same plot, the same bytes
}
_WIDTH = 9.0  # inches: at the width of a README, letters are about as large as its own
_DPI = 160
_COLUMNS = 3
_ROW = 0.17  # inches a system
_SPAN = 10.0  # percentage points that an axis shows at least
# Which published figures stand on the row of which system: the same method, made by others.
_ROWS = {"new": "new", "full": "full", "last": "last", "chain-thaw": "chain-thaw"} | {
    "LSTM": "plain-lstm",
    "fastText": "fasttext",
}
_FLOOR = "constant"  # drawn as a line
_LINES = {
    "chain-thaw": (_ORANGE, "s"),
    "last": (_PURPLE, "D"),
    "minilm": (_GREEN, "^"),
    "tfidf": (_BLUE, "o"),
}
_OTHER_LINES = (("#56B4E9", "v"), ("#E69F00", "P"), ("#000000", "X"), (_GREY, "*"))


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """What one panel shows, shares of 1.

    Attributes:
        title: over it.
        floor: of a constant answer.
        scores: by system, mean and deviation.
        published: by system.
    """

    title: str
    floor: float
    scores: Mapping[str, tuple[float, float]]
    published: Mapping[str, float] = field(default_factory=dict[str, float])


def plot_report(report: Report, stem: Path) -> None:
    """Draw a report.

    Args:
        report: of ``report.suite_report`` or ``report.curve_report``.
        stem: path without an ending; ``stem.png`` and ``stem.svg`` are written. The same report
            gives the same bytes with the same matplotlib.
    """
    with rc_context(STYLE):
        save(_curves(report) if report["suite"] == "curve" else _scores(report), stem)


def save(figure: Figure, stem: Path) -> None:
    """Write a figure as ``stem.png`` and ``stem.svg``, without what changes from day to day.

    Args:
        figure: drawn in :data:`STYLE`, which has to be in force.
        stem: path without an ending.
    """
    for ending, metadata in (("png", {"Software": None}), ("svg", {"Date": None})):
        with atomic_path(stem.with_name(f"{stem.name}.{ending}")) as path:
            figure.savefig(path, format=ending, dpi=_DPI, metadata=metadata)


def _scores(report: Report) -> Figure:
    panels = list(_panels(report))
    systems = in_order({system for panel in panels for system in panel.scores} - {_FLOOR})
    rows = -(-len(panels) // _COLUMNS)
    columns = min(_COLUMNS, len(panels))
    height = rows * (_ROW * len(systems) + 0.75) + 0.6
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for place, axes in enumerate(grid.flat):
        if place < len(panels):
            _draw_scores(axes, panels[place], systems)
        else:
            axes.remove()
    figure.legend(handles=_score_legend(panels), loc="outside upper center", ncols=4, frameon=False)
    return figure


def _panels(report: Report) -> Iterator[_Panel]:
    """Yield a panel for each task, or group of tasks that is published as one, and the mean."""
    groups = report["groups"]
    seen: set[str] = set()
    for name, task in report["tasks"].items():
        group = GROUPS.get(name, name)
        if group in seen:
            continue
        measure = task["measure"]
        if group in groups:
            seen.add(group)
            yield _panel(f"{group}, mean of {len(groups[group]['tasks'])}", groups[group])
            continue
        yield _panel(name, {**task, "systems": _official(task)})
        if LEAK_FREE in task:
            systems = {name: entry[LEAK_FREE] for name, entry in task["systems"].items()}
            yield _panel(
                f"{name}, rows without U+FE0F",
                {"measure": measure, "floor": task[LEAK_FREE]["floor"], "systems": systems},
            )
    if report["averages"]:
        own = {"measure": None, "published": []}
        count = len({GROUPS.get(name, name) for name in report["averages"]["tasks"]})
        yield _panel(
            f"mean of {count}, %", {**own, **report["averages"]}, report["published_averages"]
        )


def _official(task: Report) -> dict[str, Any]:
    return {name: entry["measures"][task["measure"]] for name, entry in task["systems"].items()}


def _panel(title: str, task: Report, published: Mapping[str, float] | None = None) -> _Panel:
    if published is None:
        published = {
            each["system"]: each["value"]
            for each in task.get("published", ())
            if each["measure"] == task["measure"] and each["split"] != LEAK_FREE
        }
    systems = task["systems"]
    measure = task["measure"]
    return _Panel(
        title=title if measure is None else f"{title}\n{measure_name(measure)}, %",
        floor=task["floor"],
        scores={
            name: (entry["mean"], entry["deviation"] or 0.0) for name, entry in systems.items()
        },
        published={
            _ROWS[name]: value for name, value in published.items() if _ROWS.get(name) in systems
        },
    )


def _draw_scores(axes: Axes, panel: _Panel, systems: Sequence[str]) -> None:
    axes.axvline(100 * panel.floor, color=_GREY, linestyle=(0, (4, 2)), linewidth=1.2, zorder=1)
    for system in [system for system in systems if system in panel.scores]:
        mean, deviation = panel.scores[system]
        baseline = system in BASELINES
        axes.errorbar(
            100 * mean,
            systems.index(system),
            xerr=100 * deviation or None,
            fmt="o" if baseline else "s",
            color=_BLUE if baseline else _ORANGE,
            markersize=4.5,
            elinewidth=1.2,
            capsize=2,
            zorder=3,
        )
    for system, value in panel.published.items():
        axes.plot(
            100 * value,
            systems.index(system),
            marker="D",
            markersize=6.5,
            markerfacecolor="none",
            markeredgecolor="black",
            markeredgewidth=0.9,
            linestyle="none",
            zorder=4,
        )
    axes.set_title(panel.title, loc="left")
    axes.set_yticks(range(len(systems)), [system_name(system) for system in systems])
    axes.set_ylim(len(systems) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.08)
    low, high = axes.get_xlim()
    if high - low < _SPAN:  # or chance would look like a difference
        axes.set_xlim((low + high - _SPAN) / 2, (low + high + _SPAN) / 2)


def _score_legend(panels: Sequence[_Panel]) -> list[Line2D]:
    common: dict[str, Any] = {"linestyle": "none"}
    handles = [
        Line2D([], [], marker="o", color=_BLUE, label="baselines", **common),
        Line2D([], [], marker="s", color=_ORANGE, label="DeepMoji's methods", **common),
    ]
    if any(panel.published for panel in panels):
        handles.append(
            Line2D(
                [],
                [],
                marker="D",
                markerfacecolor="none",
                color="black",
                label="published",
                **common,
            )
        )
    handles.append(
        Line2D([], [], color=_GREY, linestyle=(0, (4, 2)), label="floor: a constant answer")
    )
    return handles


def _curves(report: Report) -> Figure:
    tasks = report["tasks"]
    systems = in_order({system for task in tasks.values() for system in task["systems"]})
    others = iter(_OTHER_LINES)
    styles = {system: _LINES.get(system) or next(others, _OTHER_LINES[-1]) for system in systems}
    columns = min(_COLUMNS, len(tasks))
    rows = -(-len(tasks) // columns)
    figure = Figure(figsize=(_WIDTH, 2.9 * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place < len(tasks):
            name = list(tasks)[place]
            _draw_curves(axes, name, tasks[name], styles)
        else:
            axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel("accuracy, %")
    handles = [
        Line2D([], [], color=color, marker=marker, markersize=5, label=system_name(system))
        for system, (color, marker) in styles.items()
    ]
    handles.append(
        Line2D([], [], color=_GREY, linestyle=(0, (4, 2)), label="floor: a constant answer")
    )
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return figure


def _draw_curves(
    axes: Axes, name: str, task: Report, styles: Mapping[str, tuple[str, str]]
) -> None:
    axes.axhline(
        100 * task["floors"]["accuracy"], color=_GREY, linestyle=(0, (4, 2)), linewidth=1.2
    )
    sizes: set[int] = set()
    for place, (system, points) in enumerate(task["systems"].items()):
        color, marker = styles[system]
        # Bars at the same size stand beside each other, a few per cent apart.
        shift = 1 + 0.05 * (place - (len(task["systems"]) - 1) / 2)
        texts = [point["texts"] for point in points]
        found = [point["measures"]["accuracy"] for point in points]
        sizes |= set(texts)
        axes.errorbar(
            [shift * size for size in texts],
            [100 * each["mean"] for each in found],
            yerr=[100 * (each["deviation"] or 0.0) for each in found],
            color=color,
            marker=marker,
            markersize=5,
            linewidth=1.4,
            elinewidth=1,
            capsize=2,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted(sizes)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{size:,}" for size in sorted(sizes)])
    axes.set_title(name, loc="left")
    axes.set_xlabel("training texts")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
