"""The map of emojis: known structure comes out, and what is written is read back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from deepmoji.emojis.dendrogram import tree_lines
from deepmoji.emojis.map import EmojiMap
from deepmoji.emojis.typical import most_typical
from deepmoji.errors import InputError

LABELS = ("😂", "😡", "❤", "💀", "😠", "💕")


@pytest.fixture(scope="module")
def found():
    """Three pairs, each driven by its own cause, the last two pairs with much in common."""
    random = np.random.default_rng(0)
    laughing, angry, loving = random.normal(size=(3, 4000))
    causes = np.stack([laughing, angry, -angry + loving, laughing, angry, -angry + loving], axis=1)
    return EmojiMap.of(causes + random.normal(0, 0.3, causes.shape), LABELS)


def test_groups_are_what_goes_together(found):
    assert sorted(map(sorted, found.groups(3))) == sorted(
        map(sorted, (("😂", "💀"), ("😡", "😠"), ("❤", "💕")))
    )
    assert [len(found.groups(count)) for count in (1, 2, 3, 6)] == [1, 2, 3, 6]


def test_correlations_are_numpys(found):
    assert (np.diag(found.correlations) == 1).all()
    assert found.correlations[0, 3] == pytest.approx(1 / 1.09, abs=0.02)  # 1 / (1 + 0.3²)


def test_nearest(found):
    assert found.nearest("😂", 1)[0][0] == "💀"
    assert found.nearest("❤\ufe0f", 1)[0][0] == "💕"  # as keyboards write it
    assert len(found.nearest("😂", 99)) == 5
    with pytest.raises(InputError, match="no label of the model; there are 😂"):
        found.nearest("🥑")


@pytest.mark.parametrize("heart", ["❤", "❤\ufe0f"])
@pytest.mark.parametrize("asked", ["❤", "❤\ufe0f"])
def test_labels_are_found_with_and_without_a_variation_selector(found, heart, asked):
    labels = tuple(heart if label == "❤" else label for label in LABELS)
    assert replace(found, labels=labels).place(asked) == 2


def test_labels_that_differ_in_the_selector_alone_are_told_apart(found):
    labels = (*LABELS[:3], "❤\ufe0f", *LABELS[4:])
    assert [replace(found, labels=labels).place(each) for each in labels] == list(range(6))


def test_the_plane_keeps_pairs_together(found):
    points, stress = found.plane()
    assert points.shape == (6, 2)
    assert 0 <= stress < 0.3
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert [LABELS[k] for k in apart.argmin(axis=1)] == ["💀", "😠", "💕", "😂", "😡", "❤"]
    assert (found.plane()[0] == points).all()


def test_a_plane_that_fits_loses_nothing():
    points = np.random.default_rng(0).normal(size=(7, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    exact = EmojiMap(labels=tuple("abcdefg"), texts=9, correlations=1 - distances, mean=np.ones(7))
    placed, stress = exact.plane()
    assert stress == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(placed[:, None] - placed[None], axis=2) == pytest.approx(
        distances, abs=1e-6
    )


def test_written_and_read_back(found):
    again = EmojiMap.from_dict(json.loads(json.dumps(found.to_dict(3))))
    assert again.to_dict(3) == found.to_dict(3)


@pytest.mark.parametrize("content", [[], {}, {"labels": ["a"], "texts": 3, "correlations": 1}])
def test_another_file_is_no_map(content):
    with pytest.raises(InputError, match="no map"):
        EmojiMap.from_dict(content)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.ones((9, 5)), "for 6 labels"),
        (np.ones((2, 6)), "too few"),
        (np.random.default_rng(0).random((9, 6)) * [1, 1, 0, 1, 1, 1], "❤ has the same"),
    ],
)
def test_what_gives_no_map_is_refused(scores, message):
    with pytest.raises(InputError, match=message):
        EmojiMap.of(scores, LABELS)


def test_groups_out_of_range(found):
    with pytest.raises(InputError, match="groups can be 1 to 6, not 7"):
        found.groups(7)


def test_the_tree_as_text():
    """Two pairs that join at 0.2 and 0.4, and join each other at 0.8."""
    correlations = np.full((4, 4), 0.2)
    correlations[:2, :2] = 0.8
    correlations[2:, 2:] = 0.6
    np.fill_diagonal(correlations, 1)
    found = EmojiMap(labels=tuple("abcd"), texts=9, correlations=correlations, mean=np.ones(4))
    assert list(tree_lines(found, [0, 1, 2, 3], width=9)) == [
        ("a", "╶─┬─────┐"),
        ("b", "╶─┘     │"),
        ("c", "╶───┬───┘"),
        ("d", "╶───┘"),
    ]


@pytest.fixture
def alike():
    """Three labels that a model uses all alike."""
    return EmojiMap.of(np.outer(np.arange(9), [1, 2, 3]), ("a", "b", "c"))


def test_labels_that_are_used_all_alike_are_one_group_at_one_place(alike):
    assert (alike.correlations == 1).all()
    content = alike.to_dict(2)
    assert [sorted(group) for group in content["groups"]] == [["a", "b", "c"]]
    assert content["plane_stress"] == 0
    assert set(map(tuple, content["plane"].values())) == {(0, 0)}
    assert [line for _, line in tree_lines(alike, [0, 1, 2], width=9)] == ["╶┐", "╶┤", "╶┘"]


class Model:
    def scores(self, texts):
        return np.array([[len(text), -len(text)] for text in texts], np.float32)


def test_typical_texts_once_each_over_all_batches():
    batches = [["a", "long", "bb"], ["long", "longest", ""]]
    assert most_typical(Model(), batches, 0, 2) == [("longest", 7), ("long", 4)]
    assert most_typical(Model(), batches, 1, 1) == [("", 0)]
