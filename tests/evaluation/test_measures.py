"""Measures against hand-computed values and against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from deepmoji.errors import InputError
from deepmoji.evaluation.measures import (
    MEASURES,
    all_measures,
    answers,
    best_thresholds,
    decisions,
    mark,
    mean_and_deviation,
    measure,
)


def one_hot(labels, classes):
    return np.eye(classes, dtype=np.float32)[labels]


def positive(*probabilities):
    """Two columns from the probability of the second class."""
    second = np.array(probabilities, dtype=np.float32)
    return np.stack([1 - second, second], axis=1)


# Answered at argmax: 1 1 0 0 1 0; right are texts 0, 2, 3, 4, so that class 1 has 2 hits, 3
# answers and 3 texts, class 0 2 hits, 3 answers and 3 texts.
BINARY = one_hot([1, 0, 0, 0, 1, 1], 2)
BINARY_SCORES = positive(0.9, 0.6, 0.2, 0.4, 0.8, 0.3)

# Answered: 0 1 2 2 1 0. Class 0: 1 hit, 2 answers, 2 texts; 1: 2 hits, 2 answers, 2 texts;
# 2: 1 hit, 2 answers, 2 texts.
SINGLE = one_hot([0, 1, 0, 2, 1, 2], 3)
SINGLE_SCORES = np.array(
    [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.3, 0.1, 0.6], [0.1, 0.2, 0.7], [0.2, 0.7, 0.1],
     [0.6, 0.2, 0.2]],
    dtype=np.float32,
)  # fmt: skip

# Reached at .5: 11 01 00 10. Class 0: 1 hit, 2 answers, 2 texts; class 1: 2 hits, 2 answers,
# 2 texts. Wholly right: texts 0 and 1.
MULTI = np.array([[1, 1], [0, 1], [1, 0], [0, 0]], dtype=np.float32)
MULTI_SCORES = np.array([[0.9, 0.6], [0.2, 0.5], [0.4, 0.1], [0.7, 0.3]], dtype=np.float32)


@pytest.mark.parametrize(
    ("name", "kind", "truth", "scores", "thresholds", "expected"),
    [
        ("accuracy", "binary", BINARY, BINARY_SCORES, None, 4 / 6),
        ("macro_f1", "binary", BINARY, BINARY_SCORES, None, (4 / 6 + 4 / 6) / 2),
        ("positive_f1", "binary", BINARY, BINARY_SCORES, None, 4 / 6),
        ("macro_recall", "binary", BINARY, BINARY_SCORES, None, (2 / 3 + 2 / 3) / 2),
        # At .3 also texts 3 and 5 are answered with class 1: 3 hits, 5 answers, 3 texts.
        ("class_average_f1", "binary", BINARY, BINARY_SCORES, (0.4, 0.25), 6 / 8),
        ("accuracy", "single", SINGLE, SINGLE_SCORES, None, 4 / 6),
        ("macro_f1", "single", SINGLE, SINGLE_SCORES, None, (2 / 4 + 4 / 4 + 2 / 4) / 3),
        ("macro_recall", "single", SINGLE, SINGLE_SCORES, None, (1 / 2 + 1 + 1 / 2) / 3),
        ("stance_f1", "single", SINGLE, SINGLE_SCORES, None, (1 + 1 / 2) / 2),
        # At .25 text 2 is class 0 as well: 2 hits, 3 answers, 2 texts. At .65 class 2 keeps one.
        ("class_average_f1", "single", SINGLE, SINGLE_SCORES, (0.25, 0.5, 0.65),
         (4 / 5 + 1 + 2 / 3) / 3),
        ("accuracy", "multi", MULTI, MULTI_SCORES, None, 2 / 4),
        ("macro_f1", "multi", MULTI, MULTI_SCORES, None, (2 / 4 + 4 / 4) / 2),
        ("macro_recall", "multi", MULTI, MULTI_SCORES, None, (1 / 2 + 1) / 2),
        # At .35 class 0 is found in text 2 as well, and still in text 3.
        ("accuracy", "multi", MULTI, MULTI_SCORES, (0.35, 0.5), 3 / 4),
        ("macro_f1", "multi", MULTI, MULTI_SCORES, (0.35, 0.5), (4 / 5 + 1) / 2),
        ("class_average_f1", "multi", MULTI, MULTI_SCORES, (0.35, 0.5), (4 / 5 + 1) / 2),
    ],
)  # fmt: skip
def test_by_hand(name, kind, truth, scores, thresholds, expected):
    assert measure(name, truth, scores, kind, thresholds) == pytest.approx(expected)


def sklearns(truth, scores, kind, thresholds):
    """The same measures from labels, as scikit-learn's users compute them."""
    reached = scores >= thresholds
    if kind == "multi":
        f1 = metrics.f1_score(truth, reached, average="macro", zero_division=0)
        return {
            "accuracy": metrics.accuracy_score(truth, reached),
            "macro_f1": f1,
            "class_average_f1": f1,
            "macro_recall": metrics.recall_score(truth, reached, average="macro", zero_division=0),
        }
    labels, answered = truth.argmax(axis=1), scores.argmax(axis=1)
    every = {"labels": range(truth.shape[1]), "zero_division": 0}
    by_class = [
        metrics.f1_score(labels == place, reached[:, place], zero_division=0)
        for place in ([1] if kind == "binary" else range(truth.shape[1]))
    ]
    figures = {
        "accuracy": metrics.accuracy_score(labels, answered),
        "macro_f1": metrics.f1_score(labels, answered, average="macro", **every),
        "macro_recall": metrics.recall_score(labels, answered, average="macro", **every),
        "class_average_f1": np.mean(by_class),
    }
    if kind == "binary":
        figures["positive_f1"] = metrics.f1_score(labels, answered, zero_division=0)
    return figures


@given(st.sampled_from(["binary", "single", "multi"]), st.integers(1, 40), st.integers(0, 10**6))
def test_as_sklearn(kind, rows, seed):
    random = np.random.default_rng(seed)
    classes = 2 if kind == "binary" else int(random.integers(3, 7))
    if kind == "multi":
        truth = (random.random((rows, classes)) < 0.3).astype(np.float32)
    else:
        truth = one_hot(random.integers(0, classes, rows), classes)
    scores = random.dirichlet(np.ones(classes), rows).astype(np.float32)
    thresholds = random.choice([0.01, 0.2, 0.49], classes)
    expected = sklearns(truth, scores, kind, thresholds)
    assert all_measures(truth, scores, kind, thresholds) == pytest.approx(expected)


def test_stance_is_sklearns():
    random = np.random.default_rng(0)
    labels, scores = random.integers(0, 3, 200), random.dirichlet(np.ones(3), 200)
    official = metrics.f1_score(labels, scores.argmax(axis=1), labels=[1, 2], average="macro")
    assert measure("stance_f1", one_hot(labels, 3), scores, "single") == pytest.approx(official)


def test_which_measures_apply():
    every = {"accuracy", "macro_f1", "macro_recall"}
    half = [0.5, 0.5]
    assert all_measures(BINARY, BINARY_SCORES, "binary", None).keys() == every | {"positive_f1"}
    assert all_measures(SINGLE, SINGLE_SCORES, "single", None).keys() == every
    assert all_measures(MULTI, MULTI_SCORES, "multi", half).keys() == every | {"class_average_f1"}
    assert set(MEASURES) == every | {"positive_f1", "class_average_f1", "stance_f1"}


def test_a_class_that_neither_occurs_nor_is_answered_counts_as_nothing():
    truth, scores = one_hot([0, 0], 3), np.array([[0.8, 0.1, 0.1]] * 2)
    assert measure("macro_f1", truth, scores, "single") == pytest.approx(1 / 3)
    assert measure("macro_recall", truth, scores, "single") == pytest.approx(1 / 3)


def test_a_single_class_that_holds_or_not():
    truth, scores = np.array([[1], [1], [0], [0]]), np.array([[0.9], [0.2], [0.6], [0.1]])
    figures = all_measures(truth, scores, "multi", [0.5])
    assert figures == {
        "accuracy": 0.5, "macro_f1": 0.5, "class_average_f1": 0.5, "macro_recall": 0.5,
    }  # fmt: skip


def test_decisions():
    scores = np.array([[0.4, 0.4, 0.2], [0.1, 0.3, 0.6]])
    first = [[True, False, False], [False, False, True]]  # of equal ones the first
    assert decisions(scores, "single").tolist() == first
    assert decisions(scores, "single", [0.9, 0.9, 0.9]).tolist() == first
    assert decisions(scores, "multi").tolist() == [[False] * 3, [False, False, True]]
    reached = decisions(scores, "multi", [0.4, 0.2, 0.6])
    assert reached.tolist() == [[True, True, False], [False, True, True]]
    assert decisions(np.zeros((0, 3)), "single").shape == (0, 3)
    assert (
        answers("class_average_f1", scores, "single", [0.4, 0.2, 0.6]).tolist() == reached.tolist()
    )


def test_thresholds_by_hand():
    """Class 0 is best from .21 to .40, whose middle is .31; class 1 anywhere below .05."""
    truth = np.array([[1, 1], [1, 1], [0, 1], [0, 0]])
    scores = np.array([[0.9, 0.7], [0.4, 0.05], [0.2, 0.6], [0.1, 0.01]])
    thresholds = best_thresholds(truth, scores)
    assert thresholds.tolist() == [0.31, 0.04]
    assert thresholds.dtype == np.float64
    assert measure("macro_f1", truth, scores, "multi", thresholds) == 1.0


def test_no_threshold_of_the_grid_is_better():
    random = np.random.default_rng(0)
    truth = random.random((60, 4)) < 0.3
    scores = np.clip(random.random((60, 4)) * 0.6 + truth * 0.2, 0, 1).astype(np.float32)
    best = best_thresholds(truth, scores)
    for place in range(4):
        own = metrics.f1_score(truth[:, place], scores[:, place] >= best[place])
        for threshold in np.arange(1, 50) / 100:
            other = metrics.f1_score(
                truth[:, place], scores[:, place] >= threshold, zero_division=0
            )
            assert other <= own + 1e-12


def test_thresholds_where_validation_tells_nothing():
    truth = np.array([[0, 1], [0, 1]])
    scores = np.array([[0.9, 0.001], [0.001, 0.002]])
    assert best_thresholds(truth, scores).tolist() == [0.49, 0.49]


def test_thresholds_of_a_thousand_classes():
    random = np.random.default_rng(0)
    truth = one_hot(random.integers(0, 1000, 3000), 1000)
    assert best_thresholds(truth, random.random((3000, 1000)).astype(np.float32)).shape == (1000,)


@pytest.mark.parametrize(
    ("name", "truth", "scores", "kind", "thresholds", "message"),
    [
        ("f1", BINARY, BINARY_SCORES, "binary", None, "no measure 'f1'; there are accuracy"),
        ("positive_f1", SINGLE, SINGLE_SCORES, "single", None, "of kind binary, not single"),
        ("stance_f1", BINARY, BINARY_SCORES, "binary", None, "of kind single"),
        ("stance_f1", BINARY, BINARY_SCORES, "single", None, "at least 3 classes"),
        ("class_average_f1", SINGLE, SINGLE_SCORES, "single", None, "needs thresholds"),
        ("macro_f1", MULTI, MULTI_SCORES, "multi", [0.5], "2 classes need as many thresholds"),
        ("macro_f1", MULTI, MULTI_SCORES, "multi", [0.5, math.nan], "as many thresholds"),
        ("accuracy", BINARY[:5], BINARY_SCORES, "binary", None, "both have to be"),
        ("accuracy", BINARY[:, 1], BINARY_SCORES[:, 1], "binary", None, r"have to be \[n, C\]"),
        ("accuracy", SINGLE, SINGLE_SCORES, "binary", None, "2 columns, not 3"),
        ("accuracy", MULTI, MULTI_SCORES, "binary", None, "exactly one class a text"),
        ("accuracy", BINARY * 2, BINARY_SCORES, "binary", None, "1 where a class holds"),
        ("accuracy", BINARY * np.nan, BINARY_SCORES, "binary", None, "1 where a class holds"),
        ("accuracy", BINARY, BINARY_SCORES * np.nan, "binary", None, "numbers from 0 to 1"),
        ("accuracy", BINARY, np.log(BINARY_SCORES), "binary", None, "numbers from 0 to 1"),
        ("accuracy", BINARY[:0], BINARY_SCORES[:0], "binary", None, "no texts"),
    ],
)
def test_what_cannot_be_measured(name, truth, scores, kind, thresholds, message):
    with pytest.raises(InputError, match=message):
        measure(name, truth, scores, kind, thresholds)


def test_marks_are_for_answers_not_for_probabilities():
    with pytest.raises(InputError, match="bool"):
        mark("accuracy", BINARY, BINARY_SCORES, "binary")
    with pytest.raises(InputError, match="both have to be"):
        best_thresholds(BINARY, SINGLE_SCORES)
    with pytest.raises(InputError, match="numbers from 0 to 1"):
        best_thresholds(BINARY, BINARY_SCORES + 1)


def test_probabilities_may_pass_one_by_a_rounding():
    assert measure("accuracy", BINARY, BINARY_SCORES * 1.00005, "binary") == pytest.approx(4 / 6)


def test_mean_and_deviation():
    assert mean_and_deviation([1.0, 2.0, 4.0]) == pytest.approx((7 / 3, math.sqrt(7 / 3)))
    values = np.random.default_rng(0).random(5)
    assert mean_and_deviation(values) == pytest.approx((values.mean(), values.std(ddof=1)))
    mean, deviation = mean_and_deviation([0.5])
    assert mean == 0.5
    assert math.isnan(deviation)
    with pytest.raises(InputError, match="no figures"):
        mean_and_deviation([])
