"""Parity with the original: thousands of its own outputs, and hand-made cases that ship here."""

import gzip
import json
from pathlib import Path

import pytest

from deepmoji.text.emojis import EMOJI_CHARACTERS
from deepmoji.text.tokenizer import tokenize, tokenize_spans, train_words
from deepmoji.text.vocabulary import Vocabulary
from tests.text.newer_emojis import NEWER_EMOJIS

HAND_MADE = json.loads((Path(__file__).parents[1] / "golden" / "tokens.json").read_text("utf-8"))
CUT = 30


@pytest.fixture(scope="module")
def golden(shared):
    with gzip.open(shared / "golden" / "tokens.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def vocabulary(shared):
    return Vocabulary.load(shared / "golden" / "vocabulary.json")


def test_words_are_the_originals(golden):
    assert len(golden) >= 4000
    wrong = [row for row, case in enumerate(golden) if tokenize(case["text"]) != case["words"]]
    assert wrong == []


def test_ids_are_the_originals(golden, vocabulary):
    assert len(vocabulary) == 50_000
    wrong = [
        row
        for row, case in enumerate(golden)
        if vocabulary.ids(tokenize(case["text"]))[:CUT] != case["ids"]
    ]
    assert wrong == []


def test_train_words_are_the_originals_but_for_newer_emojis(golden):
    wrong = {
        row for row, case in enumerate(golden) if train_words(case["text"]) != case["train_words"]
    }
    assert wrong == set(NEWER_EMOJIS)


def test_rows_with_newer_emojis_differ_for_that_reason_alone(golden):
    for row, characters in NEWER_EMOJIS.items():
        text = golden[row]["text"]
        assert golden[row]["train_words"] == []
        assert set(characters) <= EMOJI_CHARACTERS & set(text)
        # Without those characters the original's refusal is gone, and so is the difference.
        plain = text.translate({ord(c): None for c in characters})
        assert train_words(text) == train_words(plain) or train_words(plain) == []


def test_spans_carry_the_same_words(golden):
    for case in golden:
        tokens = tokenize_spans(case["text"])
        assert [token.word for token in tokens] == case["words"]
        assert all(0 <= t.start < t.end <= len(case["text"]) for t in tokens)


@pytest.mark.parametrize("case", HAND_MADE, ids=lambda case: repr(case["text"])[:40])
def test_hand_made_cases(case):
    assert tokenize(case["text"]) == case["words"]
    assert [token.word for token in tokenize_spans(case["text"])] == case["words"]
