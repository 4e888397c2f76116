"""What more posts would give: a law fitted to the experiments on scaling, as a table and a plot.

The law is that of Hestness et al. (2017, "Deep Learning Scaling is Predictable, Empirically"): an
error falls as floor + factor * pairs ** -exponent. Three numbers are fitted to six points, so what
it says of a thousand times more pairs is a guess; the range is that of the fits which lack one of
the points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from deepmoji.benchmark.plots import STYLE, save
from runs.settings import Experiment
from scripts.blocks import ROOT, table

Rows = Sequence[Mapping[str, Any]]

PLOT = ROOT / "docs" / "images" / "scaling"
LEVER = "scaling"
ALSO = "passes-1"  # an experiment on another lever, and the point at 100,000 pairs
AHEAD = {10_000_000: "10 M", 100_000_000: "100 M", 1_200_000_000: "1.2 B, the paper's"}
FEWEST = 5  # points: with one left out still more than the law has numbers
MEASURES = {
    "natural_loss": "loss, nats",
    "natural_top1": "natural top-1",
    "natural_top5": "top-5",
    "balanced_top1": "balanced top-1",
    "balanced_top5": "top-5",
}
_UNIT = 100_000.0  # pairs; keeps the numbers of the fit near one
_COLORS = {"natural_loss": "#0072B2", "natural_top1": "#0072B2", "balanced_top1": "#D55E00"}


@dataclass(frozen=True, kw_only=True)
class Law:
    """An error by the number of pairs; the exponent is positive, the floor not negative."""

    floor: float
    factor: float  # at 100,000 pairs
    exponent: float

    @classmethod
    def fit(cls, pairs: ArrayLike, errors: ArrayLike) -> "Law":
        """Fit by least squares; at least three points."""
        counts, found = np.asarray(pairs, float) / _UNIT, np.asarray(errors, float)

        def off(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
            floor, factor, exponent = numbers
            return floor + factor * counts**-exponent - found

        start = (0.5 * found.min(), 0.5 * found.max(), 0.2)
        bounds = ((0.0, 0.0, 1e-3), (found.min(), np.inf, 2.0))
        best = least_squares(off, start, bounds=bounds, x_scale=start, xtol=1e-12, ftol=1e-12)
        return cls(floor=float(best.x[0]), factor=float(best.x[1]), exponent=float(best.x[2]))

    def at(self, pairs: ArrayLike) -> NDArray[np.float64]:
        """Return the errors at numbers of pairs."""
        return self.floor + self.factor * (np.asarray(pairs, float) / _UNIT) ** -self.exponent


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A measure by the number of pairs: what was found, and the law."""

    pairs: NDArray[np.float64]
    values: NDArray[np.float64]  # as measured: a loss, or shares of 1
    falls: bool  # a loss; an accuracy rises, and one minus it is the error

    @classmethod
    def of(cls, rows: Rows, measure: str) -> "Trend":
        """Take a measure from the rows of the experiments, one for each number of pairs."""
        pairs = np.array([row["texts"] for row in rows], float)
        values = np.array([row[measure] for row in rows], float)
        return cls(pairs=pairs, values=values, falls=measure.endswith("loss"))

    def predict(
        self, pairs: ArrayLike, *, points: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float64]:
        """Return what the law says, fitted to all points or to some."""
        chosen = np.ones(len(self.pairs), np.bool_) if points is None else points
        errors = self.values if self.falls else 1 - self.values
        said = Law.fit(self.pairs[chosen], errors[chosen]).at(pairs)
        return said if self.falls else 1 - said

    def spread(self, pairs: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the least and the most that fits say which lack one point, and the whole one."""
        without = ~np.eye(len(self.pairs), dtype=np.bool_)
        said = [self.predict(pairs), *(self.predict(pairs, points=each) for each in without)]
        return np.min(said, axis=0), np.max(said, axis=0)


def points(rows: Rows, experiments: Sequence[Experiment]) -> Rows:
    """Return the rows that the law is fitted to, by the number of pairs; each pair seen once."""
    names = {each.name for each in experiments if each.lever == LEVER} | {ALSO}
    found = [row for row in rows if row["experiment"] in names and row["seed"] == 0]
    return sorted(found, key=lambda row: row["texts"])


def section(found: Rows) -> str:
    """What stands under the table of the experiments; "" as long as there are too few."""
    if len(found) < FEWEST:
        return ""
    trends = {measure: Trend.of(found, measure) for measure in MEASURES}
    lines = [
        [f"{row['texts']:,}", *(_number(measure, row[measure]) for measure in MEASURES)]
        for row in found
    ]
    for pairs, name in AHEAD.items():
        cells: list[str] = []
        for measure, trend in trends.items():
            low, high = (_number(measure, float(each)) for each in trend.spread(pairs))
            cells.append(f"*{_number(measure, float(trend.predict(pairs)))}* ({low} to {high})")
        lines.append([name, *cells])
    return "\n\n".join(
        [
            "![Loss and accuracy by the number of pairs](images/scaling.png)",
            "The same network and settings by the number of pairs, each seen once. *Slanted*: what "
            "floor + factor × pairs^-exponent says, fitted to the rows above (for accuracies to "
            "what is missing to 100 %); in brackets the range of the fits that lack one of these "
            "rows.",
            table(["pairs", *MEASURES.values()], lines, "rrrrrr"),
            _tested(trends),
        ]
    )


def _tested(trends: Mapping[str, Trend]) -> str:
    """Say how far the law is off where that can be known: at the last point, fitted to others."""
    loss, top1 = trends["natural_loss"], trends["natural_top1"]
    earlier = np.arange(len(loss.pairs)) < len(loss.pairs) - 2
    last = loss.pairs[-1]
    laws = Law.fit(loss.pairs, loss.values)
    return (
        f"The law of the loss: {laws.floor:.2f} + {laws.factor:.2f} × (pairs / 100,000)^"
        f"-{laws.exponent:.2f}. A test of such laws: fitted to the first {earlier.sum()} rows "
        f"alone, up to {loss.pairs[earlier][-1]:,.0f} pairs, they say "
        f"{loss.predict(last, points=earlier):.2f} of loss and "
        f"{100 * top1.predict(last, points=earlier):.1f} % of natural top-1 for {last:,.0f}; "
        f"measured were {loss.values[-1]:.2f} and {100 * top1.values[-1]:.1f} %."
    )


def _number(measure: str, value: float) -> str:
    return f"{value:.2f}" if measure.endswith("loss") else f"{100 * value:.1f}"


def plot(found: Rows, stem: Path = PLOT) -> None:
    """Draw loss and accuracies by the number of pairs, as `stem`.png and `stem`.svg."""
    if len(found) < FEWEST:
        return
    with rc_context(STYLE):
        figure = Figure(figsize=(9.0, 3.4), layout="constrained")
        figure.suptitle("dots: measured; line: fitted to them; dashed: beyond them", fontsize=9)
        left, right = figure.subplots(1, 2)
        _draw(left, found, "natural_loss", 1.0)
        left.set_ylabel("loss on posts as they occur, nats")
        for measure in ("natural_top1", "balanced_top1"):
            _draw(right, found, measure, 100.0)
        right.set_ylabel("top-1 accuracy, %")
        right.legend(frameon=False, loc="upper left")
        save(figure, stem)


def _draw(axes: Axes, found: Rows, measure: str, unit: float) -> None:
    trend, color = Trend.of(found, measure), _COLORS[measure]
    end = max(AHEAD)
    grid = np.geomspace(trend.pairs[0], end, 200)
    known = grid <= trend.pairs[-1]
    said = unit * trend.predict(grid)
    low, high = (unit * each for each in trend.spread(grid))
    axes.fill_between(grid, low, high, color=color, alpha=0.15, linewidth=0)
    axes.plot(grid[known], said[known], color=color, linewidth=1.4)
    axes.plot(grid[~known], said[~known], color=color, linewidth=1.4, linestyle=(0, (4, 2)))
    label = "natural" if measure.startswith("natural") else "balanced"
    axes.plot(trend.pairs, unit * trend.values, "o", color=color, markersize=5, label=label)
    axes.set_xscale("log")
    axes.set_xlabel("pairs of post and emoji, each seen once")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
