"""Words and ids, and what a damaged vocabulary file says."""

import json

import pytest

from deepmoji.errors import InputError
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary

WORDS = (*SPECIAL_TOKENS, "love", "hate")


def test_ids_and_unknown():
    vocabulary = Vocabulary(WORDS)
    assert len(vocabulary) == 12
    assert vocabulary.ids(["hate", "love", "xyzzy", "CUSTOM_AT"]) == [11, 10, 1, 2]
    assert vocabulary.id("love") == 10
    assert "love" in vocabulary
    assert "xyzzy" not in vocabulary


def test_from_counts_orders_by_frequency_then_alphabet():
    counts = {"b": 2, "a": 2, "c": 9, "x" * 31: 99, "y" * 30: 1, "": 5, "CUSTOM_AT": 50}
    assert Vocabulary.from_counts(counts).words == (*SPECIAL_TOKENS, "c", "a", "b", "y" * 30)
    assert Vocabulary.from_counts(counts, size=11).words == (*SPECIAL_TOKENS, "c")


def test_saved_and_loaded(tmp_path):
    Vocabulary(WORDS).save(tmp_path / "vocabulary.json")
    assert Vocabulary.load(tmp_path / "vocabulary.json").words == WORDS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        ("{", "not a JSON file"),
        ("[1, 2]", "expected an object"),
        (json.dumps({"a": "1"}), "whole number"),
        (json.dumps({"a": 5}), "not 0 to"),
        (json.dumps({"a": 0, "b": 0}), "not 0 to"),
        (json.dumps({"a": 0, "b": 1}), "special tokens"),
        ("\ud800".encode("utf-8", "surrogatepass"), "not a JSON file"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, content, message):
    path = tmp_path / "vocabulary.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        Vocabulary.load(path)


def test_a_word_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        Vocabulary([*WORDS, "love"])


def test_a_mapping_is_a_vocabulary_like_its_file():
    ids = {word: index for index, word in enumerate([*SPECIAL_TOKENS, "love"])}
    assert Vocabulary.from_ids(dict(reversed(ids.items()))).words == (*SPECIAL_TOKENS, "love")
    for wrong in (ids | {"gap": 12}, ids | {"twice": 10}, ids | {"text": "11"}):
        with pytest.raises(InputError, match="the words is no vocabulary"):
            Vocabulary.from_ids(wrong, name="the words")
