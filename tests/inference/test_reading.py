"""Texts longer than the model reads: in windows, whose answers are combined."""

import itertools
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepmoji
from deepmoji.errors import BundleError, InputError
from deepmoji.inference import reading
from deepmoji.inference.predictor import Predictor
from deepmoji.inference.reading import Reading
from deepmoji.text.tokenizer import tokenize
from tests.helpers.bundles import (
    WORDS,
    Tiny,
    logits_of,
    make_bundle,
    make_weights,
    softmax,
    states_of,
)

# As in test_predictor: results may not depend on neighbours beyond this.
EXACT = 1e-6
WAYS = ["attention", "mean"]
TINY = Tiny()


def long_text(words, seed=0):
    return " ".join(np.random.default_rng(seed).choice(WORDS[:8], words))


LONG = [long_text(count, count) for count in (25, 30, 36, 37, 48, 61, 130)]
SHORT = ["", "so tired", long_text(24), "xyzzy"]
MIXED = [text for pair in itertools.zip_longest(LONG, SHORT, fillvalue="love") for text in pair]


@pytest.fixture(scope="module", params=WAYS)
def windowed(request, bundle):
    return Predictor(bundle, threads=2, long_texts=request.param)


def expected(weights, ids, way, settings):
    """One softmax over the states of all windows; or the mean of one softmax for each."""
    starts = settings.starts(len(ids))
    places = [range(start, min(len(ids), start + settings.max_tokens)) for start in starts]
    states = [states_of(weights, ids[inside.start : inside.stop]) for inside in places]
    scores = [each @ weights["attention_weight"][:, 0].astype(np.float64) for each in states]
    if way == "attention":
        shares = softmax(np.concatenate(scores))
    else:
        shares = np.concatenate([softmax(each) for each in scores]) / len(starts)
    attention = np.zeros(len(ids))
    np.add.at(attention, np.concatenate(places), shares)
    features = shares @ np.concatenate(states)
    return logits_of(weights, features), features, attention


@given(words=st.integers(1, 400), most=st.integers(1, 40), data=st.data())
def test_windows_are_full_cover_the_text_and_are_spread_evenly(words, most, data):
    stride = data.draw(st.none() | st.integers(1, most))
    starts = Reading(max_tokens=most, long_texts="mean", stride=stride).starts(words)
    gaps = np.diff(starts)
    assert starts[0] == 0
    assert starts[-1] == max(0, words - most)
    assert all(0 < gap <= (stride or max(1, most // 2)) for gap in gaps)
    assert np.ptp(gaps) <= 1 if len(gaps) else words <= most
    assert Reading(max_tokens=most).starts(words) == [0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stride", [None, 1, 24])
def test_combined_as_the_formula_says(bundle, way, stride):
    predictor = Predictor(bundle, long_texts=way, stride=stride)
    weights = make_weights(TINY)
    scores, encodings = predictor.scores(MIXED), predictor.encode(MIXED)
    for row, prediction in enumerate(predictor.predict(MIXED)):
        ids = bundle.vocabulary.ids(tokenize(prediction.text)) or [1]
        logits, features, attention = expected(weights, ids, way, predictor.reading)
        assert np.abs(encodings[row] - features).max() < EXACT
        assert np.abs(scores[row] - softmax(logits)).max() < EXACT
        assert prediction.top[0][1] == pytest.approx(softmax(logits).max(), abs=EXACT)
        assert prediction.windows == len(predictor.reading.starts(len(ids)))
        if prediction.words:
            assert [w.weight for w in prediction.words] == pytest.approx(attention, abs=EXACT)


def test_the_ways_differ_where_texts_are_long_and_only_there(bundle, predictor, windowed):
    cut, read = predictor.encode(MIXED), windowed.encode(MIXED)
    same = np.abs(cut - read).max(axis=1) < EXACT
    assert same.tolist() == [len(tokenize(text)) <= 24 for text in MIXED]
    other = Predictor(bundle, long_texts=WAYS[windowed.reading.long_texts == "attention"])
    assert np.abs(other.encode(LONG) - windowed.encode(LONG)).max(axis=1).min() > 1e-3


def test_every_word_was_read_and_has_its_place_in_the_text(windowed):
    text = "\n  ".join(["So", "tired!!", "xyzzy", "…", "ŁOVE", *WORDS])
    prediction = windowed.predict(text)
    assert [word.text for word in prediction.words][:4] == ["So", "\n", "tired", "!!"]
    assert prediction.words[-1].text == WORDS[-1]
    assert all(word.text == text[word.start : word.end] for word in prediction.words)
    assert len(prediction.words) == len(tokenize(text)) > 24
    assert min(word.weight for word in prediction.words) > 0
    assert sum(word.weight for word in prediction.words) == pytest.approx(1, abs=1e-5)
    unknown = sum(word == 1 for word in windowed.bundle.vocabulary.ids(tokenize(text)))
    assert prediction.unknown_share == unknown / len(prediction.words)
    assert not prediction.truncated


def test_a_text_that_is_cut_says_so_and_is_one_window(predictor):
    prediction = predictor.predict(LONG[-1])
    assert (prediction.truncated, prediction.windows, len(prediction.words)) == (True, 1, 24)


def test_results_do_not_depend_on_neighbours(windowed):
    alone = np.concatenate([windowed.scores([text]) for text in MIXED])
    for batch in (1, 3, 100):
        together = list(windowed.iter_scores(iter(MIXED * 2), batch=batch))
        assert {len(block) for block in together[:-1]} <= {batch}
        assert np.abs(np.concatenate(together) - np.tile(alone, (2, 1))).max() < EXACT
    assert windowed.scores([]).shape == (0, 64)


def test_windows_that_reach_over_two_batches(windowed, monkeypatch):
    whole = windowed.encode(MIXED)
    monkeypatch.setattr(reading, "WINDOW", 3)
    assert np.abs(windowed.encode(MIXED) - whole).max() < EXACT


@pytest.mark.parametrize("way", WAYS)
def test_labels_that_do_not_exclude_each_other(tmp_path, way):
    tiny = Tiny(labels=("joy", "fear", "anger"), outputs="sigmoid", seed=2)
    predictor = Predictor(make_bundle(tmp_path / "own", tiny), long_texts=way)
    scores = predictor.scores(LONG)
    for row, text in enumerate(LONG):
        ids = predictor.bundle.vocabulary.ids(tokenize(text))
        logits = expected(make_weights(tiny), ids, way, predictor.reading)[0]
        # Near 1 a float32 tells the logit with fewer digits.
        assert np.abs(scores[row] - 1 / (1 + np.exp(-logits))).max() < 1e-5


def test_attention_so_sharp_that_its_exponentials_overflow(tmp_path):
    tiny = Tiny(sharpness=400)
    predictor = Predictor(make_bundle(tmp_path / "sharp", tiny), long_texts="attention")
    for text in LONG:
        ids = predictor.bundle.vocabulary.ids(tokenize(text))
        features = expected(make_weights(tiny), ids, "attention", predictor.reading)[1]
        assert np.abs(predictor.encode([text])[0] - features).max() < 1e-3  # scores beyond 1,000


def test_occlusion_is_the_answer_to_the_text_without_the_word(windowed):
    prediction = windowed.predict(LONG[2], explain="occlusion")
    words, best = LONG[2].split(), windowed.labels.index(prediction.top[0][0])
    without = [" ".join(words[:k] + words[k + 1 :]) for k in range(len(words))]
    changes = math.log(prediction.top[0][1]) - np.log(windowed.scores(without)[:, best])
    assert [word.occlusion for word in prediction.words] == pytest.approx(changes, abs=2e-3)


def test_memory_of_a_text_of_a_million_characters(tmp_path, monkeypatch):
    bundle = make_bundle(tmp_path / "model", Tiny(units=64))
    # Of windows there come as many times the batch here as with a real model and 60 such texts.
    monkeypatch.setattr(reading, "WINDOW", 32)
    text = " ".join(word.ljust(19) for word in long_text(50_000).split())
    assert len(text) > 900_000
    peaks = []
    for way in ("cut", "attention"):
        predictor = Predictor(bundle, threads=1, long_texts=way)
        predictor.encode([text[:1000]])
        tracemalloc.start()
        assert np.isfinite(predictor.encode([text])).all()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Both take the text apart into words first, 75 bytes a word, all let go but for an id. Then the
    # encodings of all windows would take 120.
    assert peaks[1] - peaks[0] < 50_000 * 20


def test_streams_are_read_a_bounded_way_ahead(windowed, monkeypatch):
    monkeypatch.setattr(reading, "WINDOW", 50)
    read = itertools.count()
    endless = (f"love {next(read)}" for _ in itertools.repeat(0))
    blocks = windowed.iter_scores(endless, batch=50)
    for _ in range(5):
        assert next(blocks).shape == (50, 64)
    assert next(read) <= 7 * 50
    blocks.close()


def test_settings_travel_with_the_predictor(bundle):
    predictor = deepmoji.load(
        bundle.folder, threads=1, max_tokens=20, long_texts="attention", stride=7
    )
    copy = pickle.loads(pickle.dumps(predictor))  # noqa: S301 - our own object
    assert copy.reading == Reading(max_tokens=20, long_texts="attention", stride=7)
    assert np.array_equal(copy.encode(LONG), predictor.encode(LONG))
    assert deepmoji.load(bundle.folder).reading == Reading(max_tokens=24)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"long_texts": "windows"}, "has to be one of cut, attention, mean, not 'windows'"),
        ({"stride": 5}, "stride is for long texts that are read in windows"),
        ({"long_texts": "mean", "stride": 0}, "stride has to be 1 or more, not 0"),
        ({"long_texts": "mean", "stride": 25}, r"24 \(max_tokens\) or less, not 25"),
        ({"long_texts": "mean", "max_tokens": 0}, "max_tokens has to be a whole number of 1"),
        ({"max_tokens": 2.5}, "whole number of 1 or more, not 2.5"),
    ],
)
def test_impossible_settings_are_refused(bundle, settings, message):
    with pytest.raises(InputError, match=message):
        deepmoji.load(bundle.folder, **settings)


def test_a_graph_without_the_scores_of_its_attention(tmp_path):
    bundle = make_bundle(tmp_path / "other")
    bundle.graph.write_bytes(bundle.graph.read_bytes().replace(b"masked_scores", b"other__scores"))
    assert Predictor(bundle, long_texts="mean").encode(LONG).shape == (7, 34)
    with pytest.raises(BundleError, match="long_texts='mean'"):
        Predictor(bundle, long_texts="attention")
