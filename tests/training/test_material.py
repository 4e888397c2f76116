"""What a run trains on, and what it knows of how often each class occurs."""

import numpy as np
import pytest

from deepmoji.bundle import Bundle
from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.training.batches import sampling_prior
from deepmoji.training.material import choose_pairs, read_material, take
from deepmoji.training.pretrain import pretrain, train
from tests.helpers.tinyruns import ONE, TINY, latest, nothing, settings, tiny_run


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
    np.testing.assert_allclose(record["prior"], material.priors.seen, atol=1e-8)


def test_more_pairs_than_there_are_is_an_error_before_training(corpus, tmp_path):
    with pytest.raises(InputError, match=r"pairs is 100000, but the corpus has \d+"):
        pretrain(corpus, tmp_path / "m", model=TINY, config=settings(pairs=100_000), hardware=ONE)
    assert not (tmp_path / "m.training").exists()


@pytest.mark.parametrize("pairs", [-1, 0.5, True])
def test_impossible_numbers_of_pairs_are_refused(pairs):
    with pytest.raises(InputError, match="pairs"):
        PretrainConfig(pairs=pairs)
