"""Any string, in linear time, with places that point back into the input."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepmoji.text.normalise import lower
from deepmoji.text.tokenizer import shorten, tokenize, tokenize_spans, train_words

ANY_TEXT = st.text(st.characters(codec=None), max_size=60) | st.text(
    st.sampled_from(
        "aAbBzıſİΣé1٣²😂❤️"
        "\ufe0f\u200d♡🏽<>3/\\nr:;=-_'\"^.,@#!()$%&*~`[]{}|+ \t\n\u0301\u0316ﬀ…—’™\ud800"
    ),
    max_size=60,
)


@given(ANY_TEXT)
@settings(max_examples=500, deadline=None)
def test_any_string_is_read(text):
    words = tokenize(text)
    tokens = tokenize_spans(text)
    assert [token.word for token in tokens] == words
    assert all(word and not any(c.isspace() for c in word) for word in words)
    assert [t.start for t in tokens] == sorted(t.start for t in tokens)
    assert all(0 <= t.start < t.end <= len(text) for t in tokens)
    assert not any(text[t.start : t.end].isspace() for t in tokens if t.word != "CUSTOM_BREAK")


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_training_reads_ascii_or_nothing(text):
    words = train_words(text)
    assert all(word.isascii() for word in words)
    if text.isascii():
        assert words == tokenize(text)


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_lower_keeps_the_length(text):
    assert len(lower(text)) == len(text)


@given(st.lists(ANY_TEXT.map(lambda text: "".join(text.split())), max_size=5))
@settings(max_examples=200, deadline=None)
def test_chunks_do_not_influence_each_other(chunks):
    alone = [word for chunk in chunks for word in tokenize(chunk)]
    assert tokenize(" ".join(chunks)) == alone


def original_shorten(word):
    """The original's rule as its documentation states it, slow and literal."""
    runs, start = [], 0
    for position in range(1, len(word) + 1):
        if position == len(word) or word[position] != word[start]:
            runs.append(word[start:position])
            start = position
    for run in runs:
        if len(run) >= 3:
            word = word.replace(run, run[0] * 2)
    return word


@given(st.text("ab", max_size=60))
@settings(max_examples=1000, deadline=None)
def test_shorten_keeps_the_originals_habit(word):
    assert shorten(word) == original_shorten(word)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Soooo good…", [("soo", "Soooo"), ("good", "good"), ("..", "…")]),
        ("I ❤️ it", [("i", "I"), ("❤", "❤️"), ("it", "it")]),
        ("hi\\nyou", [("hi", "hi"), ("CUSTOM_BREAK", "\\n"), ("you", "you")]),
        (
            "  @Bob: 42!!!!",
            [("CUSTOM_AT", "@Bob"), (":", ":"), ("CUSTOM_NUMBER", "42"), ("!!", "!!!!")],
        ),
        ("cafe\u0301 ok", [("caf", "caf"), ("é", "e\u0301"), ("ok", "ok")]),
        ("oﬃce", [("office", "oﬃce")]),
        ("각 x", [("각", "각"), ("x", "x")]),
    ],
)
def test_spans_point_at_what_was_written(text, expected):
    assert [(t.word, text[t.start : t.end]) for t in tokenize_spans(text)] == expected


MEGABYTE = 1_000_000
HOSTILE = {
    "one letter": "a",
    "one mark after another": "\u0301\u0316",
    "half a word": "a-",
    "addresses without end": "a@b.",
    "addresses": "a.b@c.de,",
    "dots": "a.",
    "hearts": "<",
    "runs": "aaabbb",
    "halfwidth marks": "\uff9e",
    "hashes": "#",
    "emojis": "😂",
    "line breaks": "\\n",
    "surrogates": "\ud800",
    "jamo": "\u1100\u1161",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("read", [tokenize, train_words, tokenize_spans])
def test_time_is_linear(unit, read):
    """Whatever is quadratic takes minutes to hours of these."""
    size = MEGABYTE if read is tokenize else MEGABYTE // 4
    text = unit * (size // len(unit))
    begun = time.process_time()
    read(text)
    assert time.process_time() - begun < 60


def test_a_long_word_before_an_at_sign_is_linear_too():
    begun = time.process_time()
    assert tokenize("a-" * (MEGABYTE // 2) + "@")[-1] == "@"
    assert time.process_time() - begun < 60
