"""Rows of identical ids are found, whatever their number."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.training.copies import Copies


def pairs_of(texts):
    return SimpleNamespace(
        ids=np.array([word for text in texts for word in text], dtype=np.uint16),
        offsets=np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64),
        labels=np.zeros(len(texts), dtype=np.int64),
    )


@given(st.lists(st.lists(st.integers(0, 3), max_size=4).map(tuple), min_size=1, max_size=40))
def test_groups_are_the_distinct_texts_in_order(texts):
    copies = Copies.among(pairs_of(texts))
    distinct = list(dict.fromkeys(texts))
    assert [texts[row] for row in copies.first] == distinct
    groups = np.arange(len(distinct))[::-1]
    rows, places = copies.of(groups)
    assert sorted(rows.tolist()) == list(range(len(texts)))
    assert [texts[row] for row in rows] == [distinct[groups[place]] for place in places]


def test_many_rows_are_hashed_piece_by_piece():
    random = np.random.default_rng(0)
    texts = [tuple(random.integers(0, 9, random.integers(0, 6))) for _ in range(150_000)]
    copies = Copies.among(pairs_of(texts))
    assert [texts[row] for row in copies.first] == list(dict.fromkeys(texts))
    assert len(copies.rows) == len(texts)
