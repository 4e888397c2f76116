"""Emojis found, and nothing left of them when they are taken out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.labels import EMOJIS, NAMES
from deepmoji.text.emojis import EMOJI_CHARACTERS, find_emojis, remove_emojis

TRACES = "\ufe0f\ufe0e\u200d\u20e3🏻🏼🏽🏾🏿" + "".join(map(chr, range(0xE0061, 0xE007B)))


def test_labels_are_the_papers():
    assert len(EMOJIS) == len(set(EMOJIS)) == 64
    assert (EMOJIS[0], EMOJIS[1], EMOJIS[17], EMOJIS[63]) == ("😂", "😒", "🙌", "✨")
    assert not any("\ufe00" <= c <= "\ufe0f" for emoji in EMOJIS for c in emoji)
    assert all(NAMES[emoji] == unicodedata.name(emoji).lower() for emoji in EMOJIS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing", []),
        ("😂😂😂", [0]),
        ("❤️ and 😂", [0, 8]),
        ("♥ is not ❤", [8, 24]),
        ("👍🏽", [33]),
    ],
)
def test_find_emojis_counts_each_once_in_class_order(text, expected):
    assert find_emojis(text, EMOJIS) == expected


def test_find_emojis_takes_sequences_as_labels():
    assert find_emojis("my family 👨‍👩‍👧", ["👨‍👩‍👧", "😂"]) == [0]
    assert find_emojis("I ❤ it", ["❤️"]) == [0]


@given(
    st.lists(
        st.sampled_from([*EMOJIS, *sorted(EMOJI_CHARACTERS), *TRACES, "so", "tired", " ", "🇩🇪"])
    )
)
def test_no_trace_is_left(pieces):
    text = remove_emojis("".join(pieces))
    assert not set(text) & (EMOJI_CHARACTERS | set(EMOJIS) | set(TRACES))
    assert "🇩" not in text


def test_words_on_both_sides_stay_apart():
    assert remove_emojis("so😂tired").split() == ["so", "tired"]
    assert remove_emojis("1️⃣ plain text: ok") == "1  plain text: ok"
