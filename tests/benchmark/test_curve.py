from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.benchmark.curve import CurvePlan, nested_order, subset
from deepmoji.benchmark.tasks import load_tasks
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled
from tests.benchmark.fakes import Fake

LABELS = st.lists(st.sets(st.sampled_from("abcd"), max_size=2), min_size=1, max_size=80)


def make_labelled(label_sets):
    return Labelled(
        texts=tuple(f"text {number}" for number in range(len(label_sets))),
        labels=tuple(tuple(sorted(names)) for names in label_sets),
    )


@given(LABELS, st.integers(0, 5))
def test_every_beginning_is_stratified(label_sets, seed):
    data = make_labelled(label_sets)
    order = nested_order(data, seed)
    assert sorted(order) == list(range(len(data)))
    assert order == nested_order(data, seed)
    total = Counter(data.labels)
    for size in range(len(total), len(data) + 1):
        counts = Counter(data.labels[row] for row in order[:size])
        assert counts.keys() == total.keys()
        for names, count in total.items():
            share = count / len(data)
            assert abs(counts[names] - share * size) <= 1 + share * len(total) + 1e-9


def test_binary_subsets_are_nested_and_in_proportion():
    data = make_labelled([{"a"}] * 600 + [{"b"}] * 200)
    order = nested_order(data, seed=0)
    for size in (10, 30, 100, 300):
        b = sum(data.labels[row] == ("b",) for row in order[:size])
        assert abs(b - size / 4) <= 1
    assert order[:10] != nested_order(data, seed=1)[:10]


def test_subset_changes_the_training_split_alone(data):
    (task,) = load_tasks("paper", data, ["PsychExp"])
    small, larger = subset(task, 10, 0), subset(task, 30, 0)
    assert small.train == larger.train.take(range(10))
    assert len(set(small.train.labels)) == 7
    for part in (small, larger):
        assert (part.validation, part.test, part.problem) == (
            task.validation,
            task.test,
            task.problem,
        )
    digests = {part.digest for part in (task, small, larger, subset(task, 10, 1))}
    assert len(digests) == 4
    assert subset(task, "all", 3) == task
    with pytest.raises(InputError, match="40 training texts; a subset of 41"):
        subset(task, 41, 0)


def test_plan_leaves_out_what_is_the_same(data, base):
    tasks = load_tasks("paper", data, ["SCv1"])
    fixed, random = Fake(name="fixed", deterministic=True), Fake(name="random")
    plan = CurvePlan(tasks=tasks, systems=[fixed, random], sizes=(10, 40, 300, "all"), seeds=2)
    assert [str(job) for job in plan.jobs(base)] == [
        "fixed on SCv1, 10 texts, seed 0",
        "fixed on SCv1, seed 0",
        "random on SCv1, 10 texts, seed 0",
        "random on SCv1, seed 0",
        "fixed on SCv1, 10 texts, seed 1",
        "random on SCv1, 10 texts, seed 1",
        "random on SCv1, seed 1",
    ]


@pytest.mark.parametrize("sizes", [(), (0,), (-5, "all")])
def test_sizes_are_checked(sizes):
    with pytest.raises(InputError, match="sizes"):
        CurvePlan(tasks=[], systems=[], sizes=sizes)
