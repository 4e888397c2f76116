import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.corpus.settings import RULES
from deepmoji.corpus.words import CODES, KEPT, TextRules, emoji_units, is_normal, split_key
from deepmoji.labels import EMOJIS
from deepmoji.text.emojis import EMOJI_CHARACTERS
from deepmoji.text.tokenizer import train_words

TRACES = EMOJI_CHARACTERS | set(EMOJIS) | {"\u200d", "\u20e3", "\ufe0f", "\ufe0e"}


def rules(wanted=EMOJIS, without=(), detect=None):
    return TextRules(
        wanted=tuple(wanted),
        active=frozenset(RULES) - set(without),
        language="en",
        hash_key=bytes(8),
        detect=detect,
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("@bob 12 !! 😂", "length"),
        ("😂", "length"),
        (":) !!! 😂", "length"),
        ("so funny 🔥", "wanted-emoji"),
        ("so funny", "wanted-emoji"),
        ("déjà vu 😂", "non-ascii"),
        ("muy cómico", "wanted-emoji"),
    ],
)
def test_dropped_by_the_first_rule_that_fails(text, rule):
    assert rules().read(text, "en").code == CODES[rule]
    assert rules(without=[rule]).read(text, "en").code != CODES[rule]


def test_curly_punctuation_and_short_words_are_no_reason_to_drop():
    reading = rules().read("I don’t… k “ok” 😂", "en")
    assert reading.code == KEPT
    assert list(reading.words) == ["i", "don't", "..", "k", '"', "ok", '"']


def test_non_ascii_words_are_kept_when_their_rule_is_off():
    reading = rules(without=["non-ascii"]).read("déjà 😂", "en")
    assert reading.code == KEPT
    assert "".join(reading.words) == "déjà"


def test_language_is_detected_only_where_it_is_not_known():
    def refuse(text):
        assert "😂" not in text
        return "de", 1.0

    assert rules(detect=refuse).read("so lustig 😂", None).code == CODES["language"]
    assert rules(detect=refuse).read("so lustig 😂", "").code == CODES["language"]
    assert rules(detect=refuse).read("so funny 😂", "en").code == KEPT


def test_a_detected_language_can_be_too_unsure():
    chosen = rules(detect=lambda text: ("en", 0.75))
    chosen.least_sure = 0.75
    assert chosen.read("so funny 😂", None).code == KEPT
    chosen.least_sure = 0.8
    assert chosen.read("so funny 😂", None).code == CODES["language-score"]
    assert chosen.read("so funny 😂", "en").code == KEPT


def test_each_wanted_emoji_once_in_class_order():
    reading = rules().read("so ❤️ funny 😂😂😂 ❤ 🔥", "en")
    assert [EMOJIS[label] for label in reading.labels] == ["😂", "❤"]


def test_no_trace_of_an_emoji_is_left():
    text = "one👍🏽two ❤️‍🔥 three 👨‍👩‍👧‍👦 four 🏳️‍🌈 five 1️⃣ six 🇩🇪 seven ♡😂"
    reading = rules().read(text, "en")
    assert reading.code == KEPT
    assert not set(reading.text) & TRACES
    assert [word for word in reading.words if word.isalpha()][:2] == ["one", "two"]


def test_labels_that_are_no_emojis_are_removed_too():
    reading = rules(["★", "1\u20e3"]).read("five ★ stars★ 1\ufe0f\u20e3", "en")
    assert list(reading.labels) == [0, 1]
    assert list(reading.words) == ["five", "stars"]


@given(st.text(alphabet=st.sampled_from([*"aB 1!é\n", *EMOJIS[:9], "\ufe0f", "\u200d", "🏽"])))
def test_any_text_is_read_without_leaking(text):
    reading = rules().read(text, "en")
    if reading.code == KEPT:
        assert not set(reading.text) & TRACES
        assert reading.labels
        assert list(reading.words) == train_words(reading.text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("so good", "SO goooood!!!"),
        ("@a win 10 now", "@b @c win 99 now"),
        ("happy #monday", "happy monday"),
        ("yes yes yes it is", "yes it is"),
        ("don't go", "dont go :)"),
    ],
)
def test_near_copies_share_their_key(first, second):
    assert split_key(train_words(first)) == split_key(train_words(second))


def test_different_posts_have_different_keys():
    assert split_key(["so", "good"]) != split_key(["so", "bad"])
    assert split_key(["!!"]) != split_key([".."])  # nothing but punctuation: the words decide


def test_normal_words():
    assert is_normal("ok")
    assert is_normal(":d")
    assert not any(map(is_normal, ["!!", "CUSTOM_NUMBER", ":)", "CUSTOM_AT"]))


def test_emojis_as_people_count_them():
    assert emoji_units("🤷🏽\u200d♀️ 🇩🇪 👍🏿👍 ❤️ ❤️\u200d🔥 plain") == {
        "🤷",
        "🇩🇪",
        "👍",
        "❤",
        "❤\u200d🔥",
    }
