"""What each word does to the answer: occlusion, beside attention."""

import json
import math

import numpy as np
import pytest

import deepmoji
from deepmoji.inference.engine import WINDOW
from deepmoji.inference.predictor import Predictor
from deepmoji.inference.render import to_dict
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN
from tests.helpers.bundles import WORDS, Tiny, make_bundle, make_weights, reference

# Logarithms of float32 probabilities that agree to 1e-6 and are not below 1e-3 (design.md 3).
CLOSE = 2e-3
TEXTS = [
    "I love how you never reply back..",
    "This is the shit!!",
    "love",
    "xyzzy",
    "",
    "so tired tired tired",
    " ".join(WORDS[:24]),
    "\ud800 broken, 日本語",
]


def test_occlusion_is_the_change_of_the_logarithm_without_the_word(predictor):
    weights, vocabulary = make_weights(Tiny()), predictor.bundle.vocabulary
    for prediction in predictor.predict(TEXTS, explain="occlusion"):
        ids = vocabulary.ids(tokenize(prediction.text)[: predictor.max_tokens])
        best = predictor.labels.index(prediction.top[0][0])

        def log(ids, best=best):
            return math.log(reference(weights, ids or [UNKNOWN])[0][best])

        expected = [log(ids) - log(ids[:i] + ids[i + 1 :]) for i in range(len(ids))]
        assert [word.occlusion for word in prediction.words] == pytest.approx(expected, abs=CLOSE)


def test_everything_else_is_as_without(predictor):
    plain = predictor.predict(TEXTS, top=3)
    both = predictor.predict(TEXTS, top=3, explain="occlusion")
    for one, other in zip(plain, both, strict=True):
        assert (one.text, one.top, one.labels) == (other.text, other.top, other.labels)
        assert [(w.text, w.start, w.weight) for w in one.words] == [
            (w.text, w.start, w.weight) for w in other.words
        ]
        assert {word.occlusion for word in one.words} <= {None}


def test_texts_without_words_and_of_one_word(predictor):
    empty, unknown, known = predictor.predict(["", "xyzzy", "love"], explain="occlusion")
    assert empty.words == ()
    assert [word.occlusion for word in unknown.words] == [0.0]  # it was read as nothing anyway
    assert known.words[0].occlusion != 0.0


def test_of_a_text_that_is_cut_no_word_moves_up(bundle):
    short = Predictor(bundle, max_tokens=3)
    whole, cut = "love you so", "love you so tired tired"
    found = [short.predict(text, explain="occlusion") for text in (whole, cut)]
    assert [len(each.words) for each in found] == [3, 3]
    values = [[word.occlusion for word in each.words] for each in found]
    assert values[0] == pytest.approx(values[1], abs=CLOSE)


def test_more_variants_than_a_window(predictor):
    texts = [f"{word} love you so tired {word}" for word in WORDS] * 12
    assert len(texts) * 6 > WINDOW
    for text, prediction in zip(texts, predictor.predict(texts, explain="occlusion"), strict=True):
        alone = predictor.predict(text, explain="occlusion") if text in texts[:3] else prediction
        values = [word.occlusion for word in prediction.words]
        assert values == pytest.approx([word.occlusion for word in alone.words], abs=CLOSE)
        assert np.isfinite(values).all()


def test_labels_that_do_not_exclude_each_other(tmp_path):
    predictor = Predictor(make_bundle(tmp_path / "own", Tiny(labels=("joy", "anger"))))
    assert all(w.occlusion is not None for w in predictor.predict("so", explain="occlusion").words)


def test_no_texts(predictor):
    assert predictor.predict([], explain="occlusion") == []


def test_what_is_no_explanation_is_refused(predictor):
    with pytest.raises(deepmoji.InputError, match="attention or occlusion, not 'gradient'"):
        predictor.predict("hi", explain="gradient")


def test_json_has_it_only_when_asked(predictor):
    row = json.loads(json.dumps(to_dict(predictor.predict("I love", explain="occlusion"))))
    assert row["words"][0].keys() == {"text", "start", "end", "weight", "occlusion"}
    assert "occlusion" not in to_dict(predictor.predict("I love"))["words"][0]
