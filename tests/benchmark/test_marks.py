"""The marks of answers made up for a test: measures, floors, differences, leaks, and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from deepmoji.benchmark.cells import Cell, CellKey
from deepmoji.benchmark.published import LEAK_FREE
from deepmoji.benchmark.report import curve_report, suite_report
from deepmoji.benchmark.standing import Marked, floor, leak_free_rows
from deepmoji.benchmark.tasks import load_tasks, published_sets
from deepmoji.errors import InputError
from scripts import transfer_figures
from tests.benchmark.conftest import LABELS, make_rows, make_suite, truth_of, write_set


def answered(task, test, validation=None, system="tfidf", **key):
    """A cell with these answers."""
    key = {"seed": 0, "data": task.digest, "model": None, "settings": {}} | key
    if validation is None:
        validation = task.problem.targets(task.validation, "validation")
    return Cell(
        key=CellKey(suite=task.suite, task=task.name, system=system, **key),
        validation=np.asarray(validation, np.float32),
        test=np.asarray(test, np.float32),
        seconds=2.5,
        machine="a machine",
        versions={"numpy": "2"},
        report={},
    )


@pytest.mark.parametrize("name", ["SE0714", "PsychExp", "SCv1", "SS-Twitter"])
def test_perfect_answers_get_everything(name, data, tmp_path):
    tasks = load_tasks("paper", data, [name])
    answered(tasks[0], truth_of(data, tasks[0])).save(tmp_path)
    entry = suite_report(tasks, tmp_path)["tasks"][name]["systems"]["tfidf"]
    assert {figure["mean"] for figure in entry["measures"].values()} == {1.0}
    assert entry["seconds"] == 2.5


def test_thresholds_are_chosen_on_the_cell_s_own_validation_answers(data):
    (task,) = load_tasks("paper", data, ["SE0714"])
    validation = task.problem.targets(task.validation, "validation")
    test = truth_of(data, task)
    # What holds gets 0.3 and what does not 0.1: right by a threshold between them, all wrong by
    # 0.5. Where validation says otherwise, the same test answers are marked otherwise.
    low = Marked.of(task, answered(task, 0.1 + 0.2 * test, 0.1 + 0.2 * validation))
    high = Marked.of(task, answered(task, 0.1 + 0.2 * test, 0.35 + 0.1 * validation))
    assert low.figures["class_average_f1"] == 1
    assert high.figures["class_average_f1"] == 0


def test_floor_does_not_look_at_the_test_split(tmp_path):
    rows = {"train": 30, "validation": 10, "test": 20}
    make_suite(tmp_path, rows=rows)
    (published,) = published_sets("paper", ["SS-Twitter"])
    columns = make_rows(published, 2, rows)
    # Mostly negative where it can be seen, all positive in the test split.
    seen = [[1]] * 5 + [[0]] * 35
    columns["label"] = seen + [[1]] * 20
    write_set(tmp_path, "paper", "SS-Twitter", columns)
    (task,) = load_tasks("paper", tmp_path, ["SS-Twitter"])
    assert floor(task).figures["accuracy"] == 0


def test_a_clear_difference_is_found_and_none_between_equals(data, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1"])
    truth = truth_of(data, tasks[0])
    answered(tasks[0], truth, system="chain-thaw").save(tmp_path)
    answered(tasks[0], truth, system="last").save(tmp_path)
    answered(tasks[0], 1 - truth, system="new").save(tmp_path)
    against = suite_report(tasks, tmp_path)["tasks"]["SCv1"]["compared"]["against"]
    assert against["last"] == {"difference": 0, "p": 1}
    assert against["new"]["difference"] == 1
    assert against["new"]["p"] < 0.01


def test_without_chain_thaw_nothing_is_compared(data, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1"])
    answered(tasks[0], truth_of(data, tasks[0])).save(tmp_path)
    assert suite_report(tasks, tmp_path)["tasks"]["SCv1"]["compared"] is None


def test_test_texts_that_stand_elsewhere_are_counted(tmp_path):
    rows = {"train": 30, "validation": 10, "test": 20}
    make_suite(tmp_path, rows=rows)
    (published,) = published_sets("paper", ["SCv1"])
    columns = make_rows(published, 2, rows)
    columns["text"][40] = f" {columns['text'][3]}"
    columns["text"][41] = columns["text"][35]
    write_set(tmp_path, "paper", "SCv1", columns)
    tasks = load_tasks("paper", tmp_path, ["SCv1"])
    answered(tasks[0], truth_of(tmp_path, tasks[0])).save(tmp_path / "out")
    texts = suite_report(tasks, tmp_path / "out")["tasks"]["SCv1"]["texts"]
    assert texts == {
        "train": 30, "validation": 10, "test": 20, "test_also_in_train_or_validation": 2,
    }  # fmt: skip


def test_no_average_without_all_tasks(data, tmp_path):
    tasks = load_tasks("paper", data)
    answered(tasks[0], truth_of(data, tasks[0])).save(tmp_path)
    report = suite_report(tasks, tmp_path)
    assert list(report["tasks"]) == ["SE0714"]
    assert report["averages"] == {}


def make_leaky(folder):
    """TweetEval's emoji set with the leak: each third test text, and all of one class."""
    make_suite(folder, "tweeteval")
    (published,) = published_sets("tweeteval", ["emoji"])
    columns = make_rows(published, len(LABELS["emoji"]))
    places = [row for row, split in enumerate(columns["split"]) if split == "test"]
    for row in places:
        if columns["label"][row] == [0]:
            columns["text"][row] += " \ufe0f"
    write_set(folder, "tweeteval", "emoji", columns)
    return load_tasks("tweeteval", folder, ["emoji"])


def test_emoji_stands_with_and_without_the_leak(tmp_path):
    tasks = make_leaky(tmp_path)
    truth = truth_of(tmp_path, tasks[0])
    kept = leak_free_rows(tasks[0])
    np.testing.assert_array_equal(kept, truth[:, 0] == 0)
    wrong = np.where(kept[:, None], np.roll(truth, 1, axis=1), truth)
    answered(tasks[0], wrong).save(tmp_path / "out")
    task = suite_report(tasks, tmp_path / "out")["tasks"]["emoji"]
    entry = task["systems"]["tfidf"]
    assert entry["measures"]["macro_f1"]["mean"] > 0.1
    assert entry[LEAK_FREE]["mean"] == 0
    assert task[LEAK_FREE]["rows"] == kept.sum()


def test_nobody_reads_the_leak(tmp_path):
    """Nor is an answer to the text with it taken for one to the text without."""
    (task,) = make_leaky(tmp_path)
    for split in (task.train, task.validation, task.test):
        assert not any("\ufe0f" in text for text in split.texts)
    assert task.digest != task.test.digest
    (other,) = load_tasks("tweeteval", tmp_path, ["emotion"])
    assert (other.digest, other.test.leaky) == (other.test.digest, frozenset())


def test_nothing_kept_is_said(data, tmp_path):
    tasks = load_tasks("paper", data)
    with pytest.raises(InputError, match=r"holds no answers.*benchmark run --suite paper"):
        suite_report(tasks, tmp_path)
    with pytest.raises(InputError, match=r"holds no answers.*benchmark curve"):
        curve_report(tasks, tmp_path)


def test_answers_to_other_data_are_refused(data, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1"])
    answered(tasks[0], truth_of(data, tasks[0]), data="other").save(tmp_path)
    with pytest.raises(InputError, match="to other data"):
        suite_report(tasks, tmp_path)


def test_answers_of_different_making_are_not_averaged(data, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1"])
    cell = answered(tasks[0], truth_of(data, tasks[0]))
    cell.save(tmp_path / "a")
    replace(cell, key=replace(cell.key, seed=1, settings={"C": 2})).save(tmp_path / "a")
    with pytest.raises(InputError, match="tfidf to SCv1 were made with other settings"):
        suite_report(tasks, tmp_path / "a")
    for seed in (0, 1):
        replace(cell, key=replace(cell.key, seed=seed, model=f"m{seed}")).save(tmp_path / "b")
    with pytest.raises(InputError, match="2 different base models"):
        suite_report(tasks, tmp_path / "b")


# What people read.


def test_readme_marks_the_best_and_what_is_no_chance(data, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1"])
    truth = truth_of(data, tasks[0])
    for system, test in (("chain-thaw", truth), ("tfidf", 1 - truth)):
        answered(tasks[0], test, system=system).save(tmp_path)
    text = transfer_figures.paper_table({"benchmark-paper": suite_report(tasks, tmp_path)})
    assert "| 0.0* | **100.0** |" in text


def test_readme_shows_the_leak(tmp_path):
    tasks = make_leaky(tmp_path)
    answered(tasks[0], truth_of(tmp_path, tasks[0])).save(tmp_path / "out")
    results = {"benchmark-tweeteval": suite_report(tasks, tmp_path / "out")}
    text = transfer_figures.tweeteval_table(results)
    assert "| emoji, 13 rows without U+FE0F | macro-F1 | " in text
    assert "get 31.6 on all rows and 25.1 on those without" in text
