"""The original's own numbers, through the public interface (../shared/golden/README.md)."""

import json

import numpy as np
import pytest

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.interop.bundles import import_weights
from deepmoji.interop.writing import export_weights

FILES = {"keras": "deepmoji_keras.hdf5", "torchmoji": "torchmoji.bin"}
PROBABILITIES, FEATURES, ATTENTION = 2e-6, 1e-5, 1e-5


@pytest.fixture(scope="module")
def golden(shared):
    return shared / "golden" / "model"


def check(moji, golden, suffix):
    expected = np.load(golden / "expected.npz")
    texts = json.loads((golden / "texts.json").read_text("utf-8"))
    attention = np.zeros(expected["attention"].shape)
    for row, prediction in enumerate(moji.predict(texts)):
        weights = [word.weight for word in prediction.words]
        attention[row, : len(weights)] = weights
    found = {
        "probabilities": (moji.scores(texts), PROBABILITIES),
        "features": (moji.encode(texts), FEATURES),
        "attention": (attention, ATTENTION),
    }
    for name, (array, tolerance) in found.items():
        assert np.abs(array - expected[name + suffix]).max() <= tolerance, name
    assert moji.labels[0] == "😂"
    assert len(moji.labels) == 64


@pytest.mark.parametrize("gates", [None, "hard_sigmoid", "sigmoid"])
@pytest.mark.parametrize("kind", FILES)
def test_weight_files_give_the_originals_numbers(kind, gates, golden):
    vocabulary = golden / "vocabulary.json"
    moji = deepmoji.load(golden / FILES[kind], vocabulary=vocabulary, gates=gates)
    check(moji, golden, "_sigmoid" if gates == "sigmoid" else "")


@pytest.mark.parametrize("target", FILES)
@pytest.mark.parametrize("source", FILES)
def test_what_is_exported_gives_the_same_numbers_again(source, target, golden, tmp_path):
    vocabulary = golden / "vocabulary.json"
    import_weights(golden / FILES[source], tmp_path / "bundle", vocabulary=vocabulary)
    file = export_weights(tmp_path / "bundle", tmp_path / FILES[target], target=target)
    check(deepmoji.load(file, vocabulary=vocabulary), golden, "")


def test_the_imported_bundle_is_one_like_any_other(golden, tmp_path):
    vocabulary = golden / "vocabulary.json"
    made = import_weights(golden / FILES["keras"], tmp_path / "bundle", vocabulary=vocabulary)
    assert made.max_tokens == 30
    assert made.config.gates == "hard_sigmoid"
    assert made.weights is not None
    assert made.training["imported"]["format"] == "keras"
    assert "Stored as fp32" in made.card
    check(deepmoji.load(tmp_path / "bundle"), golden, "")
    assert Bundle.open(tmp_path / "bundle").config == made.config
