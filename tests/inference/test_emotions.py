"""Emotions: what a table may say, and what it makes of probabilities."""

import math

import numpy as np
import pytest

from deepmoji.errors import InputError
from deepmoji.inference.emotions import EmotionTable, emotions_of
from deepmoji.labels import EMOJIS

VALENCE = {"joy": 0.8, "sadness": -0.8}


def table(emojis, valence=VALENCE):
    return EmotionTable.of({"valence": valence, "emojis": emojis})


def test_the_default_table_knows_the_64_and_nothing_else():
    default = EmotionTable.read()
    assert set(default.weights) == set(EMOJIS)
    weights = default.weights_of(EMOJIS)
    assert weights.shape == (64, len(default.emotions))
    assert weights.sum(axis=1) == pytest.approx(1)
    assert all(abs(value) <= 1 for value in default.valence.values())
    assert weights.any(axis=0).all()  # no emotion without an emoji


def test_shares_and_valence_by_hand():
    mixed = table({"😂": "joy", "😭": {"joy": 1, "sadness": 3}})
    found = emotions_of(np.array([[1, 0], [0.5, 0.5], [0, 1]], np.float32), ["😂", "😭"], mixed)
    assert found.emotions == ("joy", "sadness")
    assert found.shares == pytest.approx(np.array([[1, 0], [0.625, 0.375], [0.25, 0.75]]))
    assert found.valence == pytest.approx([0.8, 0.2, -0.4])
    assert found.to_dicts()[2]["emotions"][0] == {"emotion": "sadness", "share": 0.75}


def test_probabilities_that_do_not_exclude_each_other_are_shared_out():
    found = emotions_of(
        np.array([[0.8, 0.8]], np.float32), ["😂", "😭"], table({"😂": "joy", "😭": "sadness"})
    )
    assert found.shares == pytest.approx(np.array([[0.5, 0.5]]))


def test_a_selector_in_the_file_is_no_part_of_a_label():
    assert table({"❤\ufe0f": "joy"}).weights_of(["❤"]).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("emojis", "valence", "message"),
    [
        ({"😂": "bliss"}, VALENCE, "😂 names the emotion 'bliss', which has no valence"),
        ({"😂": {"joy": "much"}}, VALENCE, "the weight of joy has to be a number, not 'much'"),
        ({"😂": {"joy": True}}, VALENCE, "has to be a number, not True"),
        ({"😂": {"joy": -1}}, VALENCE, "of 0 or more, not -1"),
        ({"😂": {"joy": math.nan}}, VALENCE, "number of 0 or more"),
        ({"😂": {"joy": 0}}, VALENCE, "one of its weights has to be more than 0"),
        ({"😂": {}}, VALENCE, "name of an emotion"),
        ({"😂": 3}, VALENCE, "name of an emotion"),
        ({"❤": "joy", "❤\ufe0f": "joy"}, VALENCE, "❤ stands there twice"),
        ({"😂": "joy"}, {"joy": 2}, "the valence of joy has to be a number from -1 to 1"),
        ({"😂": "joy"}, {"joy": "high"}, "the valence of joy has to be a number, not 'high'"),
        ({"😂": "joy"}, {}, r"sections \[valence\] and \[emojis\]"),
        ({}, VALENCE, r"sections \[valence\] and \[emojis\]"),
        ("joy", VALENCE, r"\[emojis\] has to be a section"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(emojis, valence, message):
    with pytest.raises(InputError, match=message):
        table(emojis, valence)


def test_a_selector_in_a_label_is_passed_over():
    weights = table({"❤": {"joy": 1.0}, "😂": {"joy": 1.0}}).weights_of(("❤\ufe0f", "😂"))
    assert weights[:, 0].tolist() == [1.0, 1.0]


def test_labels_and_lines_have_to_agree():
    small = table({"😂": "joy", "🥑": "joy"})
    with pytest.raises(InputError, match="lacks 😭"):
        small.weights_of(["😂", "😭"])
    with pytest.raises(InputError, match="🥑, which the model does not know"):
        small.weights_of(["😂"])
    assert EmotionTable.read().weights_of(EMOJIS[:3]).shape[0] == 3  # fewer of the 64 are fine


@pytest.mark.parametrize(
    ("content", "message"),
    [("[valence", "not a TOML file"), ("[mood]\njoy = 1", r"not \[mood\]"), ("", "not none")],
)
def test_what_is_no_table_is_told(tmp_path, content, message):
    path = tmp_path / "table.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        EmotionTable.read(path)
    with pytest.raises(InputError, match="No such file"):
        EmotionTable.read(tmp_path / "none.toml")


def test_a_predictor_gives_a_row_for_each_text(predictor):
    texts = ["i love you", "", "\ud800", "so tired"]
    found = predictor.emotions(texts)
    assert found.shares.shape == (4, len(found.emotions))
    assert found.shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(found.valence).max() <= 1
    expected = emotions_of(predictor.scores(texts), predictor.labels)
    assert (found.shares == expected.shares).all()
    assert len(predictor.emotions([])) == 0
