"""By what a run is known again when it is started once more."""

import hashlib
import json

import pytest
import torch

from deepmoji.bundle import Bundle
from deepmoji.config import PretrainConfig
from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.errors import InputError
from deepmoji.training.pretrain import Hardware, pretrain, train
from tests.helpers.corpora import make_posts
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    assert_same_weights,
    best,
    latest,
    nothing,
    settings,
    tiny_run,
)

MIXED = Hardware(device="cpu", processes=1, precision="bf16-mixed")

# What a checkpoint of the first version says of its settings: nothing else may be asked of it.
FIRST = {
    "batch_size",
    "learning_rate",
    "warmup",
    "decay",
    "clip_norm",
    "embedding_l2",
    "embedding_range",
    "embedding_dropout",
    "final_dropout",
    "label_smoothing",
    "balance",
    "max_tokens",
    "seed",
}
LATER = {
    "average": 0.9,
    "encodings_weight": 2.0,  # with encodings alone, see test_guide
    "pairs": 100,
    "soft_labels": True,
    "streams": 4,
    "teacher_weight": 0.4,  # with a teacher alone, see test_teacher
    "temperature": 3.0,
    "weight_decay": 0.1,
    "word_dropout": 0.1,
    "words": 20,
}


OF_FILES = {"encodings_weight", "teacher_weight", "temperature"}  # nothing without their files


def stop_at_16(progress):
    if progress.step >= 16:
        raise KeyError


def test_settings_that_came_later_are_not_asked_for(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path / "run")
    with pytest.raises(KeyError):
        train(run, ONE, stop_at_16)
    content = latest(run.folder)
    assert content.keys() == {"fingerprint", "state", "network", "optimiser"}
    content["fingerprint"]["settings"] = {
        name: value for name, value in run.config.to_dict().items() if name in FIRST
    }
    for name in ("corpus content", "arithmetic"):
        del content["fingerprint"][name]
    torch.save(content, run.folder / "latest.pt")
    train(run, ONE, nothing)
    whole = tiny_run(corpus, tmp_path / "whole")
    train(whole, ONE, nothing)
    assert_same_weights(latest(whole.folder)["network"], latest(run.folder)["network"])
    assert_same_weights(best(whole.folder), best(run.folder))


def of_the_first_version(run):
    """Make a run's checkpoint one of a version that drew batches in another order."""
    content = latest(run.folder)
    del content["fingerprint"]["order"]
    for path in (run.folder / "latest.pt", *run.folder.glob("step-*.pt")):
        torch.save(content, path)


def test_a_run_with_batches_in_another_order_is_told(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path / "run")
    with pytest.raises(KeyError):
        train(run, ONE, stop_at_16)
    of_the_first_version(run)
    with pytest.raises(InputError, match="drew batches in another order; finish it with"):
        train(run, ONE, nothing)


def test_one_that_is_finished_needs_no_more_batches(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path / "run")
    train(run, ONE, nothing)
    of_the_first_version(run)
    before = latest(run.folder)["network"]
    assert train(run, ONE, nothing)
    assert_same_weights(before, latest(run.folder)["network"])


def test_every_later_setting_is_known():
    free = {"epochs", "evaluate_every", "checkpoint_every", "checkpoints", "patience"}
    assert set(PretrainConfig().to_dict()) == FIRST | set(LATER) | free


@pytest.mark.parametrize("name", sorted(LATER.keys() - OF_FILES))
def test_another_value_of_a_later_setting_is_another_run(corpus, tmp_path, name):
    before = tiny_run(corpus, tmp_path, epochs=0.1)
    train(before, ONE, nothing)
    with pytest.raises(InputError, match="settings"):
        train(tiny_run(corpus, tmp_path, epochs=0.1, **{name: LATER[name]}), ONE, nothing)


@pytest.fixture(scope="module")
def cut_corpora(tmp_path_factory):
    """The same posts, with texts cut after 3 and after 20 words, and these once more elsewhere."""
    found = []
    for name, length in (("short", 3), ("long", 20), ("again", 20)):
        folder = tmp_path_factory.mktemp(name)
        (folder / "posts.txt").write_text("\n".join(make_posts(600)), encoding="utf-8")
        (folder / "labels.txt").write_text("😂\n😭\n😡\n😍", encoding="utf-8")
        sizes = {"per_emoji": 10, "natural": 30, "vocabulary_size": 200, "max_tokens": length}
        corpus = CorpusSettings(language="any", labels=str(folder / "labels.txt"), **sizes)
        build([str(folder / "posts.txt")], folder / "corpus", settings=corpus, workers=1)
        found.append(folder / "corpus")
    return found


def test_the_same_posts_cut_elsewhere_are_another_corpus(cut_corpora, tmp_path):
    short, long, again = cut_corpora
    with pytest.raises(KeyError):
        train(tiny_run(long, tmp_path), ONE, stop_at_16)
    with pytest.raises(InputError, match="another corpus content"):
        train(tiny_run(short, tmp_path), ONE, nothing)
    assert train(tiny_run(again, tmp_path), ONE, nothing)


@pytest.fixture(scope="module")
def teacher(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("teachers") / "teacher"
    return pretrain(corpus, out, model=TINY, config=settings(epochs=0.1), hardware=ONE)


def test_answers_are_those_of_the_texts_as_they_were_cut(cut_corpora, teacher, tmp_path):
    names = {
        tiny_run(corpus, tmp_path, files={"teacher": teacher}).answers()[0].path
        for corpus in cut_corpora
    }
    assert len(names) == 2


def test_answers_to_a_run_of_an_older_version_are_not_asked_again(corpus, teacher, tmp_path):
    run = tiny_run(corpus, tmp_path, files={"teacher": teacher})
    (path,) = (each.path for each in run.answers())
    print_, config = run.checkpoint()._fingerprint, run.config
    key = [print_["corpus"], print_["vocabulary"], print_["teacher"]]
    key.append([config.pairs, config.soft_labels, config.seed, config.max_tokens])
    older = path.with_name(
        f"teacher-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}.npy"
    )
    older.touch()
    assert [each.path for each in run.answers()] == [older]


def test_a_run_goes_on_in_its_own_arithmetic(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path)
    with pytest.raises(KeyError):
        train(run, ONE, stop_at_16)
    with pytest.raises(InputError, match=r"precision \(32-true there, bf16-mixed now\)"):
        train(run, MIXED, nothing)
    assert train(run, ONE, nothing)
    assert train(run, MIXED, nothing)  # which has nothing left to compute


def test_the_record_says_in_which_arithmetic_it_was_made(corpus, tmp_path):
    for hardware in (ONE, MIXED):
        out = pretrain(
            corpus, tmp_path / "model", model=TINY, config=settings(epochs=0.1), hardware=hardware
        )
        record = Bundle.open(out).training["hardware"]
        assert record == {"device": "cpu", "precision": "32-true", "processes": 1}
    with pytest.raises(InputError, match="cannot go on"):
        pretrain(corpus, tmp_path / "model", model=TINY, config=settings(epochs=1), hardware=MIXED)
