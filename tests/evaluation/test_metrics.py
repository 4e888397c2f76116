"""Measures against hand-computed values."""

import numpy as np
import pytest

from deepmoji.evaluation.baselines import fasttext_scores, prior_scores
from deepmoji.evaluation.metrics import (
    Priors,
    calibration_error,
    emoji_accuracies,
    emoji_intervals,
    top_k_accuracy,
    wilson,
)

SCORES = np.log(
    np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.5, 0.3], [0.5, 0.2, 0.3]], dtype=np.float32)
)
LABELS = np.array([0, 1, 2, 2])


def test_top_k_by_hand():
    assert top_k_accuracy(SCORES, LABELS, ks=(1, 2, 3)) == [0.25, 1.0, 1.0]


def test_ties_gain_nothing():
    constant = np.zeros((4, 3), dtype=np.float32)
    assert top_k_accuracy(constant, LABELS, ks=(1, 2)) == [0.0, 0.0]


def test_top_k_is_sklearns():
    from sklearn.metrics import top_k_accuracy_score

    random = np.random.default_rng(0)
    scores = random.normal(size=(300, 12)).astype(np.float32)
    labels = random.integers(0, 12, 300)
    expected = [top_k_accuracy_score(labels, scores, k=k) for k in (1, 5)]
    assert top_k_accuracy(scores, labels) == pytest.approx(expected)


def test_emoji_accuracies_by_hand():
    """Natural: rows 0 and 1. Balanced: all, mean over the classes 1/1, 0/1 and 1/2.

    With the prior (.5, .25, .25) divided out: row 0 1.2/1.2/.4 (a tie), row 1 1/1.6/.4,
    row 2 .4/2/1.2, row 3 1/.8/1.2.
    """
    prior = np.array([0.5, 0.25, 0.25])
    result = emoji_accuracies(
        SCORES,
        LABELS,
        balanced=np.array([False, True, True, True]),
        natural=np.array([True, True, False, False]),
        priors=Priors(seen=prior, natural=prior),
    )
    assert result["natural_loss"] == pytest.approx(-(np.log(0.6) + np.log(0.4)) / 2)
    assert result["natural_top1"] == 0.5
    assert result["balanced_top1"] == pytest.approx((1 + 0.5) / 2)
    assert result["balanced_top5"] == 1.0


def test_the_prior_alone_guesses_the_most_frequent_and_nothing_when_balanced():
    prior = np.array([0.7, 0.2, 0.1])
    labels = np.array([0, 0, 1, 2])
    everything = np.ones(4, dtype=bool)
    result = emoji_accuracies(
        prior_scores(prior, 4),
        labels,
        balanced=everything,
        natural=everything,
        priors=Priors(seen=prior, natural=prior),
    )
    assert result["natural_top1"] == 0.5
    assert result["balanced_top1"] <= 1 / 3


def test_what_training_saw_is_exchanged_for_what_occurs():
    """A model trained on balanced classes answers natural posts with the natural prior."""
    seen, natural = np.full(3, 1 / 3), np.array([0.8, 0.1, 0.1])
    scores = np.log(np.array([[0.3, 0.6, 0.1]], dtype=np.float32))
    label = np.array([0])
    result = emoji_accuracies(
        scores,
        label,
        balanced=np.array([True]),
        natural=np.array([True]),
        priors=Priors(seen=seen, natural=natural),
    )
    assert result["natural_top1"] == 1.0  # .24 against .06 and .01
    assert result["natural_loss"] == pytest.approx(-np.log(0.24 / 0.31), abs=1e-6)
    assert result["balanced_top1"] == 0.0


def test_a_class_that_training_never_saw_takes_nothing_from_the_others():
    seen = np.array([0.5, 0.5, 0.0])
    scores = np.log(np.array([[0.9, 0.1 - 1e-9, 1e-9], [0.1, 0.9 - 1e-9, 1e-9]]))
    both = np.ones(2, dtype=bool)
    result = emoji_accuracies(
        scores.astype(np.float32),
        np.array([0, 1]),
        balanced=both,
        natural=both,
        priors=Priors(seen=seen, natural=seen),
    )
    assert result["balanced_top1"] == result["natural_top1"] == 1.0
    assert np.isfinite(result["natural_loss"])


def test_fasttext_learns_what_single_words_tell():
    train = [(("so", "funny"), 0), (("so", "sad"), 1)] * 200
    scores = fasttext_scores(train, [("funny",), ("sad",), ()], classes=3, dim=8, epochs=20)
    assert scores.shape == (3, 3)
    assert scores[:2].argmax(axis=1).tolist() == [0, 1]
    assert scores[0, 2] < -20  # a class that training never saw


def test_calibration_error_by_hand():
    # Three bins: two rows at 0.9, one of them right; one at 0.7, right; one at 0.55, wrong.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.45, 0.55]])
    labels = np.array([0, 1, 1, 0])
    expected = (2 * abs(0.5 - 0.9) + abs(1 - 0.7) + abs(0 - 0.55)) / 4
    assert calibration_error(probabilities, labels) == pytest.approx(expected)
    assert calibration_error(np.array([[1.0, 0.0]]), np.array([0])) == 0.0
    assert calibration_error(probabilities[:0], labels[:0]) is None


def test_a_bin_holds_its_upper_bound_and_rows_of_a_bin_make_up_for_each_other():
    # 0.4 is the end of a bin of width 1/15; with 0.35 it is in the sixth: mean 0.375, half right.
    probabilities = np.array([[0.4, 0.3, 0.3], [0.35, 0.325, 0.325]])
    assert calibration_error(probabilities, np.array([0, 1])) == pytest.approx(0.5 - 0.375)


def test_drawn_answers_are_calibrated():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(4), size=20_000)
    drawn = (probabilities.cumsum(axis=1) < random.random((20_000, 1))).sum(axis=1)
    error = calibration_error(probabilities, drawn)
    assert error is not None
    assert error < 0.01  # measured: 0.005
    sharpened = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    worse = calibration_error(sharpened, drawn)
    assert worse is not None
    assert worse > 0.1


@pytest.mark.parametrize(("right", "rows"), [(8, 10), (0, 10), (2, 4), (2500, 9144), (1, 1)])
def test_wilson_is_scipys(right, rows):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(right, rows).proportion_ci(method="wilson")
    assert wilson(right / rows, rows) == pytest.approx([expected.low, expected.high], abs=1e-6)


def test_intervals_by_hand():
    # Class 0: 3 of 4 right; class 1: 1 of 2; all rows are in both sets, nothing to divide out.
    log_scores = np.log(np.array([[0.9, 0.1]] * 3 + [[0.1, 0.9]] * 2 + [[0.9, 0.1]], np.float32))
    labels = np.array([0, 0, 0, 0, 1, 1])
    both, even = np.ones(6, bool), np.full(2, 0.5)
    sets = {"balanced": both, "natural": both, "priors": Priors(seen=even, natural=even)}
    marks = emoji_accuracies(log_scores, labels, **sets)
    intervals = emoji_intervals(log_scores, labels, **sets)
    assert intervals["natural_top1_interval"] == wilson(marks["natural_top1"], 6)
    # With one more row right and one wrong: 4 of 6 and 2 of 4; in the five best, 5 of 6 and 3 of 4.
    top_1, top_5 = (
        1.959964 * ((first * (1 - first) / 4 + second * (1 - second) / 2) ** 0.5) / 2
        for first, second in ((4 / 6, 2 / 4), (5 / 6, 3 / 4))
    )
    assert marks["balanced_top1"] == 0.625
    assert intervals["balanced_top1_interval"] == pytest.approx([0.625 - top_1, 1.0])
    assert intervals["balanced_top5_interval"] == pytest.approx([1.0 - top_5, 1.0])
    sets |= {"balanced": ~both, "natural": ~both}
    assert emoji_intervals(log_scores, labels, **sets) == {}


def answered(rows, shares, random):
    """Return scores and labels, as many rows a class, right as often as its share says."""
    classes = len(shares)
    labels = np.repeat(np.arange(classes), rows)
    is_right = random.random(len(labels)) < np.repeat(shares, rows)
    scores = np.full((len(labels), classes), 0.01, np.float32)
    scores[np.arange(len(labels)), np.where(is_right, labels, (labels + 1) % classes)] = 1
    return np.log(scores), labels


def balanced_interval(scores, labels):
    both, even = np.ones(len(labels), bool), np.full(scores.shape[1], 1 / scores.shape[1])
    sets = {"balanced": both, "natural": both, "priors": Priors(seen=even, natural=even)}
    return emoji_intervals(scores, labels, **sets)["balanced_top1_interval"]


@pytest.mark.parametrize("rows", [1, 2, 5, 20])
def test_balanced_intervals_hold_the_true_mean(rows):
    """However few rows an emoji has; one has no variance of its own."""
    random = np.random.default_rng(0)
    shares = random.beta(1, 4, size=64)
    covered = 0
    for _ in range(400):
        low, high = balanced_interval(*answered(rows, shares, random))
        covered += low <= shares.mean() <= high
    # Three standard errors of 400 draws below 95 %. Few rows are covered more often.
    assert covered / 400 > 0.95 - 3 * (0.95 * 0.05 / 400) ** 0.5


def test_balanced_intervals_are_those_of_unbiased_variances_where_rows_are_many():
    random = np.random.default_rng(1)
    scores, labels = answered(100, random.beta(1, 4, size=64), random)
    shares = np.array([(scores[labels == each].argmax(1) == each).mean() for each in range(64)])
    half = 1.959964 * (shares * (1 - shares) / 99).sum() ** 0.5 / 64
    # Measured: 0.0001 wider on either side; figures are shown to 0.001.
    expected = [shares.mean() - half, shares.mean() + half]
    assert balanced_interval(scores, labels) == pytest.approx(expected, abs=0.0005)
