import numpy as np
import pytest

from deepmoji.corpus.pairs import (
    DROPPED,
    TEST,
    TEST_SHARE,
    TRAIN,
    VALIDATION,
    Posts,
    make_pairs,
    training_order,
)

LABELS = 5


def make_posts(count=4000, seed=3):
    """Posts of 1 to 3 labels; keys are shared by near copies, some posts occur twice."""
    draw = np.random.default_rng(seed)
    key = draw.integers(0, 2**64, count // 2, dtype=np.uint64)[draw.integers(0, count // 2, count)]
    post = draw.integers(0, 2**64, count, dtype=np.uint64)
    again = draw.random(count) < 0.2
    post[1:][again[1:]], key[1:][again[1:]] = post[:-1][again[1:]], key[:-1][again[1:]]
    lists = [np.sort(draw.choice(LABELS, draw.integers(1, 4), replace=False)) for _ in range(count)]
    offsets = np.cumsum([0, *map(len, lists)])
    labels = np.concatenate(lists).astype(np.uint16)
    return Posts(post, key, draw.integers(0, 2**64, count, dtype=np.uint64), offsets, labels)


@pytest.fixture(scope="module")
def made():
    posts = make_posts()
    return posts, make_pairs(posts, per_emoji=7, natural=60)


def test_every_pair_occurs_once(made):
    posts, pairs = made
    rows = np.repeat(np.arange(len(posts.post)), np.diff(posts.offsets))
    all_pairs = list(zip(posts.post[rows].tolist(), posts.labels.tolist(), strict=True))
    kept = list(zip(posts.post[pairs.row].tolist(), pairs.label.tolist(), strict=True))
    assert kept == sorted(set(all_pairs))
    assert pairs.duplicates == len(all_pairs) - len(kept)


def test_no_key_in_two_splits(made):
    posts, pairs = made
    keys = [
        set(posts.key[pairs.row[np.isin(pairs.split, group)]].tolist())
        for group in ([TRAIN], [TEST], [VALIDATION])
    ]
    assert all(keys)
    assert not keys[0] & keys[1]
    assert not keys[0] & keys[2]
    assert not keys[1] & keys[2]


def test_training_loses_only_what_evaluation_takes(made):
    posts, pairs = made
    taken = set(posts.key[pairs.row[np.isin(pairs.split, (TEST, VALIDATION))]].tolist())
    dropped = set(posts.key[pairs.row[pairs.split == DROPPED]].tolist())
    assert dropped <= taken
    outside = np.array([key not in taken for key in posts.key[pairs.row].tolist()])
    assert (pairs.split[outside] == TRAIN).all()


@pytest.mark.parametrize("split", [TEST, VALIDATION])
def test_sets_are_as_large_as_asked(made, split):
    posts, pairs = made
    inside = pairs.split == split
    balanced = inside & pairs.balanced
    assert np.bincount(pairs.label[balanced], minlength=LABELS).tolist() == [7] * LABELS
    for label in range(LABELS):  # no two near copies of one emoji
        keys = posts.key[pairs.row[balanced & (pairs.label == label)]]
        assert len(set(keys.tolist())) == len(keys)
    natural = posts.post[pairs.row[inside & pairs.natural]]
    assert len(set(natural.tolist())) == 60
    whole = np.isin(posts.post[pairs.row], natural)  # posts with all their emojis
    assert pairs.natural[whole].all()
    assert (inside == (inside & (pairs.balanced | pairs.natural))).all()


def test_rare_emojis_give_what_there_is():
    posts = make_posts(200)
    pairs = make_pairs(posts, per_emoji=1000, natural=0)
    low = np.uint64(int(TEST_SHARE * 2**64))
    candidates = posts.key[pairs.row] < low
    assert (pairs.split[candidates] != TRAIN).all()
    assert (pairs.split[posts.key[pairs.row] >= np.uint64(2) * low] == TRAIN).all()


def test_order_of_the_input_does_not_matter(made):
    posts, pairs = made
    mixed = np.random.default_rng(0).permutation(len(posts.post))
    lists = [posts.labels[a:b] for a, b in zip(posts.offsets, posts.offsets[1:], strict=False)]
    other = Posts(
        posts.post[mixed],
        posts.key[mixed],
        posts.order[mixed],
        np.cumsum([0, *(len(lists[row]) for row in mixed)]),
        np.concatenate([lists[row] for row in mixed]),
    )
    again = make_pairs(other, per_emoji=7, natural=60)
    assert (mixed[again.row] == pairs.row).all()
    for name in ("label", "split", "balanced", "natural"):
        assert (getattr(again, name) == getattr(pairs, name)).all()


def test_training_order_is_mixed_and_repeatable():
    post = np.arange(1000, dtype=np.uint64)
    label = (post % np.uint64(5)).astype(np.uint16)
    order = training_order(post, label)
    assert sorted(order.tolist()) == list(range(1000))
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1
    back = training_order(post[::-1], label[::-1])
    assert (post[::-1][back] == post[order]).all()
