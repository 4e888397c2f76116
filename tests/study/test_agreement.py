"""The protocol: who is the human, what is the truth, what counts, what agrees."""

import numpy as np
import pytest

from deepmoji.errors import InputError
from deepmoji.study.agreement import agreements, human_details
from deepmoji.study.raters import Draws
from deepmoji.study.ratings import Rated


@pytest.fixture(scope="module")
def rated():
    random = np.random.default_rng(1)
    ratings = [
        np.clip(np.round(random.normal(mean, 2, random.integers(3, 9))), -4, 4)
        for mean in random.uniform(-3, 3, 200)
    ]
    return Rated.of([f"text {row}" for row in range(200)], ratings, (-4, 4))


def test_the_truth_leaves_the_human_out(rated):
    draws = Draws.of(rated, 50, seed=0)
    for truth, human in zip(draws.truth, draws.human, strict=True):
        for row, own in enumerate(rated.ratings):
            possible = set()
            for place, rating in enumerate(own):
                mean = np.delete(own, place).mean()
                sign = 0 if abs(mean) <= 0.5 + 1e-9 else np.sign(mean)
                possible.add((int(sign), int(np.sign(rating))))
            assert (int(truth[row]), int(human[row])) in possible


def test_every_rater_is_drawn_about_as_often():
    rated = Rated.of(["a"], [[-4, 0, 4, 4]], (-4, 4))
    human = Draws.of(rated, 8000, seed=0).human.ravel()
    # Three standard errors of a share of a quarter or a half among 8,000.
    assert np.bincount(human + 1) / 8000 == pytest.approx([0.25, 0.25, 0.5], abs=0.017)


def test_the_same_seed_draws_the_same(rated):
    one, again, other = (Draws.of(rated, 3, seed) for seed in (0, 0, 1))
    assert (one.human == again.human).all()
    assert (one.truth == again.truth).all()
    assert not (one.human == other.human).all()


def test_agreement_of_what_is_right_wrong_and_a_coin(rated):
    draws = Draws.of(rated, 1, seed=0)
    answers = {"right": draws.truth, "wrong": -draws.truth}
    found = agreements(draws, answers, rounds=200)
    assert found["right"]["agreement"] == 1
    assert (found["right"]["low"], found["right"]["high"]) == (1, 1)
    assert found["wrong"]["agreement"] == 0
    assert 0.3 < found["chance"]["agreement"] < 0.7
    gap = found["right"]["minus_human"]
    assert gap["difference"] == pytest.approx(1 - found["human"]["agreement"], abs=1e-5)
    assert gap["low"] <= gap["difference"] <= gap["high"]
    assert "minus_human" not in found["human"]


def test_a_neutral_human_counts_half():
    draws = Draws(
        truth=np.array([[1, 1, -1, 0]], np.int8),
        human=np.array([[1, 0, 1, 1]], np.int8),
        coin=np.array([[1, 1, 1, 1]], np.int8),
    )
    found = agreements(draws, {}, rounds=20)
    assert found["human"]["agreement"] == 0.5  # 1, a half and 0; the fourth does not count
    assert human_details(draws) == {
        "neutral": pytest.approx(1 / 3, abs=1e-5),
        "agreement_if_neutral_is_wrong": pytest.approx(1 / 3, abs=1e-5),
        "agreement_without_neutral": 0.5,
    }


def test_texts_that_are_all_near_neutral_cannot_be_studied():
    rated = Rated.of(["a", "b"], [[0, 0, 0], [0, 0, 0]], (-4, 4))
    with pytest.raises(InputError, match="near neutral"):
        agreements(Draws.of(rated, 2, seed=0), {}, rounds=20)


def test_the_interval_covers_what_other_samples_give(rated):
    """Of a system that is right with a chance of 0.8, the interval should hold 0.8."""
    draws = Draws.of(rated, 20, seed=0)
    random = np.random.default_rng(0)
    signs = np.sign(rated.means).astype(np.int8)
    answers = np.where(random.random(len(rated)) < 0.8, signs, -signs)[np.newaxis]
    found = agreements(draws, {"system": answers}, rounds=500)["system"]
    assert found["low"] < found["agreement"] < found["high"]
    assert found["high"] - found["low"] == pytest.approx(4 * np.sqrt(0.16 / 180), rel=0.35)


def test_draws_in_which_no_human_took_a_side_are_left_out():
    rated = Rated.of(["a", "b"], [[5, 1, 1], [5, 9, 9]], (1, 9))
    draws = Draws.of(rated, 200, seed=0)
    assert (draws.human == 0).all(axis=1).any()
    assert human_details(draws)["agreement_without_neutral"] == 1  # a side was the right one


def test_humans_who_never_took_a_side_have_no_agreement_without_neutral():
    draws = Draws(
        truth=np.array([[1, -1]], np.int8),
        human=np.array([[0, 0]], np.int8),
        coin=np.array([[1, 1]], np.int8),
    )
    assert human_details(draws) == {
        "neutral": 1,
        "agreement_if_neutral_is_wrong": 0,
        "agreement_without_neutral": None,
    }


def test_rounds_that_drew_no_text_that_counts_are_no_disagreement():
    rated = Rated.of(["a", "b", "c", "d"], [[9, 9, 9], [5, 5, 5], [5, 5, 5], [5, 5, 5]], (1, 9))
    found = agreements(Draws.of(rated, 3, seed=0), {"right": np.ones((1, 4), np.int8)})
    assert (found["right"]["low"], found["right"]["agreement"], found["right"]["high"]) == (1, 1, 1)
