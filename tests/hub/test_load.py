"""`deepmoji.load` takes a model from a hub, and from the cache when there is no hub."""

import numpy as np
import pytest

import deepmoji

PLACE = "hf://someone/moji"


def test_load_from_a_hub_and_then_from_the_cache(hub, tiny, monkeypatch):
    expected = deepmoji.load(tiny).scores(["so tired"])
    assert np.array_equal(deepmoji.load(PLACE).scores(["so tired"]), expected)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert np.array_equal(deepmoji.load(PLACE).scores(["so tired"]), expected)


def test_a_model_on_a_hub_brings_its_vocabulary(hub):
    with pytest.raises(deepmoji.InputError, match="brings its own vocabulary"):
        deepmoji.load(PLACE, vocabulary="vocabulary.json")
