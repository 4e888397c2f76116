"""A run may know fewer words than its corpus: the most frequent ones; others are unknown to it."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.cli import app
from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.text.vocabulary import UNKNOWN
from deepmoji.training.loop import to_tensors
from deepmoji.training.pretrain import pretrain
from deepmoji.training.teacher import teacher_network
from deepmoji.training.weights import read_weights
from tests.helpers.tinyruns import ONE, TINY, settings

WORDS = 20  # ten special tokens, and ten of the words


def small(corpus, out, files=None, **changes):
    config = settings(epochs=0.5, words=WORDS, **changes)
    return Bundle.open(
        pretrain(corpus, out, model=TINY, config=config, hardware=ONE, **(files or {}))
    )


def test_rarer_words_are_read_as_unknown(corpus):
    whole = CorpusFolder.open(corpus)
    cut = whole.with_words(WORDS)
    assert cut.vocabulary.words == whole.vocabulary.words[:WORDS]
    for read in (CorpusFolder.read_train, lambda folder: folder.read_split("validation")):
        before, after = read(whole), read(cut)
        is_known = before.ids < WORDS
        assert 0 < is_known.mean() < 1
        assert after.ids.dtype == before.ids.dtype
        np.testing.assert_array_equal(after.ids[is_known], before.ids[is_known])
        assert set(after.ids[~is_known]) == {UNKNOWN}
        np.testing.assert_array_equal(after.offsets, before.offsets)
        np.testing.assert_array_equal(after.labels, before.labels)
    some = np.array([1, 5, 6])
    np.testing.assert_array_equal(cut.read_train(some).labels, whole.read_train(some).labels)
    assert cut.read_train(some).ids.max() < WORDS


def test_all_words_are_the_corpus_itself(corpus):
    whole = CorpusFolder.open(corpus)
    assert whole.with_words(0) is whole
    assert whole.with_words(WORDS).with_words(WORDS).is_cut
    every = whole.with_words(len(whole.vocabulary))
    np.testing.assert_array_equal(every.read_train().ids, whole.read_train().ids)


def test_the_model_has_no_others(corpus, tmp_path):
    bundle = small(corpus, tmp_path / "model")
    assert bundle.config.vocabulary_size == WORDS
    assert bundle.vocabulary.words == CorpusFolder.open(corpus).vocabulary.words[:WORDS]
    rare = CorpusFolder.open(corpus).vocabulary.words[WORDS]
    model = deepmoji.load(bundle.folder)
    np.testing.assert_array_equal(model.scores([f"so {rare}"]), model.scores(["so xyzzy"]))
    assert bundle.training["settings"]["words"] == WORDS


def test_a_teacher_reads_every_word(corpus, tmp_path):
    """Its answers are those that a run with all words gets."""
    teacher = pretrain(
        corpus, tmp_path / "teacher", model=TINY, config=settings(epochs=1), hardware=ONE
    )
    small(corpus, tmp_path / "small", {"teacher": teacher})
    config = settings(epochs=0.5)
    pretrain(corpus, tmp_path / "all", model=TINY, config=config, hardware=ONE, teacher=teacher)
    one, other = (
        np.load(next((tmp_path / f"{name}.training").glob("teacher-*.npy")))
        for name in ("small", "all")
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("words", [0, WORDS])
def test_a_model_with_fewer_words_teaches_too(corpus, tmp_path, words):
    teacher = small(corpus, tmp_path / "teacher")
    config = settings(epochs=0.5, words=words)
    out = tmp_path / "model"
    files = {"teacher": teacher.folder}
    pretrain(corpus, out, model=TINY, config=config, hardware=ONE, **files)
    answers = np.load(next((tmp_path / "model.training").glob("teacher-*.npy")))
    ids = CorpusFolder.open(corpus).with_words(WORDS).read_train()
    network = teacher_network(teacher, words=teacher.vocabulary.words, labels=teacher.labels)
    batch = to_tensors(ids, np.arange(5), 20, torch.device("cpu"))
    with torch.inference_mode():
        wanted = network.eval()(*batch).logits.log_softmax(dim=1)
    np.testing.assert_allclose(answers[:5], wanted.numpy(), atol=0.01)


def test_a_smaller_model_starts_from_a_larger_one(corpus, tmp_path):
    """Word by word: with a rate of nothing the known words keep the vectors that they had."""
    larger = pretrain(
        corpus, tmp_path / "larger", model=TINY, config=settings(epochs=0.5), hardware=ONE
    )
    bundle = small(corpus, tmp_path / "small", {"init": larger}, learning_rate=1e-12)
    vectors = [
        read_weights(each)["embedding.weight"][:WORDS] for each in (bundle, Bundle.open(larger))
    ]
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


@pytest.mark.parametrize("count", [1, 10, 10**6])
def test_counts_that_leave_no_word_or_too_many_are_refused(corpus, tmp_path, count):
    with pytest.raises(InputError, match=f"words is {count}, but the vocabulary of .* has "):
        pretrain(corpus, tmp_path / "model", config=PretrainConfig(words=count))
    assert not (tmp_path / "model.training").exists()


def test_settings_are_checked():
    with pytest.raises(InputError, match="words"):
        PretrainConfig(words=-1)
    with pytest.raises(InputError, match="words does not go with soft_labels"):
        PretrainConfig(words=WORDS, soft_labels=True)


def test_the_command_takes_them(corpus, tmp_path):
    sizes = ["--units", "8", "--embedding-size", "8", "--processes", "1", "--epochs", "0.5"]
    out = tmp_path / "model"
    words = ["--words", str(WORDS), "--device", "cpu"]
    result = CliRunner().invoke(app, ["pretrain", str(corpus), "--out", str(out), *sizes, *words])
    assert result.exit_code == 0, result.output
    assert Bundle.open(out).config.vocabulary_size == WORDS
