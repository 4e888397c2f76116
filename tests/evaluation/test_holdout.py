"""Validation texts out of training texts: in proportion, seeded, and no text on both sides."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, shared_texts, split_validation


def rows(*labels, texts=None):
    names = tuple((label,) if isinstance(label, str) else tuple(label) for label in labels)
    return Labelled(
        texts=tuple(f"text {n}" for n in range(len(names))) if texts is None else tuple(texts),
        labels=names,
    )


def held(data, **options):
    return split_validation(data, **{"seed": 0, **options})[1]


def counts(data):
    return Counter(name for names in data.labels for name in names)


def test_labels_are_held_out_in_proportion():
    data = rows(*["a"] * 600, *["b"] * 300, *["c"] * 97, *["d"] * 3)
    train, validation = split_validation(data, seed=3)
    assert len(train) + len(validation) == 1000
    assert counts(validation) == pytest.approx({"a": 60, "b": 30, "c": 9.7, "d": 1}, abs=1)
    half = {"a": 300, "b": 150, "c": 48.5, "d": 1.5}
    assert counts(held(data, share=0.5)) == pytest.approx(half, abs=1)


def test_the_same_seed_gives_the_same_rows():
    data = rows(*["a", "b"] * 50)
    assert split_validation(data, seed=1) == split_validation(data, seed=1)
    assert held(data, seed=1) != held(data, seed=2)


def test_rows_keep_their_order():
    train, validation = split_validation(rows(*["a", "b"] * 50), seed=1)
    for part in (train, validation):
        numbers = [int(text.split()[1]) for text in part.texts]
        assert numbers == sorted(numbers)


def test_small_data_still_holds_out_one_of_each_class():
    assert counts(held(rows(*["a"] * 8, *["b"] * 2))) == {"a": 1, "b": 1}
    assert counts(held(rows(*"abcdefg" * 5))) == dict.fromkeys("abcdefg", 1)
    assert len(held(rows("a", "a", "b"))) == 1
    assert len(held(rows("a", "a"))) == 1


def test_a_class_with_one_text_stays_in_training():
    for seed in range(20):
        train, validation = split_validation(rows("a", *["b"] * 9, *["c"] * 9), seed=seed)
        assert counts(train)["a"] == 1
        assert counts(validation) == {"b": 1, "c": 1}


def test_single_texts_of_many_classes_do_not_empty_another():
    data = rows(*(f"class {n}" for n in range(100)), *["b"] * 50)
    assert counts(held(data)) == {"b": 5}


def test_a_thousand_classes():
    train, validation = split_validation(rows(*(str(n % 1000) for n in range(5000))), seed=0)
    assert set(counts(validation).values()) == {1}
    assert len(validation) == 1000
    assert len(counts(train)) == 1000


def test_several_labels_a_text():
    data = rows(*[("a", "b")] * 100, *[("a",)] * 100, *[()] * 50)
    found = Counter(held(data).labels)
    assert found == {("a", "b"): 10, ("a",): 10, (): 5}
    # Each combination occurs once, each label often.
    data = rows(*([f"l{n % 7}", f"m{n % 11}"] for n in range(77)))
    train, validation = split_validation(data, seed=0)
    assert len(validation) == 8
    assert len(counts(train)) == 18


def test_copies_of_a_text_stay_together():
    texts = [f"text {n % 10}" + " " * (n % 3) for n in range(100)]
    data = rows(*["a" if n % 10 < 5 else "b" for n in range(100)], texts=texts)
    train, validation = split_validation(data, share=0.2, seed=0)
    assert len(validation) == 20
    assert shared_texts(train, validation) == shared_texts(validation, train) == 0


def test_a_text_with_many_copies_stays_in_training():
    texts = ["" if n % 2 else f"text {n}" for n in range(200)]
    for seed in range(10):
        train, validation = split_validation(
            rows(*["a", "b", "b"] * 66, "a", "b", texts=texts), seed=seed
        )
        assert "" not in validation.texts
        assert 15 <= len(validation) <= 20
        assert train.texts.count("") == 100


def test_if_all_have_many_copies_the_fewest_are_held_out():
    data = rows(*["a"] * 50, *["a"] * 40, *["a"] * 30, texts=["x"] * 50 + ["y"] * 40 + ["z"] * 30)
    assert held(data, share=0.01).texts == ("z",) * 30


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (rows(), "0 texts cannot be split"),
        (rows("a"), "1 texts cannot be split"),
        (rows("a", "b"), "no validation text can be held out of these 2"),
        (rows(*"abcdef"), "no validation text"),
        (rows("a", "b", "a", "b", texts=["same"] * 4), "no validation text"),
    ],
)
def test_data_that_cannot_be_split(data, message):
    with pytest.raises(InputError, match=message):
        split_validation(data, seed=0)


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_the_share_is_checked(share):
    with pytest.raises(InputError, match="share"):
        split_validation(rows(*"aabb"), share=share, seed=0)


LABELS = st.lists(st.sampled_from("abcd"), max_size=3, unique=True).map(tuple)
DATA = st.lists(st.tuples(st.sampled_from(["", " ", "x", *"klmnopqrst"]), LABELS), min_size=2)


@given(DATA, st.floats(0.01, 0.99), st.integers(0, 5))
def test_nothing_is_lost_or_shared(pairs, share, seed):
    texts, labels = zip(*pairs, strict=True)
    data = Labelled(texts=texts, labels=labels)
    try:
        train, validation = split_validation(data, share=share, seed=seed)
    except InputError:
        return
    both = Counter(
        zip(train.texts + validation.texts, train.labels + validation.labels, strict=True)
    )
    assert both == Counter(pairs)
    assert len(train)
    assert len(validation)
    assert shared_texts(train, validation) == 0
    assert set(counts(train)) == set(counts(data))


def test_shared_texts():
    a = rows("x", "y", texts=["so sad", " so happy"])
    b = rows("x", "y", "z", "z", texts=["so happy ", "so happy", "So sad", "so sad!"])
    assert (shared_texts(a, b), shared_texts(b, a)) == (2, 1)
