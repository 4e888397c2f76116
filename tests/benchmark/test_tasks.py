import ast
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.benchmark.cells import Cell
from deepmoji.benchmark.job import Job
from deepmoji.benchmark.marks import truth_of_test
from deepmoji.benchmark.suites import SUITES, default_data
from deepmoji.benchmark.tasks import load_tasks
from deepmoji.errors import InputError
from tests.benchmark.conftest import make_rows, make_suite, write_set
from tests.benchmark.fakes import Fake
from tests.source_tree import read_package


def published(name):
    return next(each for sets in SUITES.values() for each in sets if each.name == name)


def test_tasks_of_both_suites(data):
    from deepmoji.evaluation.measures import MEASURES

    paper, tweeteval = load_tasks("paper", data), load_tasks("tweeteval", data)
    assert [len(paper), len(tweeteval)] == [8, 11]
    assert {task.measure for task in paper + tweeteval} <= set(MEASURES)
    kinds = {task.name: task.problem.kind for task in paper + tweeteval}
    assert [name for name, kind in kinds.items() if kind == "multi"] == ["SE0714", "Olympic"]
    assert kinds["PsychExp"] == kinds["stance-climate"] == "single"
    assert kinds["SCv1"] == kinds["irony"] == "binary"


def test_classes_keep_the_order_of_their_indices(data):
    (task,) = load_tasks("paper", data, ["PsychExp"])
    assert task.problem.classes[:2] == ("joy", "fear")
    # Text number n of the small set holds class n modulo 7, and says so.
    targets = task.problem.targets(task.train, "train")
    assert [f"sign{each}" for each in targets.argmax(1)] == [
        text.split()[0] for text in task.train.texts
    ]
    (task,) = load_tasks("tweeteval", data, ["stance-atheism"])
    assert task.problem.classes == ("none", "against", "favor")


def test_sentiment_is_divided_and_says_so(data):
    (task,) = load_tasks("tweeteval", data, ["sentiment"])
    assert len(task.train) + len(task.validation) == 12
    assert len(task.validation) >= 1
    assert "published validation split is divided" in task.note
    assert (load_tasks("tweeteval", data, ["sentiment"])[0]).validation == task.validation


def test_test_texts_seen_before_are_counted(tmp_path):
    columns = make_rows(published("SCv1"), 2)
    columns["text"][-1] = f" {columns['text'][0]}"
    write_set(tmp_path, "paper", "SCv1", columns)
    (task,) = load_tasks("paper", tmp_path, ["SCv1"])
    assert task.note.split("; ") == [
        "its train split has 40 texts, the published one 800",
        "its validation split has 12 texts, the published one 100",
        "its test split has 20 texts, the published one 1,095",
        "1 of 20 test texts stand in train or validation too",
    ]


def test_digest_names_the_content(tmp_path):
    columns = make_rows(published("SCv1"), 2)

    def digest():
        write_set(tmp_path, "paper", "SCv1", columns)
        (task,) = load_tasks("paper", tmp_path, ["SCv1"])
        return task.digest

    first = digest()
    assert digest() == first
    columns["label"][-1] = [1 - columns["label"][-1][0]]  # of the test split
    second = digest()
    columns["text"][0] += "!"
    assert len({first, second, digest()}) == 3


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda columns: columns["label"].__setitem__(4, [2]), ["row 5", "[2]", "from 0 to 1"]),
        (lambda columns: columns["label"].__setitem__(4, []), ["row 5", "exactly one"]),
        (lambda columns: columns["label"].__setitem__(4, [1, 0]), ["row 5", "exactly one"]),
        (lambda columns: columns["label"].__setitem__(4, None), ["row 5", "None"]),
        (lambda columns: columns["text"].__setitem__(4, None), ["row 5", "text", "None"]),
        (lambda columns: columns["split"].__setitem__(4, "dev"), ["row 5", "'dev'", "validation"]),
        (
            lambda columns: columns["split"].__setitem__(slice(None), ["train"] * 72),
            ["no row", "'validation'"],
        ),
    ],
)
def test_malformed_file_is_told(change, parts, tmp_path):
    columns = make_rows(published("SCv1"), 2)
    change(columns)
    path = write_set(tmp_path, "paper", "SCv1", columns)
    with pytest.raises(InputError) as error:
        load_tasks("paper", tmp_path, ["SCv1"])
    assert [
        part for part in [str(path), "docs/benchmark.md", *parts] if part not in str(error.value)
    ] == []


def test_missing_parts_are_told(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*SCv1"):
        load_tasks("paper", tmp_path, ["SCv1"])
    with pytest.raises(InputError, match=r"labels\.json"):
        load_tasks("tweeteval", tmp_path, ["irony"])
    with pytest.raises(InputError, match="no task 'SCv2'; it has SE0714"):
        load_tasks("paper", tmp_path, ["SCv2"])
    make_suite(tmp_path)
    path = tmp_path / "paper" / "SCv1.parquet"
    pq.write_table(pa.table({"text": ["a"], "split": ["test"]}), path)
    with pytest.raises(InputError, match="lacks the column 'label'; it has text, split"):
        load_tasks("paper", tmp_path, ["SCv1"])
    path.write_text("text,label", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        load_tasks("paper", tmp_path, ["SCv1"])


def test_a_label_may_be_a_plain_number(tmp_path):
    columns = make_rows(published("SCv1"), 2)
    write_set(tmp_path, "paper", "SCv1", columns)
    listed = load_tasks("paper", tmp_path, ["SCv1"])
    columns["label"] = [label[0] for label in columns["label"]]
    pq.write_table(pa.table(columns), tmp_path / "paper" / "SCv1.parquet")
    assert load_tasks("paper", tmp_path, ["SCv1"]) == listed


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPMOJI_SHARED", str(tmp_path))
    assert default_data() == tmp_path / "benchmarks"
    monkeypatch.delenv("DEEPMOJI_SHARED")
    assert str(default_data()) == "benchmarks-data"


def test_truth_is_given_for_finished_answers_to_this_paper_alone(tasks, data, base, tmp_path):
    task = next(task for task in tasks if task.name == "SCv1")
    cell = Job.of(task, Fake(), seed=0, base=base).compute()
    assert truth_of_test(task, cell).tolist() == [[1, 0], [0, 1]] * 10
    with pytest.raises(InputError, match="other data"):
        truth_of_test(next(each for each in tasks if each.name == "SE0714"), cell)
    short = Cell(**{**vars(cell), "test": cell.test[:3]})
    with pytest.raises(InputError, match=r"shape \(3, 2\), expected \(20, 2\)"):
        truth_of_test(task, short)


def test_truth_is_not_taken_from_a_file_that_has_changed(base, tmp_path):
    columns = make_rows(published("SCv1"), 2)
    write_set(tmp_path, "paper", "SCv1", columns)
    (task,) = load_tasks("paper", tmp_path, ["SCv1"])
    cell = Job.of(task, Fake(), seed=0, base=base).compute()
    columns["label"][-1] = [0]
    write_set(tmp_path, "paper", "SCv1", columns)
    with pytest.raises(InputError, match="has changed"):
        truth_of_test(task, cell)


# Nothing can be chosen on a test split.


def relabelled(columns, change):
    """The same file with its test split changed by ``change(text, label)``; None removes a row."""
    made = {"text": [], "label": [], "split": []}
    for text, label, split in zip(*columns.values(), strict=True):
        row = (text, label) if split != "test" else change(text, label)
        if row is not None:
            for name, value in zip(made, (*row, split), strict=True):
                made[name].append(value)
    return made


TAMPERINGS = {
    "labels swapped": lambda text, label: (text, [1 - label[0]]),
    "labels all one": lambda text, label: (text, [0]),
    "texts replaced": lambda text, label: (text[::-1], label),
    "texts removed": lambda text, label: None if "test1" in text else (text, label),
}


@pytest.mark.parametrize("change", TAMPERINGS.values(), ids=TAMPERINGS)
@pytest.mark.parametrize("system", ["fake", "constant", "tfidf"])
def test_fitted_answers_do_not_depend_on_the_test_split(system, change, base, tmp_path):
    from deepmoji.benchmark.systems import SYSTEMS

    columns = make_rows(published("SCv1"), 2)
    probe = [*columns["text"], "something else", ""]
    answers = []
    for folder, content in (("a", columns), ("b", relabelled(columns, change))):
        write_set(tmp_path / folder, "paper", "SCv1", content)
        (task,) = load_tasks("paper", tmp_path / folder, ["SCv1"])
        chosen = Fake() if system == "fake" else SYSTEMS[system]
        fitted = chosen.fit(
            task.problem,
            task.train,
            task.validation,
            base=base.folder,
            seed=0,
            measure=task.measure,
        )
        answers.append((fitted.scores(probe), task.digest))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    assert answers[0][1] != answers[1][1]


def test_a_task_holds_no_answer_to_its_test(tmp_path):
    """What a worker is sent does not change, but for names of the file, with the answers."""
    columns = make_rows(published("SCv1"), 2)
    sent = []
    for change in (lambda text, label: (text, label), TAMPERINGS["labels swapped"]):
        write_set(tmp_path, "paper", "SCv1", relabelled(columns, change))
        (task,) = load_tasks("paper", tmp_path, ["SCv1"])
        sent.append(pickle.dumps(task).replace(task.digest.encode(), b""))
    assert sent[0] == sent[1]


def test_fit_is_given_no_test(tasks, base):
    seen = {}

    class Spy(Fake):
        def fit(self, *arguments, **options):
            seen.update(dict(enumerate(arguments)) | options)
            return super().fit(*arguments, **options)

    task = tasks[0]
    Job.of(task, Spy(), seed=3, base=base).compute()
    assert seen == {
        0: task.problem,
        1: task.train,
        2: task.validation,
        "base": base.folder,
        "seed": 3,
        "measure": task.measure,
    }


def test_only_tasks_and_marks_read_whole_files_and_only_reports_read_marks():
    """Who could come by the truth of a test split, on the syntax tree."""
    readers = {"deepmoji.benchmark.layout": set(), "deepmoji.benchmark.marks": set()}
    for module in read_package().values():
        for node in ast.walk(module.tree):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if name in readers:
                    readers[name].add(module.name)
    assert readers["deepmoji.benchmark.layout"] == {
        "deepmoji.benchmark.tasks",
        "deepmoji.benchmark.marks",
    }
    fitting = ("systems", "system", "job", "runner", "worker", "curve", "tasks", "cells")
    assert not any(name.split(".")[2] in fitting for name in readers["deepmoji.benchmark.marks"])


# The real sets.


def test_published_sets_are_as_documented(shared):
    tasks = {task.name: task for task in load_tasks("paper", shared / "benchmarks")}
    assert {name for name, task in tasks.items() if task.note} == {
        "PsychExp",
        "SS-Youtube",
        "kaggle-insults",
    }
    assert tasks["SS-Youtube"].note == "11 of 1,242 test texts stand in train or validation too"
    names = ["irony", "sentiment", "stance-climate"]
    tasks = {task.name: task for task in load_tasks("tweeteval", shared / "benchmarks", names)}
    assert tasks["irony"].problem.classes == ("non_irony", "irony")
    assert (len(tasks["sentiment"].train), len(tasks["sentiment"].validation)) == (1800, 200)
    assert "published one" not in "".join(task.note for task in tasks.values())
