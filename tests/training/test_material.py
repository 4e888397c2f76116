"""What a run trains on, and what it knows of how often each class occurs."""

from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest

from deepmoji.bundle import Bundle
from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.errors import InputError
from deepmoji.training.batches import BatchPlan, sampling_prior
from deepmoji.training.material import choose_pairs, read_material, take
from deepmoji.training.pretrain import pretrain, train
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    assert_continues_exactly,
    latest,
    nothing,
    settings,
    tiny_run,
)


def text(pairs, row):
    return pairs.ids[pairs.offsets[row] : pairs.offsets[row + 1]].tolist()


def test_fewer_pairs_are_a_part_of_more():
    few, more, other = (
        choose_pairs(1000, PretrainConfig(pairs=pairs, seed=seed)).tolist()
        for pairs, seed in ((30, 5), (300, 5), (30, 6))
    )
    assert len(set(few)) == 30
    assert len(set(more)) == 300
    assert set(few) < set(more)
    assert few != other
    assert max(more) > 900  # from everywhere


def test_pairs_keep_their_ids_and_labels(corpus):
    everything = CorpusFolder.open(corpus).read_train()
    rows = np.array([7, 0, len(everything) - 1])
    some = take(everything, rows)
    assert [text(some, place) for place in range(3)] == [text(everything, row) for row in rows]
    assert some.labels.tolist() == everything.labels[rows].tolist()


def test_a_selection_knows_what_it_saw_and_what_occurs(corpus):
    folder = CorpusFolder.open(corpus)
    material = read_material(folder, PretrainConfig(pairs=40, balance=0.5))
    assert len(material.rows) == 40
    seen = sampling_prior(material.rows.labels, 4, 0.5)
    np.testing.assert_array_equal(material.priors.seen, seen)
    natural = np.bincount(folder.read_train().labels, minlength=4)
    np.testing.assert_allclose(material.priors.natural, natural / natural.sum())


def test_an_epoch_is_a_pass_over_the_selection(corpus, tmp_path):
    train(tiny_run(corpus, tmp_path, pairs=70, epochs=3), ONE, nothing)
    assert latest(tmp_path)["state"]["step"] == 9  # 32 + 32 + 6, three times


def test_a_model_says_how_many_pairs_it_saw(corpus, tmp_path):
    out = pretrain(corpus, tmp_path / "m", model=TINY, config=settings(pairs=64), hardware=ONE)
    record = Bundle.open(out).training
    assert record["settings"]["pairs"] == 64
    material = read_material(CorpusFolder.open(corpus), settings(pairs=64))
    seen = record["calibration"]["sampling_prior"]
    np.testing.assert_allclose(seen, material.priors.seen, atol=1e-8)
    np.testing.assert_allclose(record["prior"], material.priors.natural, atol=1e-8)


def test_more_pairs_than_there_are_is_an_error_before_training(corpus, tmp_path):
    with pytest.raises(InputError, match=r"pairs is 100000, but the corpus has \d+"):
        pretrain(corpus, tmp_path / "m", model=TINY, config=settings(pairs=100_000), hardware=ONE)
    assert not (tmp_path / "m.training").exists()


@pytest.mark.parametrize("pairs", [-1, 0.5, True])
def test_impossible_numbers_of_pairs_are_refused(pairs):
    with pytest.raises(InputError, match="pairs"):
        PretrainConfig(pairs=pairs)


TEXTS = [((5, 6), (0, 1)), ((7,), (0,)), ((8, 9, 5), (0,)), ((), (2, 1, 0)), ((6, 5), (1,))]
FEW = len(TEXTS)


def folder_of(pairs, classes=3):
    """As much of a corpus folder as training pairs are read from."""
    return SimpleNamespace(labels=tuple("abc"[:classes]), read_train=lambda: pairs)


def several_emojis():
    """Five texts, two of them with several emojis, their copies apart."""
    rows = [(ids, label) for ids, labels in TEXTS for label in labels]
    rows = [rows[place] for place in np.random.default_rng(1).permutation(len(rows))]
    return Shard(
        ids=np.array([word for ids, _ in rows for word in ids], dtype=np.uint16),
        offsets=np.concatenate([[0], np.cumsum([len(ids) for ids, _ in rows])]).astype(np.int64),
        labels=np.array([label for _, label in rows], dtype=np.int64),
    )


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_a_text_is_there_once_with_all_its_emojis(balance):
    pairs = several_emojis()
    material = read_material(
        folder_of(pairs), PretrainConfig(soft_labels=True, balance=balance, batch_size=2)
    )
    assert sorted(tuple(text(material.rows, row)) for row in range(FEW)) == sorted(
        ids for ids, _ in TEXTS
    )
    counts = np.bincount(pairs.labels)
    targets = material.targets(np.arange(FEW))
    assert targets.dtype == np.float32
    for row, target in enumerate(targets):
        wanted = np.zeros(3)
        for label in dict(TEXTS)[tuple(text(material.rows, row))]:
            wanted[label] = counts[label] ** -balance
        np.testing.assert_allclose(target, wanted / wanted.sum(), rtol=1e-6)


def test_an_epoch_of_texts_has_each_once():
    config = PretrainConfig(soft_labels=True, batch_size=2)
    material = read_material(folder_of(several_emojis()), config)
    plan = BatchPlan(material.rows, config, classes=3, chances=material.chances)
    assert plan.steps == 3
    assert sorted(np.concatenate([plan.rows(step) for step in range(3)])) == list(range(FEW))


@pytest.mark.parametrize("balance", [0.0, 0.3, 1.0])
def test_the_prior_is_what_training_wants_on_average(balance):
    """Counted over many epochs, at each balance."""
    config = PretrainConfig(soft_labels=True, balance=balance, batch_size=5, epochs=4000)
    pairs = several_emojis()
    material = read_material(folder_of(pairs), config)
    plan = BatchPlan(material.rows, config, classes=3, chances=material.chances)
    drawn = np.concatenate([plan.rows(step) for step in range(plan.steps)])
    seen = material.targets(drawn).mean(axis=0)
    np.testing.assert_allclose(material.priors.seen, seen, atol=0.01)
    if balance:  # then it is the prior that the copies one by one would have
        np.testing.assert_allclose(seen, sampling_prior(pairs.labels, 3, balance), atol=0.01)
    natural = np.bincount(pairs.labels) / len(pairs.labels)
    np.testing.assert_allclose(material.priors.natural, natural)


def test_a_texts_chance_is_the_sum_of_its_copies_chances():
    pairs, config = several_emojis(), PretrainConfig(soft_labels=True, balance=0.5)
    material = read_material(folder_of(pairs), config)
    assert material.chances is not None
    prior, counts = sampling_prior(pairs.labels, 3, 0.5), np.bincount(pairs.labels)
    sums = defaultdict(float)
    for row, label in enumerate(pairs.labels):
        sums[tuple(text(pairs, row))] += prior[label] / counts[label]
    for row, chance in enumerate(material.chances):
        assert chance == pytest.approx(sums[tuple(text(material.rows, row))])


def test_without_copies_soft_labels_change_nothing(corpus):
    """The generated posts have an emoji each: the same rows, and all of a target on one class."""
    folder = CorpusFolder.open(corpus)
    hard, soft = (read_material(folder, settings(soft_labels=each)) for each in (False, True))
    assert len(soft.rows) == len(hard.rows)
    rows = np.arange(len(hard.rows))
    np.testing.assert_array_equal(soft.targets(rows).argmax(axis=1), hard.targets(rows))
    np.testing.assert_array_equal(soft.targets(rows).max(axis=1), 1)
    np.testing.assert_allclose(soft.priors.seen, hard.priors.seen)


def test_a_killed_run_with_soft_labels_continues_exactly(corpus, tmp_path):
    changes = {"soft_labels": True, "balance": 0.5, "label_smoothing": 0.1}
    assert_continues_exactly(lambda name: tiny_run(corpus, tmp_path / name, **changes))


def test_soft_labels_are_on_or_off():
    with pytest.raises(InputError, match="soft_labels"):
        PretrainConfig(soft_labels=1)
