"""Which pairs are trained on when."""

from types import SimpleNamespace

import numpy as np
import pytest

from deepmoji.config import PretrainConfig
from deepmoji.training.batches import BatchPlan, collate, sampling_prior
from deepmoji.training.loop import learning_rate


def make_pairs(rows=1000, seed=0):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 30, rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = random.integers(2, 99, offsets[-1]).astype(np.uint16)
    labels = np.where(random.random(rows) < 0.9, 0, random.integers(1, 4, rows)).astype(np.int64)
    return SimpleNamespace(ids=ids, offsets=offsets, labels=labels)


def test_an_epoch_has_every_pair_once():
    plan = BatchPlan(make_pairs(), PretrainConfig(batch_size=64), classes=4)
    rows = np.concatenate([plan.rows(step) for step in range(plan.steps_per_epoch)])
    assert plan.steps == 16
    assert sorted(rows) == list(range(1000))


def test_steps_do_not_depend_on_where_one_starts():
    config = PretrainConfig(batch_size=64, epochs=3.0)
    whole = BatchPlan(make_pairs(), config, classes=4)
    before = [whole.rows(step) for step in range(whole.steps)]
    for step in (40, 3, 17):
        np.testing.assert_array_equal(
            BatchPlan(make_pairs(), config, classes=4).rows(step), before[step]
        )
    assert not np.array_equal(before[0], before[16])


def test_another_seed_is_another_order():
    first, second = (
        BatchPlan(make_pairs(), PretrainConfig(batch_size=64, seed=seed), classes=4).rows(0)
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_batches_hold_texts_of_similar_length():
    pairs = make_pairs(20_000)
    plan = BatchPlan(pairs, PretrainConfig(batch_size=64, max_tokens=25), classes=4)
    lengths = np.minimum(np.diff(pairs.offsets), 25)
    batches = [lengths[plan.rows(step)] for step in range(plan.steps_per_epoch)]
    padding = 1 - sum(b.sum() for b in batches) / sum(b.max() * len(b) for b in batches)
    assert padding < 0.02


def test_balanced_sampling_draws_every_class_as_often():
    pairs = make_pairs(20_000)
    plan = BatchPlan(pairs, PretrainConfig(batch_size=100, balance=1.0), classes=4)
    drawn = np.concatenate([plan.rows(step) for step in range(plan.steps_per_epoch)])
    shares = np.bincount(pairs.labels[drawn], minlength=4) / len(drawn)
    np.testing.assert_allclose(shares, 0.25, atol=0.02)
    np.testing.assert_allclose(sampling_prior(pairs.labels, 4, 1.0), 0.25)


def test_prior_is_the_frequency_and_leaves_absent_classes_out():
    np.testing.assert_allclose(sampling_prior(np.array([0, 0, 0, 2]), 3, 0.0), [0.75, 0, 0.25])
    np.testing.assert_allclose(sampling_prior(np.array([0, 0, 0, 2]), 3, 1.0), [0.5, 0, 0.5])


def test_collate_pads_cuts_and_fills():
    pairs = SimpleNamespace(
        ids=np.array([5, 6, 7, 8, 9], dtype=np.uint16),
        offsets=np.array([0, 4, 4, 5]),
        labels=np.zeros(3, dtype=np.int64),
    )
    ids, lengths = collate(pairs, np.array([0, 1, 2]), max_tokens=3)
    assert ids.tolist() == [[5, 6, 7], [1, 0, 0], [9, 0, 0]]
    assert lengths.tolist() == [3, 1, 1]


def test_learning_rate_rises_stays_and_falls_to_nothing():
    config = PretrainConfig(learning_rate=1.0, warmup=10, decay=0.5)
    rates = [learning_rate(step, 100, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:51] == [1.0] * 42
    assert rates[75] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(0.02)


def test_the_flat_part_does_not_depend_on_the_number_of_steps():
    config = PretrainConfig(warmup=10, decay=0.4)
    short, long = ([learning_rate(s, n, config) for s in range(60)] for n in (100, 300))
    assert short == long
