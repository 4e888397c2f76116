"""The law of what more pairs would give: it finds what is there, and says what it cannot know."""

import numpy as np
import pytest

from runs.settings import names, read
from scripts import scaling, training_log

PAIRS = {"scale-10k": 10_000, "scale-30k": 30_000, "passes-1": 100_000, "scale-300k": 300_000,
         "scale-1m": 1_000_000, "scale-all": 1_360_000}  # fmt: skip
TRUE = scaling.Law(floor=2.2, factor=0.9, exponent=0.15)


def rows(noise=0.0):
    random = np.random.default_rng(0)
    made = []
    for name, pairs in PAIRS.items():
        loss = float(TRUE.at(pairs)) + noise * random.normal()
        accuracies = dict.fromkeys(list(scaling.MEASURES)[1:], 1 - loss / 4)
        named = {"experiment": name, "seed": 0, "texts": pairs, "seconds": 1.0}
        made.append(named | {"natural_loss": loss} | accuracies)
    return made


def test_the_law_is_found_again():
    found = scaling.Law.fit(list(PAIRS.values()), TRUE.at(list(PAIRS.values())))
    assert found.floor == pytest.approx(TRUE.floor, abs=1e-4)
    assert found.factor == pytest.approx(TRUE.factor, abs=1e-4)
    assert found.exponent == pytest.approx(TRUE.exponent, abs=1e-4)


def test_accuracies_rise_as_losses_fall():
    trend = scaling.Trend.of(rows(), "natural_top1")
    assert trend.predict(1e9) == pytest.approx(1 - float(TRUE.at(1e9)) / 4, abs=1e-4)


def test_the_range_holds_the_guess_and_grows_with_the_distance():
    trend = scaling.Trend.of(rows(noise=0.01), "natural_loss")
    widths = []
    for pairs in (1e6, 1e7, 1e9):
        low, high = trend.spread(pairs)
        assert low <= trend.predict(pairs) <= high
        widths.append(high - low)
    assert widths == sorted(widths)
    assert widths[2] > 3 * widths[0] > 0


def test_points_are_those_that_saw_each_pair_once_in_order_of_pairs():
    experiments = [read(name) for name in names()]
    others = [{"experiment": "base", "seed": 0, "texts": 1}]
    others += [{**row, "seed": 1} for row in rows()]
    found = scaling.points([*others, *reversed(rows())], experiments)
    assert found == rows()


def test_nothing_is_said_of_too_few_points(tmp_path):
    few = rows()[:4]
    assert scaling.section(few) == ""
    scaling.plot(few, tmp_path / "plot")
    assert list(tmp_path.iterdir()) == []
    assert "pairs^-exponent" not in training_log.render(few)


def test_the_page_shows_the_guess_and_how_far_such_guesses_were_off(tmp_path):
    page = training_log.render(rows())
    section = page[page.index("## Scaling") : page.index("## Size")]
    ahead = [line for line in section.splitlines() if "the paper's" in line]
    assert f"*{float(TRUE.at(1.2e9)):.2f}*" in ahead[0]
    assert "fitted to the first 4 rows alone, up to 300,000 pairs" in section
    scaling.plot(rows(), tmp_path / "plot")
    assert {path.name for path in tmp_path.iterdir()} == {"plot.png", "plot.svg"}
