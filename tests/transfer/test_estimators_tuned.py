"""The estimators with fine-tuning itself, on a network so small that it takes a second."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV

import deepmoji
from deepmoji.bundle import Contents
from deepmoji.config import ModelConfig
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.training.export import save_network
from deepmoji.training.network import Network
from deepmoji.transfer.estimators import DeepMojiClassifier, DeepMojiVectorizer

torch.set_num_threads(1)  # this model is so small that threads would only wait for each other

FILLERS = ("today", "now", "at work", "again", "at home")
TEXTS = [f"{cue} {filler}" for cue in ("i love it", "so happy", "so sad", "tired of it")
         for filler in FILLERS]  # fmt: skip
MOODS = ["joy"] * 10 + ["gloom"] * 10
FAST = {"method": "last", "epochs": 30, "epoch_size": 64, "batch_size": 16, "patience": 30,
        "new_learning_rate": 0.05, "validation_share": 0.2, "device": "cpu",
        "precision": "32-true"}  # fmt: skip


@pytest.fixture(scope="module")
def trainable(tmp_path_factory):
    """A tiny network with random weights, in a bundle that holds them."""
    torch.manual_seed(0)
    words = sorted({word for text in TEXTS for word in text.split()})
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *words])
    config = ModelConfig(vocabulary_size=len(vocabulary), embedding_size=12, units=6, classes=4)
    network = Network(config)
    contents = Contents(config=config, vocabulary=vocabulary, labels=tuple("abcd"), max_tokens=20)
    folder = tmp_path_factory.mktemp("bundles") / "trainable"
    save_network(network, folder, contents=contents, training={"prior": [0.25] * 4})
    return folder


def test_labels_are_learnt(trainable):
    classifier = DeepMojiClassifier(trainable, **FAST).fit(TEXTS, MOODS)
    assert classifier.score(TEXTS, MOODS) == 1.0
    assert classifier.report_["method"] == "last"
    assert classifier.report_["data"]["validation"] == 4
    assert classifier.report_["measures"]["validation"]["accuracy"] > 0.5


def test_the_same_seed_makes_the_same_model(trainable):
    one, same, other = (
        DeepMojiClassifier(trainable, **FAST | {"epochs": 2}, random_state=seed).fit(TEXTS, MOODS)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.predict_proba(TEXTS), same.predict_proba(TEXTS))
    assert not np.array_equal(one.predict_proba(TEXTS), other.predict_proba(TEXTS))


@pytest.mark.parametrize("method", ["new", "full", "chain-thaw", "gradual"])
def test_each_method(trainable, method):
    few = FAST | {"method": method, "epochs": 1}
    classifier = DeepMojiClassifier(trainable, **few).fit(TEXTS, [3, 1] * 10)
    assert classifier.classes_.tolist() == [1, 3]
    assert classifier.predict(TEXTS).shape == (20,)


def test_classes_that_do_not_exclude_each_other(trainable):
    table = np.array([["love" in t, "happy" in t, "work" in t, "sad" in t] for t in TEXTS])
    classifier = DeepMojiClassifier(trainable, **FAST).fit(TEXTS, table)
    probabilities = classifier.predict_proba(TEXTS)
    assert classifier.thresholds_.shape == (4,)
    assert (classifier.predict(TEXTS) == (probabilities >= classifier.thresholds_)).all()
    assert classifier.score(TEXTS, table) > 0.5


def test_in_a_grid_search(trainable):
    few = FAST | {"epochs": 2}
    search = GridSearchCV(
        DeepMojiClassifier(trainable, **few), {"method": ["last", "new"]}, cv=2, error_score="raise"
    ).fit(TEXTS, MOODS)
    assert search.predict(TEXTS).shape == (20,)


def test_tuned_encodings(trainable, tmp_path):
    few = FAST | {"method": "full", "epochs": 2}
    classifier = DeepMojiClassifier(trainable, **few).fit(TEXTS, MOODS)
    classifier.save(tmp_path / "tuned")
    tuned = DeepMojiVectorizer(tmp_path / "tuned").transform(TEXTS)
    assert tuned.shape == DeepMojiVectorizer(trainable).transform(TEXTS).shape
    assert not np.array_equal(tuned, DeepMojiVectorizer(trainable).transform(TEXTS))


def test_a_pickle_answers_in_another_process_and_can_be_tuned_again(trainable, tmp_path):
    classifier = DeepMojiClassifier(trainable, **FAST | {"epochs": 2}).fit(TEXTS, MOODS)
    expected = classifier.predict_proba(TEXTS)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(classifier))
    np.save(tmp_path / "expected.npy", expected)
    del classifier  # and with it the folder that fine-tuning left
    code = (
        "import pickle, sys, numpy as np; from pathlib import Path; folder = Path(sys.argv[1]);"
        "classifier = pickle.loads((folder / 'model.pickle').read_bytes());"
        f"answers = classifier.predict_proba({TEXTS});"
        "assert np.array_equal(answers, np.load(folder / 'expected.npy'));"
        "classifier.save(folder / 'saved'); assert 'torch' not in sys.modules"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    saved = deepmoji.load(tmp_path / "saved")
    assert np.array_equal(saved.scores(TEXTS), expected)
    again = DeepMojiClassifier(tmp_path / "saved", **FAST | {"epochs": 2}).fit(TEXTS, [1, 2] * 10)
    assert again.classes_.tolist() == [1, 2]
