"""Reports of whole suites and of a curve: figures, what is taken over, and what people read."""

import json

import numpy as np
import pytest
from rich.console import Console

from deepmoji.benchmark import systems
from deepmoji.benchmark.cells import Cell
from deepmoji.benchmark.curve import CurvePlan
from deepmoji.benchmark.earlier import left_out
from deepmoji.benchmark.job import Base, plan
from deepmoji.benchmark.published import LEAK_FREE
from deepmoji.benchmark.report import curve_report, suite_report, tables
from deepmoji.benchmark.tasks import load_tasks
from deepmoji.errors import InputError
from deepmoji.evaluation.measures import best_thresholds, measure
from scripts import readme, transfer_figures
from tests.benchmark.conftest import truth_of
from tests.benchmark.fakes import Fake

FAKES = (
    Fake(name="tfidf", deterministic=True),
    Fake(name="new"),
    Fake(name="chain-thaw", uses_base=True),
)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """These systems are those that there are; figures of others would be of unknown settings."""
    every = (*FAKES, Fake(name="last", uses_base=True), Fake(name="constant"))
    monkeypatch.setattr(systems, "SYSTEMS", {fake.name: fake for fake in every})


def compute(jobs, out):
    for job in jobs:
        job.compute().save(out)


@pytest.fixture(scope="module")
def out(data, base, tmp_path_factory):
    """Answers of three systems, drawn by chance, to both suites and to a learning curve."""
    folder = tmp_path_factory.mktemp("out")
    for suite in ("paper", "tweeteval"):
        compute(plan(load_tasks(suite, data), FAKES, seeds=2, base=base), folder)
    curve = CurvePlan(tasks=load_tasks("paper", data, ["SCv1"]), systems=FAKES, sizes=(10, "all"))
    compute(curve.jobs(base), folder)
    return folder


@pytest.fixture(scope="module")
def paper(data, out):
    return suite_report(load_tasks("paper", data), out)


@pytest.fixture(scope="module")
def tweeteval(data, out):
    return suite_report(load_tasks("tweeteval", data), out)


@pytest.fixture(scope="module")
def curve(data, out):
    return curve_report(load_tasks("paper", data, ["SCv1", "PsychExp"]), out)


def test_every_measure_is_computed_from_the_stored_answers(data, out, paper):
    (task,) = load_tasks("paper", data, ["PsychExp"])
    cells = [Cell.load(out / "paper/PsychExp/new" / f"seed-{seed}") for seed in (0, 1)]
    truth = truth_of(data, task)
    validation = task.problem.targets(task.validation, "validation")
    entry = paper["tasks"]["PsychExp"]["systems"]["new"]
    for name in ("accuracy", "macro_f1", "class_average_f1", "macro_recall"):
        values = [
            measure(name, truth, each.test, "single", best_thresholds(validation, each.validation))
            for each in cells
        ]
        found = entry["measures"][name]
        assert found["mean"] == pytest.approx(np.mean(values), abs=1e-5)
        assert found["deviation"] == pytest.approx(np.std(values, ddof=1), abs=1e-5)
    assert entry["seeds"] == [0, 1]
    assert np.mean(entry["by_seed"]) == pytest.approx(
        entry["measures"]["class_average_f1"]["mean"], abs=1e-5
    )


def test_one_run_has_no_deviation(paper):
    entry = paper["tasks"]["SCv1"]["systems"]["tfidf"]
    assert entry["seeds"] == [0]
    assert {figure["deviation"] for figure in entry["measures"].values()} == {None}


def test_floors_are_computed_and_need_no_answers(data, paper):
    for task in load_tasks("paper", data):
        found = paper["tasks"][task.name]
        truth = truth_of(data, task)
        shares = truth.mean(axis=0, dtype=np.float64)
        always = np.mean(2 * shares / (1 + shares))  # F1 of always saying yes
        if task.measure == "class_average_f1" and task.problem.kind != "binary":
            assert found["floor"] == pytest.approx(always, abs=1e-5)
        if task.measure == "class_average_f1" and task.problem.kind == "binary":
            assert found["floor"] == pytest.approx(2 * shares[1] / (1 + shares[1]), abs=1e-5)
        if task.problem.kind != "multi":
            assert found["floors"]["accuracy"] in np.round(shares, 5).tolist()


def test_chain_thaw_is_tested_against_every_other_system(paper):
    compared = paper["tasks"]["SCv1"]["compared"]
    assert compared["system"] == "chain-thaw"
    assert list(compared["against"]) == ["tfidf", "new"]
    task = paper["tasks"]["SCv1"]
    first = task["systems"]["chain-thaw"]["by_seed"][0]
    for name, tested in compared["against"].items():
        other = task["systems"][name]["by_seed"][0]
        assert tested["difference"] == pytest.approx(first - other, abs=2e-5)
        assert 0 < tested["p"] <= 1


def test_published_figures_stand_beside_ours_with_their_split(paper):
    found = {each["system"]: each for each in paper["tasks"]["SS-Twitter"]["published"]}
    assert found["chain-thaw"]["value"] == 0.88
    assert "100 test texts fewer" in found["chain-thaw"]["split"]
    (name,) = paper["not_public"]
    assert name == "SE1604"


def test_averages_count_stance_once_and_leave_kaggle_insults_out(paper, tweeteval):
    tasks = tweeteval["tasks"]

    def official(name):
        entry = tasks[name]
        return entry["systems"]["new"]["measures"][entry["measure"]]["mean"]

    stance = [name for name in tasks if name.startswith("stance-")]
    assert len(stance) == 5
    mean = np.mean([official(name) for name in stance])
    assert tweeteval["groups"]["stance"]["systems"]["new"]["mean"] == pytest.approx(mean, abs=1e-5)
    others = [official(name) for name in tasks if name not in stance]
    average = tweeteval["averages"]["systems"]["new"]
    assert average["mean"] == pytest.approx(np.mean([*others, mean]), abs=1e-5)
    assert average["deviation"] > 0
    assert tweeteval["averages"]["systems"]["tfidf"]["deviation"] is None
    assert tweeteval["published_averages"]["LSTM"] == 0.565
    assert "kaggle-insults" in paper["tasks"]
    assert "kaggle-insults" not in paper["averages"]["tasks"]


def test_sets_without_a_leak_have_no_second_figure(tweeteval):
    assert [name for name, task in tweeteval["tasks"].items() if LEAK_FREE in task] == []


def test_curve_has_a_point_for_each_size(curve):
    assert list(curve["tasks"]) == ["SCv1"]
    systems = curve["tasks"]["SCv1"]["systems"]
    assert list(systems) == ["tfidf", "new", "chain-thaw"]
    points = {point["size"]: point for point in systems["new"]}
    assert {size: point["texts"] for size, point in points.items()} == {10: 10, "all": 40}
    assert [len(point["seeds"]) for point in points.values()] == [5, 5]
    assert [len(point["seeds"]) for point in systems["tfidf"]] == [5, 1]
    assert curve["tasks"]["SCv1"]["floors"]["accuracy"] == 0.5


def test_reports_are_plain_json(paper, tweeteval, curve):
    for report in (paper, tweeteval, curve):
        assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_figures_whose_answers_are_gone_are_taken_over(data, base, paper, tmp_path):
    task = load_tasks("paper", data, ["SCv1"])[0]
    tasks = load_tasks("paper", data)
    compute(plan([task], [Fake(name="tfidf", deterministic=True)], seeds=1, base=base), tmp_path)
    before = json.loads(json.dumps(paper))
    before["tasks"]["SCv1"]["systems"]["new"]["by_seed"] = [0.25, 0.75]
    before["tasks"]["SCv1"]["systems"]["tfidf"]["by_seed"] = [0.25]
    after = suite_report(tasks, tmp_path, before)
    found = after["tasks"]["SCv1"]["systems"]
    assert list(found) == list(paper["tasks"]["SCv1"]["systems"])
    assert found["new"]["by_seed"] == [0.25, 0.75]
    assert found["tfidf"] == paper["tasks"]["SCv1"]["systems"]["tfidf"]  # marked anew
    assert after["taken_over"]["SCv1"] == ["chain-thaw", "new"]
    assert set(after["tasks"]["SCv1"]["compared"]["against"]) == {"new"}
    assert after["tasks"]["PsychExp"] == before["tasks"]["PsychExp"]
    averages = after["averages"]["systems"]
    assert averages["tfidf"] == paper["averages"]["systems"]["tfidf"]
    assert averages["new"] != paper["averages"]["systems"]["new"]


def test_seeds_whose_answers_are_gone_are_taken_over(data, base, paper, tmp_path):
    """They count together with those that are there, in every measure."""
    task = load_tasks("paper", data, ["SCv1"])[0]
    jobs = plan([task], [Fake(name="new")], seeds=2, base=base)
    compute([job for job in jobs if job.key.seed == 1], tmp_path)
    before = json.loads(json.dumps(paper))
    expected = before["tasks"]["SCv1"]["systems"]["new"]
    expected["seconds_by_seed"] = [10.0, 0.0, 10.0, 10.0, 100.0]
    expected["seconds"] = 26.0
    for _ in range(2):  # figures that were taken over once are the same the next time
        before = suite_report([task], tmp_path, before)
        entry = before["tasks"]["SCv1"]["systems"]["new"]
        assert entry == expected
    assert entry["seeds"] == [0, 1, 2, 3, 4]
    assert len(entry["measures"]["accuracy"]["by_seed"]) == 5

    changed = json.loads(json.dumps(paper))
    changed["tasks"]["SCv1"]["systems"]["new"]["settings"] = "other"
    report = suite_report([task], tmp_path, changed)
    assert report["tasks"]["SCv1"]["systems"]["new"]["seeds"] == [1]
    assert report["taken_over"] == {"SCv1": ["chain-thaw", "tfidf"]}
    assert left_out(changed, report)["SCv1"] == {"new": [0, 2, 3, 4]}
    unmeasured = json.loads(json.dumps(paper))
    unmeasured["tasks"]["SCv1"]["systems"]["new"]["measures"].pop("macro_f1")
    report = suite_report([task], tmp_path, unmeasured)
    assert report["tasks"]["SCv1"]["systems"]["new"]["seeds"] == [1]
    report = suite_report([task], tmp_path, paper)
    assert report["taken_over"] == {"SCv1": ["chain-thaw", "new", "tfidf"]}
    assert "SCv1" not in left_out(paper, report)
    assert left_out(paper, report)["PsychExp"] == {
        "chain-thaw": [0, 1],
        "new": [0, 1],
        "tfidf": [0],
    }


@pytest.mark.parametrize(
    ("fitted", "settings", "tested"),
    [
        (("new", 1), "same", {"new", "tfidf"}),  # seed 0, which was tested, is gone on both sides
        (("new", 0), "same", {"tfidf"}),  # new answers cannot be tested against what is gone
        (("chain-thaw", 1), "same", {"new", "tfidf"}),
        (("chain-thaw", 1), "other", None),  # what was tested no longer counts
    ],
)
def test_tests_are_taken_over_with_what_was_tested(
    data, base, paper, tmp_path, fitted, settings, tested
):
    task = load_tasks("paper", data, ["SCv1"])[0]
    name, seed = fitted
    jobs = plan([task], [next(fake for fake in FAKES if fake.name == name)], seeds=2, base=base)
    compute([job for job in jobs if job.key.seed == seed], tmp_path)
    before = json.loads(json.dumps(paper))
    if settings == "other":
        before["tasks"]["SCv1"]["systems"][name]["settings"] = settings
    found = suite_report([task], tmp_path, before)["tasks"]["SCv1"]["compared"]
    assert (found and set(found["against"])) == tested


def test_figures_that_need_no_model_outlive_it(data, base, paper, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1", "PsychExp"])
    fit = [task for task in tasks if task.name == "SCv1"]
    compute(plan(fit, [Fake(name="last", uses_base=True)], seeds=1, base=base), tmp_path)
    before = json.loads(json.dumps(paper)) | {"base": "another"}
    for task in before["tasks"].values():
        task["systems"]["constant"] = task["systems"].pop("tfidf")
        del task["systems"]["new"]
    after = suite_report(tasks, tmp_path, before)
    found = {name: list(report["systems"]) for name, report in after["tasks"].items()}
    assert found == {"SCv1": ["constant", "last"], "PsychExp": ["constant"]}
    assert after["base"] == base.digest
    assert after["taken_over"] == {name: ["constant"] for name in found}
    assert all(report["compared"] is None for report in after["tasks"].values())


@pytest.mark.parametrize("other", ["suite", "texts", "data"])
def test_figures_of_other_data_are_not_taken_over(data, base, paper, tmp_path, other):
    tasks = load_tasks("paper", data, ["SCv1"])
    compute(plan(tasks, [Fake(name="chain-thaw", uses_base=True)], seeds=1, base=base), tmp_path)
    before = json.loads(json.dumps(paper))
    if other == "texts":
        before["tasks"]["SCv1"]["texts"]["train"] += 1
    elif other == "data":  # as many texts, of the same classes, but others
        before["tasks"]["SCv1"]["data"] = "0" * 64
    else:
        before[other] = "another"
    after = suite_report(tasks, tmp_path, before)
    assert list(after["tasks"]["SCv1"]["systems"]) == ["chain-thaw"]
    assert after["taken_over"] == {}
    same = suite_report(tasks, tmp_path, paper)
    assert same["taken_over"] == {"SCv1": ["chain-thaw", "new", "tfidf"]}


@pytest.mark.parametrize("settings", ["other", None])
def test_figures_of_other_settings_are_not_taken_over(data, base, paper, tmp_path, settings):
    """Nor those that do not say of which: no reader could tell them from today's."""
    tasks = load_tasks("paper", data, ["SCv1"])
    compute(plan(tasks, [Fake(name="last", uses_base=True)], seeds=1, base=base), tmp_path)
    before = json.loads(json.dumps(paper))
    entry = before["tasks"]["SCv1"]["systems"]["tfidf"]
    entry["settings"] = settings
    if settings is None:
        del entry["settings"]
    after = suite_report(tasks, tmp_path, before)
    assert after["taken_over"] == {"SCv1": ["chain-thaw", "new"]}
    assert left_out(before, after)["SCv1"] == {"tfidf": [0]}
    assert set(after["tasks"]["SCv1"]["compared"]["against"]) == {"new"}


def test_a_curve_is_of_one_making(data, base, tmp_path):
    tasks = load_tasks("paper", data, ["SCv1"])
    for size, settings in ((10, {"v": 1}), ("all", {"v": 2})):
        fake = Fake(name="tfidf", settings=settings)
        compute(CurvePlan(tasks=tasks, systems=[fake], sizes=(size,)).jobs(base), tmp_path)
    with pytest.raises(InputError, match="other settings"):
        curve_report(tasks, tmp_path)


# What people read.


def printed(report):
    console = Console(width=80)
    with console.capture() as capture:
        for table in tables(report):
            console.print(table)
    return capture.get()


def test_terminal_tables_fit_and_hold_floor_and_published(paper, tweeteval, curve):
    shown = printed(paper)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    block = shown[shown.index("SS-Twitter: accuracy, 20 test texts") :]
    lines = block[: block.index("The floor is")].splitlines()
    floor = f"{100 * paper['tasks']['SS-Twitter']['floor']:.1f}"
    for system in ("tfidf", "new", "chain-thaw"):
        (line,) = (line for line in lines if line.split()[:1] == [system])
        assert floor in line
    assert "SE1604: published; its texts are not public" in shown
    assert "…" not in printed(tweeteval)
    assert "accuracy by the number of training texts" in " ".join(printed(curve).split())


def test_readme_tables(paper, tweeteval, curve, tmp_path):
    results = {
        "benchmark-paper": paper,
        "benchmark-tweeteval": tweeteval,
        "benchmark-curve": curve,
    }
    made = {
        "paper": transfer_figures.paper_table(results),
        "tweeteval": transfer_figures.tweeteval_table(results),
        "curve": transfer_figures.curve_table(results),
    }
    for text in made.values():
        assert widths(text)
        assert all(len(set(each)) == 1 for each in widths(text))
    for name, task in paper["tasks"].items():
        assert f"| {name} | " in made["paper"]
        assert f"| {100 * task['floor']:.1f} |" in made["paper"]
    assert "| SE1604 | accuracy | – | – | – | 58 |" in made["paper"]
    assert "100 test texts fewer than the public one" in made["paper"]
    assert " / 37 |" in made["paper"]
    assert "stance, mean of 5" in made["tweeteval"]
    assert "| 58.1 | 56.5 | 67.9 |" in made["tweeteval"]
    assert "its train split is not in the file" in made["tweeteval"]
    assert "| SCv1 | 50.0 | TF-IDF | " in made["curve"]


@pytest.mark.parametrize("suite", ["paper", "tweeteval", "curve"])
def test_readme_says_which_model_was_measured(suite, request):
    report, part = request.getfixturevalue(suite), PARTS[suite]
    page, blocks = f"<!-- generated: {part} -->\n<!-- end -->", {part: readme.BLOCKS[part]}
    for base, is_said in ((None, False), (Base.of(None).digest, False), ("0" * 64, True)):
        results = {f"benchmark-{suite}": report | {"base": base}}
        assert (readme.EARLIER in readme.render(page, results, blocks)) == is_said


def test_readme_marks_what_differs_and_what_was_not_tested(paper):
    report = json.loads(json.dumps(paper))
    against = {"tfidf": {"difference": 0.1, "p": 0.001}, "new": {"difference": 0.1, "p": 0.5}}
    for task in report["tasks"].values():
        task["compared"]["against"] = against
        task["systems"]["last"] = task["systems"]["new"]
    lines = transfer_figures.paper_table({"benchmark-paper": report}).splitlines()
    cells = [each.strip() for each in next(x for x in lines if x.startswith("| SCv1")).split("|")]
    header = [each.strip() for each in next(x for x in lines if x.startswith("| set")).split("|")]
    shown = dict(zip(header, cells, strict=True))
    assert [shown[name][-1] for name in ("TF-IDF", "last")] == ["*", "°"]
    assert not set("*°") & set(shown["chain-thaw"].replace("**", ""))
    assert "`*` differs from chain-thaw" in lines[0]
    assert "`°` was not tested" in lines[0]
    for task in report["tasks"].values():
        del task["systems"]["chain-thaw"]
        task["compared"] = None
    assert "`" not in transfer_figures.paper_table({"benchmark-paper": report}).splitlines()[0]


def test_seconds_are_of_the_same_sets_for_all(paper):
    """A system that lacks a large set would look fast."""
    report = json.loads(json.dumps(paper))
    for name, task in report["tasks"].items():
        for entry in task["systems"].values():
            entry["seconds"] = 1000.0 if name == "kaggle-insults" else 1.0
    del report["tasks"]["kaggle-insults"]["systems"]["chain-thaw"]
    report["tasks"]["SCv1"]["systems"]["vader"] = report["tasks"]["SCv1"]["systems"]["tfidf"]
    lines = transfer_figures.paper_table({"benchmark-paper": report}).splitlines()
    row = next(line for line in lines if line.startswith("| seconds a set (mean of 7)"))
    assert [cell.strip() for cell in row.split("|")[4:-2]] == ["–", "1", "1"]


PARTS = {"paper": "transfer", "tweeteval": "tweeteval", "curve": "curve"}


def widths(text):
    """The numbers of cells of each table's rows."""
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    return [[line.count("|") for line in block.splitlines()] for block in blocks]
