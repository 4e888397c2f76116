"""The classes that training texts have, and what other texts are held to."""

import numpy as np
import pytest

from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, Problem, read


def rows(*labels):
    """Texts with these labels: a name, or several."""
    names = tuple((label,) if isinstance(label, str) else tuple(label) for label in labels)
    return Labelled(texts=tuple(f"text {n}" for n in range(len(names))), labels=names)


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        (["sarcastic", "not sarcastic"], "binary", ("not sarcastic", "sarcastic")),
        (["1", "0"], "binary", ("0", "1")),
        (["False", "True"], "binary", ("False", "True")),
        (["10", "9", "-1", "9.5"], "single", ("-1", "9", "9.5", "10")),
        (["10", "9", "b"], "single", ("10", "9", "b")),
        (["joy", "fear", "joy", "anger"], "single", ("anger", "fear", "joy")),
        ([("1", "2"), ("2",)], "multi", ("1", "2")),
        ([("1",), ()], "multi", ("1",)),
    ],
)
def test_kind_and_classes(labels, kind, classes):
    problem = Problem.of(rows(*labels))
    assert (problem.kind, problem.classes) == (kind, classes)


def test_kind_and_order_can_be_chosen():
    assert Problem.of(rows("a", "b"), multi_label=True).kind == "multi"
    chosen = Problem.of(rows("insult", "neutral"), classes=["neutral", "insult"])
    assert chosen == Problem(classes=("neutral", "insult"), kind="binary")
    unseen = Problem.of(rows("0", "2"), classes=range(4))
    assert unseen == Problem(classes=("0", "1", "2", "3"), kind="single")


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([], {}, "no training texts"),
        ([(), ()], {}, "none of the 2 training texts has a label"),
        (["joy", "joy"], {}, "the same label, joy: there is nothing to tell apart"),
        (["joy"], {"classes": ["joy", "fear"]}, "nothing to tell apart"),
        ([("a", "b"), ("b", "a")], {}, "nothing to tell apart"),
        ([("a", "b"), ("b",)], {"multi_label": False}, "text 0 .*has 2 labels.*multi_label"),
        ([("a",), ()], {"multi_label": False}, "text 1 .*has 0 labels"),
        (["a", "b"], {"classes": ["a", "c"]}, "labels that are no class: 'b'"),
        (["a", "b"], {"classes": ["a", "b", "a"]}, "'a' are named twice"),
        (["a", "b"], {"classes": "ab"}, "several classes"),
        (["a", "b"], {"classes": ["a", None, "b"]}, "missing"),
        (["a", "b"], {"classes": []}, "0 classes"),
    ],
)
def test_training_texts_that_cannot_be_learnt_from(labels, options, message):
    with pytest.raises(InputError, match=message):
        Problem.of(rows(*labels), **options)


@pytest.mark.parametrize(("count", "kind"), [(1, "binary"), (3, "binary"), (2, "single"),
                                             (0, "multi"), (2, "many")])  # fmt: skip
def test_the_kind_fits_the_number_of_classes(count, kind):
    with pytest.raises(InputError):
        Problem(classes=tuple("abc"[:count]), kind=kind)


def test_targets():
    problem = Problem.of(rows("b", "a", "c"))
    targets = problem.targets(rows("c", "a"), "test")
    assert targets.dtype == np.float32
    assert targets.tolist() == [[0, 0, 1], [1, 0, 0]]
    multi = Problem.of(rows(("b", "a"), ()))
    assert multi.targets(rows(("a",), (), ("a", "b")), "test").tolist() == [[1, 0], [0, 0], [1, 1]]
    assert problem.targets(Labelled(texts=(), labels=()), "test").shape == (0, 3)


def test_labels_that_training_never_saw_are_named():
    problem = Problem.of(rows("a", "b"))
    with pytest.raises(InputError, match=r"the test texts .*'x' \(2 times\), 'y' \(1 times\)"):
        problem.targets(rows("x", "a", "y", "x"), "test")
    many = rows(*(f"class {n}" for n in range(1000)))
    with pytest.raises(InputError, match="and 995 more") as caught:
        problem.targets(many, "validation")
    assert len(str(caught.value)) < 600


def test_a_text_without_its_one_label_is_named():
    problem = Problem.of(rows("a", "b"))
    with pytest.raises(InputError, match=r"test text 1 .*'text 1', has 2 labels"):
        problem.targets(rows("a", ("a", "b")), "test")


def test_a_thousand_classes():
    many = rows(*(str(n % 1000) for n in range(3000)))
    problem = Problem.of(many)
    assert problem.classes == tuple(map(str, range(1000)))
    assert problem.targets(many, "training").sum(axis=0).tolist() == [3.0] * 1000


def test_the_benchmark_sets(shared):
    kinds = {"SE0714": "multi", "Olympic": "multi", "PsychExp": "single", "SCv1": "binary"}
    for name, kind in kinds.items():
        splits = read(shared / f"benchmarks/paper/{name}.parquet")
        problem = Problem.of(splits.train)
        assert problem.kind == kind
        assert problem.classes == tuple(map(str, range(len(problem.classes))))
        problem.targets(splits.test, "test")
