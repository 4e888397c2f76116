"""Rated texts from files and from Python, and what a scale calls positive and near neutral."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.errors import InputError
from deepmoji.study.ratings import Rated, Scale, read_ratings


@pytest.mark.parametrize(
    ("scale", "least", "most"),
    [((1, 9), 4.5, 5.5), ((-4, 4), -0.5, 0.5), ((0, 1), 0.4375, 0.5625), ((1, 5), 2.75, 3.25)],
)
def test_near_neutral_is_a_sixteenth_of_the_width_to_either_side(scale, least, most):
    scale = Scale(low=scale[0], high=scale[1])
    beyond = 1e-6
    means = np.array([least - beyond, least, scale.middle, most, most + beyond])
    assert scale.sign(means).tolist() == [-1, 0, 0, 0, 1]
    assert scale.answer(means).tolist() == [-1, -1, 0, 1, 1]


TABLE = [("so good", [4, 3, 2.5]), ("so bad, so", [-4, -3])]


@pytest.mark.parametrize(
    ("written", "between"), [("{}", ", "), ("{}", "; "), ("{}", " "), ("[{}]", ", ")]
)
def test_csv(tmp_path, written, between):
    path = tmp_path / "ratings.csv"
    rows = [f'"{text}","{written.format(between.join(map(str, own)))}"' for text, own in TABLE]
    path.write_text("\n".join(["text,ratings", *rows]), encoding="utf-8")
    check(read_ratings(path))


def test_json_lines(tmp_path):
    path = tmp_path / "ratings.jsonl"
    rows = (json.dumps({"text": text, "ratings": own}) for text, own in TABLE)
    path.write_text("\n".join(rows), encoding="utf-8")
    check(read_ratings(path))


def test_parquet(tmp_path):
    path = tmp_path / "ratings.parquet"
    columns = {"text": [text for text, _ in TABLE], "ratings": [own for _, own in TABLE]}
    pq.write_table(pa.table(columns), path)
    check(read_ratings(path))


def check(rated):
    assert rated.texts == tuple(text for text, _ in TABLE)
    assert [own.tolist() for own in rated.ratings] == [own for _, own in TABLE]
    assert (rated.scale.low, rated.scale.high) == (-4, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,1", "no column 'ratings'"),
        ("text,ratings\na,1 2\nb,3", "has 1 ratings"),
        ("text,ratings\na,1 2\nb,", "has 0 ratings"),
        ("text,ratings\na,1 two", "line 2: the rating 'two' is no number"),
        ("text,ratings\na,1 nan", "is no number"),
        ('text,ratings\na,"[1, true]"', "the rating True is no number"),
        ("text,ratings\na,[1", "list of numbers"),
        ("text,ratings\na,2 2\nb,2 2", "from a lower to a higher"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, content, message):
    path = tmp_path / "ratings.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_ratings(path)


def test_a_rating_off_the_scale_is_named():
    with pytest.raises(InputError, match=r"text 1 .* off the scale from 1 to 9: 2 to 10"):
        Rated.of(["a", "b"], [[1, 9], [2, 10]], (1, 9))


@pytest.mark.parametrize("scale", [(1, 9), None])
@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_a_rating_that_is_no_number_is_named(scale, odd):
    with pytest.raises(InputError, match=r"text 1 \(counted from 0\) has a rating that is no numb"):
        Rated.of(["a", "b"], [[1, 9], [2, odd]], scale)
    with pytest.raises(InputError, match="no number"):
        Rated(texts=("a",), ratings=(np.array([2, odd]),), scale=Scale(low=1, high=9))
