from statistics import fmean

import pytest

from deepmoji.benchmark.published import (
    GROUPS,
    LEAK_FREE,
    NOT_PUBLIC,
    published,
    published_averages,
)
from deepmoji.benchmark.suites import SUITES
from deepmoji.benchmark.wording import published_percent
from deepmoji.evaluation.measures import MEASURES

EVERY = [
    (suite, each)
    for suite, sets in SUITES.items()
    for name in (*(each.name for each in sets), *NOT_PUBLIC[suite])
    for each in published(suite, name)
]


def values(suite, task):
    return {each.system: published_percent(each.to_dict()) for each in published(suite, task)}


@pytest.mark.parametrize(("suite", "each"), EVERY, ids=lambda value: getattr(value, "task", value))
def test_each_says_what_it_is_and_where_it_is_from(suite, each):
    assert 0 < each.value < 1
    assert each.measure in MEASURES
    assert each.split
    assert each.source


def test_paper_s_table():
    assert values("paper", "SE0714")["chain-thaw"] == "37"
    assert values("paper", "SE1604") == {
        "earlier best": "51", "new": "51", "full": "54", "last": "58", "chain-thaw": "58",
    }  # fmt: skip
    psychexp = values("paper", "PsychExp")
    assert (psychexp["last"], psychexp["InfoDCL-RoBERTa"]) == ("56", "68.4")
    assert published("paper", "kaggle-insults") == []


def test_splits_other_than_the_public_one_are_named():
    own = {each.task: each.split for _, each in EVERY if each.system == "chain-thaw"}
    fewer = [task for task, split in own.items() if "100 test texts fewer" in split]
    assert fewer == ["SS-Twitter", "SS-Youtube", "SCv1", "SCv2-GEN"]
    assert [task for task, split in own.items() if split == "public"] == ["SE0714", "PsychExp"]


def test_tweeteval_s_leaderboard_agrees_with_its_averages():
    tasks = ("emoji", "emotion", "hate", "irony", "offensive", "sentiment", "stance-hillary")
    found = {}
    for task in tasks:
        for each in published("tweeteval", task):
            found.setdefault(each.system, []).append(each.value)
    averages = published_averages("tweeteval")
    # Those of both RoBERTas are not the means of their rows, as published.
    for system in ("BERTweet", "TimeLMs-2021", "fastText", "LSTM", "SVM"):
        assert fmean(found[system]) == pytest.approx(averages[system], abs=0.0015)
    assert averages["LSTM"] == 0.565
    assert averages["fastText"] == 0.581


def test_measures_are_those_of_the_suite():
    for each in SUITES["tweeteval"]:
        assert {other.measure for other in published("tweeteval", each.name)} == {each.measure}


def test_a_group_has_one_figure_for_all_its_tasks():
    assert set(GROUPS.values()) == {"stance"}
    assert published("tweeteval", "stance-climate") == published("tweeteval", "stance")


def test_emoji_stands_with_and_without_its_leak():
    found = {
        each.split: each.value
        for each in published("tweeteval", "emoji")
        if "one run" in each.system
    }
    assert found == {"public": 0.3155, LEAK_FREE: 0.251}


def test_paper_s_averages_are_over_the_public_sets():
    figures = [0.37, 0.61, 0.57, 0.88, 0.93, 0.69, 0.75]
    assert published_averages("paper")["chain-thaw"] == pytest.approx(fmean(figures), abs=1e-4)
