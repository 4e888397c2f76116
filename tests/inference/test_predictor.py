"""Scores, encodings and predictions of a tiny model with random weights."""

import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepmoji
from deepmoji.inference.predictor import Predictor
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN
from tests.helpers.bundles import WORDS, Tiny, make_bundle, make_weights, reference

# Results may not depend on neighbours beyond this, design.md 3.
EXACT = 1e-6
ODD = [
    "",
    "   \n\t ",
    "\x00\x01\x7f",
    "\ud800 broken \udfff",
    "😂😂😂 日本語 ﷽",
    "a" * 100_000,
    "!" * 10_000,
    "line\nbreak<br>and more",
    "\u202eturned",
]
TEXTS = [
    *ODD,
    "I love you",
    "This is the shit!!",
    "so tired",
    *(" ".join(WORDS[:n]) for n in range(30)),
]


@pytest.mark.parametrize("gates", ["sigmoid", "hard_sigmoid"])
def test_model_is_the_papers_network(tmp_path, gates):
    tiny = Tiny(gates=gates, seed=3)
    predictor = Predictor(make_bundle(tmp_path / "tiny", tiny))
    weights = make_weights(tiny)
    scores, encodings = predictor.scores(TEXTS), predictor.encode(TEXTS)
    for row, text in enumerate(TEXTS):
        words = tokenize(text)[: tiny.max_tokens]
        ids = predictor.bundle.vocabulary.ids(words) or [UNKNOWN]
        probabilities, features, attention = reference(weights, ids, gates)
        assert np.abs(scores[row] - probabilities).max() < EXACT
        assert np.abs(encodings[row] - features).max() < EXACT
        prediction = predictor.predict(text)
        assert (
            np.abs([w.weight for w in prediction.words] - attention[: len(words)]).max(initial=0)
            < EXACT
        )


@pytest.fixture(scope="session")
def alone(predictor):
    """What each text gives on its own."""
    return {
        text: (predictor.scores([text])[0], predictor.encode([text])[0], predictor.predict(text))
        for text in TEXTS
    }


@settings(max_examples=25)
@given(data=st.data())
def test_results_do_not_depend_on_neighbours(predictor, alone, data):
    texts = data.draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=80))
    batch = data.draw(st.integers(1, 90))
    scores = np.concatenate(list(predictor.iter_scores(texts, batch=batch)))
    encodings = np.concatenate(list(predictor.iter_encodings(texts, batch=batch)))
    for row, text in enumerate(texts):
        assert np.abs(scores[row] - alone[text][0]).max() < EXACT
        assert np.abs(encodings[row] - alone[text][1]).max() < EXACT


@settings(max_examples=15)
@given(texts=st.lists(st.sampled_from(TEXTS), max_size=70))
def test_predictions_come_in_order_and_do_not_depend_on_neighbours(predictor, alone, texts):
    predictions = predictor.predict(texts)
    assert [prediction.text for prediction in predictions] == texts
    for prediction in predictions:
        single = alone[prediction.text][2]
        assert [label for label, _ in prediction.top] == [label for label, _ in single.top]
        assert [(w.start, w.end) for w in prediction.words] == [
            (w.start, w.end) for w in single.words
        ]
        weights = [w.weight for w in prediction.words]
        assert weights == pytest.approx([w.weight for w in single.words], abs=EXACT)


@settings(max_examples=50)
@given(text=st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_string_has_an_answer(predictor, text):
    prediction = predictor.predict(text)
    assert len(prediction.top) == 5
    assert np.isfinite(predictor.scores([text])).all()
    for word in prediction.words:
        assert word.text == text[word.start : word.end]
    assert sum(word.weight for word in prediction.words) == pytest.approx(
        1.0 if prediction.words else 0.0, abs=1e-5
    )


def test_text_without_words_is_one_unknown_word(predictor):
    empty, blank, unknown = predictor.predict(["", " \t\n", "xyzzy"])
    assert empty.words == blank.words == ()
    assert empty.unknown_share == blank.unknown_share == unknown.unknown_share == 1.0
    assert [label for label, _ in empty.top] == [label for label, _ in unknown.top]
    assert not empty.truncated


def test_prediction_says_what_was_read(bundle, predictor):
    prediction = predictor.predict("I looove  it,\nxyzzy ❤️", top=3)
    assert [word.text for word in prediction.words] == [
        "I", "looove", "it", ",", "\n", "xyzzy", "❤️",
    ]  # fmt: skip
    probabilities = [probability for _, probability in prediction.top]
    assert probabilities == sorted(probabilities, reverse=True)
    assert dict(prediction.top).keys() <= set(bundle.labels)
    best = predictor.scores([prediction.text])[0].argsort()[::-1][:3]
    assert [label for label, _ in prediction.top] == [bundle.labels[k] for k in best]
    assert 0 < prediction.unknown_share < 1


def test_long_text_is_cut_and_says_so(bundle):
    text = " ".join(["love"] * 30)
    assert predictor_words(bundle, text) == (24, True)
    assert predictor_words(bundle, text, max_tokens=30) == (30, False)
    assert predictor_words(bundle, text, max_tokens=3) == (3, True)


def predictor_words(bundle, text, **options):
    prediction = Predictor(bundle, **options).predict(text)
    return len(prediction.words), prediction.truncated


def test_shapes_and_types(predictor):
    assert predictor.scores([]).shape == (0, 64)
    assert predictor.encode(iter([])).shape == (0, 34)
    assert predictor.predict([]) == []
    scores = predictor.scores(text for text in ("so", "tired"))
    assert (scores.shape, scores.dtype) == ((2, 64), np.float32)
    assert scores.sum(axis=1) == pytest.approx(np.ones(2), abs=1e-5)
    assert len(predictor.predict("so tired", top=1000).top) == 64
    assert len(predictor.labels) == 64


def test_streams_are_read_a_bounded_way_ahead(predictor):
    read = itertools.count()
    endless = (f"love {next(read)}" for _ in itertools.repeat(0))
    blocks = predictor.iter_scores(endless, batch=50)
    for _ in range(5):
        assert next(blocks).shape == (50, 64)
    assert next(read) <= 6 * 50
    blocks.close()


def test_number_of_threads_changes_nothing(bundle, predictor):
    texts = TEXTS * 3
    single = Predictor(bundle, threads=1)
    assert np.abs(single.scores(texts) - predictor.scores(texts)).max() < EXACT
    with ThreadPoolExecutor(4) as pool:  # one predictor may serve several threads
        for scores in pool.map(predictor.scores, [texts] * 4):
            assert np.abs(scores - single.scores(texts)).max() < EXACT


def test_predictor_can_be_sent_to_another_process(bundle):
    predictor = Predictor(bundle, threads=1, max_tokens=5)
    copy = pickle.loads(pickle.dumps(predictor))  # noqa: S301 - our own object
    assert copy.max_tokens == 5
    assert np.array_equal(copy.scores(TEXTS), predictor.scores(TEXTS))


@pytest.mark.parametrize("method", ["scores", "encode"])
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a single text", r"give \[text\]"),
        (b"bytes", "got bytes"),
        (None, "got NoneType"),
        (["fine", None], "text 1 is a NoneType"),
        (["fine", "fine", float("nan")], "text 2 is a float"),
        ([b"bytes"], "text 0 is a bytes"),
    ],
)
def test_what_is_no_text_is_refused(predictor, method, texts, message):
    with pytest.raises(deepmoji.InputError, match=message):
        getattr(predictor, method)(texts)


def test_impossible_settings_are_refused(bundle, predictor):
    with pytest.raises(deepmoji.InputError, match="top"):
        predictor.predict("hi", top=0)
    with pytest.raises(deepmoji.InputError, match="text 0 is a int"):
        predictor.predict([1])
    with pytest.raises(deepmoji.InputError, match="batch"):
        predictor.iter_scores(["hi"], batch=0)
    for options in ({"threads": 0}, {"max_tokens": 0}):
        with pytest.raises(deepmoji.InputError, match=next(iter(options))):
            Predictor(bundle, **options)
