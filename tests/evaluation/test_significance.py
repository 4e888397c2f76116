"""Tests between two systems: against their definitions, drawn text by text."""

import math
import time

import numpy as np
import pytest

from deepmoji.errors import InputError
from deepmoji.evaluation.measures import answers, mark
from deepmoji.evaluation.significance import approximate_randomisation, paired_bootstrap

TESTS = [paired_bootstrap, approximate_randomisation]
MEASURES = [
    ("accuracy", "binary"),
    ("class_average_f1", "binary"),
    ("macro_f1", "single"),
    ("macro_recall", "single"),
    ("class_average_f1", "single"),
    ("macro_f1", "multi"),
]


def two_systems(name, kind, texts=80, better=0.5, seed=0):
    """Truth and two systems' answers, of which the second errs less."""
    random = np.random.default_rng(seed)
    classes = 2 if kind == "binary" else 3
    if kind == "multi":
        truth = (random.random((texts, classes)) < 0.4).astype(np.float32)
    else:
        truth = np.eye(classes, dtype=np.float32)[random.integers(0, classes, texts)]
    answered = []
    for weight in (0.3, 0.3 + better):
        scores = random.random(truth.shape) + weight * truth
        scores /= scores.sum(axis=1, keepdims=True)
        answered.append(answers(name, scores, kind, [0.35] * classes))
    return truth, *answered


@pytest.mark.parametrize(("name", "kind"), MEASURES)
def test_bootstrap_is_texts_drawn_with_replacement(name, kind):
    truth, first, second = two_systems(name, kind)
    result = paired_bootstrap(name, kind, truth, first, second, rounds=4000)
    random = np.random.default_rng(1)
    differences = []
    for _ in range(200):
        rows = random.integers(0, len(truth), len(truth))
        differences.append(
            mark(name, truth[rows], first[rows], kind) - mark(name, truth[rows], second[rows], kind)
        )
    # Of 200 rounds a percentile in the tail strays by about a tenth of the interval's width.
    width = result.high - result.low
    assert (result.low, result.high) == pytest.approx(
        tuple(np.quantile(differences, (0.025, 0.975))), abs=0.2 * width
    )
    assert result.first == mark(name, truth, first, kind)
    assert result.difference == mark(name, truth, first, kind) - mark(name, truth, second, kind)
    assert result.low < result.difference < result.high


@pytest.mark.parametrize(("name", "kind"), MEASURES)
def test_randomisation_is_answers_swapped_text_by_text(name, kind):
    truth, first, second = two_systems(name, kind, better=0.2, texts=40)
    result = approximate_randomisation(name, kind, truth, first, second, rounds=4000)
    random = np.random.default_rng(1)
    count = 0
    for _ in range(250):
        swap = random.random((len(truth), 1)) < 0.5
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        difference = mark(name, truth, one, kind) - mark(name, truth, other, kind)
        count += abs(difference) >= abs(result.difference) - 1e-12
    deviation = math.sqrt(result.p * (1 - result.p) / 250)
    assert result.p == pytest.approx((count + 1) / 251, abs=4 * deviation + 0.005)
    assert math.isnan(result.low)


def test_randomisation_by_hand():
    """The first is right in 5 more texts: only all or none of the 5 swapped is as far apart."""
    truth = np.eye(2)[[0] * 10]
    right, wrong = np.array([True, False]), np.array([False, True])
    first = np.stack([right] * 10)
    second = np.stack([wrong] * 5 + [right] * 5)
    result = approximate_randomisation("accuracy", "binary", truth, first, second, rounds=50_000)
    assert (result.first, result.second, result.difference) == (1.0, 0.5, 0.5)
    assert result.p == pytest.approx(2 / 2**5, abs=0.005)  # 5 deviations


def test_bootstrap_by_hand():
    """One system is right in every text, the other in half: binomial with 400 texts, ± 1.96 σ."""
    truth = np.eye(2)[[0] * 400]
    first = np.tile([True, False], (400, 1))
    second = np.concatenate([first[:200], ~first[200:]])
    result = paired_bootstrap("accuracy", "binary", truth, first, second, rounds=5000)
    assert (result.low, result.high) == pytest.approx((0.451, 0.549), abs=0.005)
    assert result.p == pytest.approx(2 / 5001)


@pytest.mark.parametrize("test", TESTS)
def test_equal_systems_do_not_differ(test):
    truth, first, _ = two_systems("macro_f1", "single")
    result = test("macro_f1", "single", truth, first, first.copy())
    assert (result.difference, result.p) == (0.0, 1.0)


@pytest.mark.parametrize("test", TESTS)
def test_the_order_of_the_systems_and_the_texts_does_not_matter(test):
    truth, first, second = two_systems("macro_f1", "single", better=0.3)
    one = test("macro_f1", "single", truth, first, second, rounds=5000)
    other = test("macro_f1", "single", truth[::-1], second[::-1], first[::-1], rounds=5000)
    assert one.difference == -other.difference
    assert one.p == pytest.approx(other.p, abs=0.02)


@pytest.mark.parametrize("test", TESTS)
def test_p_is_small_where_a_difference_is_and_seldom_where_none_is(test):
    truth, first, second = two_systems("accuracy", "single", texts=300, better=0.6)
    assert test("accuracy", "single", truth, first, second).p < 0.001
    by_chance = [
        test("macro_f1", "single", *two_systems("macro_f1", "single", 60, 0.0, seed), rounds=300).p
        for seed in range(200)
    ]
    # Of 200 about 10 are below .05; more than 20 come by chance once in 1,000 times.
    assert sum(p < 0.05 for p in by_chance) <= 20
    assert np.median(by_chance) > 0.3


@pytest.mark.parametrize("test", TESTS)
def test_the_seed_decides(test):
    systems = two_systems("macro_f1", "single", better=0.1)
    one = test("macro_f1", "single", *systems, seed=3)
    assert repr(one) == repr(test("macro_f1", "single", *systems, seed=3))
    assert (one.seed, one.rounds) == (3, 2000)
    assert 0.01 < one.p < 0.99
    assert len({test("macro_f1", "single", *systems, seed=seed).p for seed in range(5)}) > 1


@pytest.mark.parametrize("test", TESTS)
def test_what_cannot_be_compared(test):
    truth, first, second = two_systems("accuracy", "binary")
    with pytest.raises(InputError, match="rounds"):
        test("accuracy", "binary", truth, first, second, rounds=0)
    with pytest.raises(InputError, match="both have to be"):
        test("accuracy", "binary", truth, first, second[1:])
    with pytest.raises(InputError, match="no measure"):
        test("f1", "binary", truth, first, second)
    with pytest.raises(InputError, match="bool"):
        test("accuracy", "binary", truth, first, second.astype(float))
    with pytest.raises(InputError, match="no texts"):
        test("accuracy", "binary", truth[:0], first[:0], second[:0])


@pytest.mark.parametrize("test", TESTS)
def test_fifty_thousand_texts_end_in_seconds(test):
    random = np.random.default_rng(0)
    truth = np.eye(20, dtype=np.float32)[random.integers(0, 20, 50_000)]
    first, second = (
        answers("macro_f1", random.random(truth.shape) * (0.5 + truth) / 1.5, "single")
        for _ in range(2)
    )
    begun = time.process_time()
    test("macro_f1", "single", truth, first, second)
    assert time.process_time() - begun < 10  # 1 to 2 on one core
