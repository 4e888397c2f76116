import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from deepmoji.benchmark import systems
from deepmoji.benchmark.suites import SUITES
from deepmoji.benchmark.tasks import load_task, load_tasks
from deepmoji.cli import app
from deepmoji.cli.benchmark import METHODS
from deepmoji.cli.cells import CellBar, CellLines
from tests.benchmark.conftest import ROWS, make_suite
from tests.benchmark.fakes import Fake, Raises
from tests.helpers.signals import gone, heed_interrupts
from tests.source_tree import ROOT

PAGE = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")


def call(*arguments):
    return CliRunner().invoke(app, ["benchmark", *map(str, arguments)])


@pytest.fixture
def fakes(monkeypatch):
    fakes = {"quick": Fake(name="quick", deterministic=True), "slow": Fake(name="slow")}
    monkeypatch.setattr(systems, "SYSTEMS", fakes)
    return fakes


@pytest.fixture
def options(data, base, tmp_path):
    place = ["--data", data, "--out", tmp_path / "out"]
    return [*place, "--base", base.folder, "--processes", "1"]


def test_help_names_all_sets_and_methods():
    assert tuple(systems.SYSTEMS) == METHODS
    shown = call("run", "--help").stdout
    for name in (*METHODS, *(each.name for sets in SUITES.values() for each in sets)):
        assert name in shown


def test_seeds_from_another_on(fakes, options, tmp_path):
    seeds = ["--first-seed", 3, "--seeds", 2]
    ran = call("run", "--suite", "paper", "--tasks", "SCv1", *seeds, *options)
    assert ran.exit_code == 0
    made = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.npz")}
    assert made == {f"paper/SCv1/slow/seed-{seed}.npz" for seed in (3, 4)}  # quick knows no chance


def test_figures_that_no_longer_count_are_told(fakes, options, tmp_path):
    run = ["run", "--suite", "paper", "--tasks", "SCv1", *options]
    where = options[:4]
    results = tmp_path / "results.json"
    report = ["report", "--suite", "paper", "--results", results, *where]
    assert call(*run, "--seeds", 2).exit_code == 0
    assert "no longer count" not in call(*report).stderr
    for path in (tmp_path / "out/paper/SCv1/slow").glob("seed-0.*"):
        path.unlink()
    again = call(*report)
    assert f"SCv1: with figures of {results}: slow" in again.stderr
    told = json.loads(results.read_text("utf-8"))
    told["tasks"]["SCv1"]["systems"]["slow"]["settings"] = "other"
    results.write_text(json.dumps(told), encoding="utf-8")
    lost = call(*report)
    assert "no longer count, by seed: slow 0" in lost.stderr


def test_run_and_go_on(fakes, options, tmp_path):
    arguments = ["run", "--suite", "paper", "--tasks", "SE0714,SCv1", *options]
    first = call(*arguments, "--methods", "quick", "--tasks", "PsychExp")
    assert first.exit_code == 0
    assert "deepmoji benchmark report --suite paper" in first.stdout
    assert "SCv1: its train split has 40 texts, the published one 800" in first.stderr
    assert "0 cells are there, 3 to do" in first.stderr
    assert re.search(r"quick on SCv1, seed 0: \d+\.\d s \(\d done, \d left", first.stderr)
    second = call(*arguments, "--methods", "slow", "--methods", "quick", "--seeds", 2)
    assert second.exit_code == 0
    assert "2 cells are there, 4 to do" in second.stderr
    done = sorted(str(path.relative_to(tmp_path / "out")) for path in tmp_path.rglob("*.json"))
    assert done == [
        "paper/PsychExp/quick/seed-0.json",
        *(
            f"paper/{task}/{name}"
            for task in ("SCv1", "SE0714")
            for name in ("quick/seed-0.json", "slow/seed-0.json", "slow/seed-1.json")
        ),
    ]


def test_report_marks_what_is_kept(options, tmp_path):
    ran = call(
        "run", "--suite", "paper", "--tasks", "SCv1", "--methods", "constant,tfidf", *options
    )
    assert ran.exit_code == 0, ran.stderr
    place = options[:4]
    results, plot = tmp_path / "results.json", tmp_path / "scores"
    arguments = ["report", "--suite", "paper", *place, "--results", results, "--plot", plot]
    shown = call(*arguments)
    assert shown.exit_code == 0, shown.stderr
    assert "SCv1" in shown.stdout
    assert "tfidf" in shown.stdout
    report = json.loads(results.read_text("utf-8"))
    assert json.loads(call(*arguments, "--json").stdout) == report
    assert set(report["tasks"]) == {"SCv1"}
    assert report["tasks"]["SCv1"]["systems"]["tfidf"]["measures"]["positive_f1"]["mean"] > 0.9
    assert plot.with_suffix(".png").stat().st_size > 1000
    assert plot.with_suffix(".svg").stat().st_size > 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"suite": "tweeteval", "tasks": {}}, "something else than a report of {suite}"),
        ({"tasks": 3}, "something else than a report of {suite}"),
        ([1], "something else than a report of {suite}"),
        ({"suite": None, "tasks": {"SCv1": {}}}, "no whole report of {suite}"),
    ],
)
@pytest.mark.parametrize("suite", ["paper", "curve"])
def test_what_is_no_such_report_is_not_overwritten(options, tmp_path, content, message, suite):
    results = tmp_path / "results.json"
    if isinstance(content, dict) and "suite" in content:
        content = content | {"suite": content["suite"] or suite}
    results.write_text(json.dumps(content), encoding="utf-8")
    command = ["report", "--suite", "paper", *options[:4]]
    if suite == "curve":
        command = ["curve", "--tasks", "SCv1", "--methods", "tfidf", "--sizes", "10", *options]
    result = call(*command, "--results", results)
    assert result.exit_code == 1
    assert message.format(suite=suite) in result.stderr
    assert json.loads(results.read_text("utf-8")) == content


def test_sizes_that_a_set_has_not_are_told(options):
    arguments = ["curve", "--tasks", "SCv1", "--methods", "tfidf", "--sizes", "10,9999"]
    result = call(*arguments, "--seeds", 1, *options)
    assert result.exit_code == 0, result.stderr
    assert "SCv1 has too few training texts for: 9,999" in result.stderr


def test_curve_fits_and_marks(options, tmp_path):
    arguments = ["curve", "--tasks", "SCv1", "--methods", "tfidf", "--sizes", "10,all"]
    result = call(*arguments, "--seeds", 2, *options, "--plot", tmp_path / "curve", "--json")
    assert result.exit_code == 0, result.stderr
    assert "0 cells are there, 3 to do" in result.stderr
    assert "tfidf on SCv1, 10 texts, seed 1" in result.stderr
    assert set(json.loads(result.stdout)["tasks"]) == {"SCv1"}
    assert (tmp_path / "curve.svg").is_file()


def test_failures_end_with_code_1_and_a_line(fakes, options):
    fakes["slow"] = Raises(name="slow")
    result = call("run", "--suite", "paper", "--tasks", "SCv1", "--seeds", 1, *options)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[-1].startswith("error: 1 of 2 cells failed; the others are kept")
    assert "slow on SCv1, seed 0: ValueError: no answer to this one (log: " in lines[-2]


def test_check(data, tmp_path):
    make_suite(tmp_path, "tweeteval", ROWS)
    result = call("check", "--suite", "tweeteval", "--data", tmp_path)
    assert result.exit_code == 0
    assert "irony: 40 train, 12 validation, 20 test (its train split has 40" in result.stdout
    (tmp_path / "tweeteval" / "irony.parquet").unlink()
    result = call("check", "--suite", "tweeteval", "--data", tmp_path)
    assert result.exit_code == 1
    assert f"irony: there is no file {tmp_path / 'tweeteval' / 'irony.parquet'}" in result.stdout
    assert len(result.stdout.splitlines()) == 11
    assert result.stderr.startswith("error: 1 of the sets of tweeteval")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "--suite", "paper", "--methods", "x"], ["'x'", "quick, slow"]),
        (["run", "--suite", "paper", "--tasks", "x"], ["'x'", "SCv1"]),
        (["run", "--suite", "paper", "--processes", "0"], ["processes"]),
        (["run", "--suite", "paper", "--base", "nowhere"], ["nowhere", "bundle"]),
        (["run", "--suite", "paper", "--data", "nowhere"], ["nowhere", "docs/benchmark.md"]),
        (["curve", "--methods", "quick", "--sizes", "ten"], ["'ten'", "all"]),
        (["curve", "--methods", "quick", "--sizes", "10,010"], ["twice"]),
        (["curve", "--methods", "quick", "--sizes", "100000"], ["no set has so many"]),
        (["run", "--suite", "paper", "--methods", ""], ["expected names, separated by commas"]),
        (["run", "--suite", "paper", "--tasks", ","], ["expected names, separated by commas"]),
        (
            ["run", "--suite", "paper", "--methods", "quick", "--first-seed", "5"],
            ["from seed 5 on", "seed 0 alone"],
        ),
        (["report", "--suite", "paper"], ["holds no answers", "benchmark run --suite paper"]),
    ],
)
def test_errors_are_one_line(arguments, parts, fakes, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = [] if "--data" in arguments else ["--data", data]
    result = call(*arguments, *place)
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert [part for part in parts if part not in line] == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sleeping_run(data, base, tmp_path):
    """A run, in a process group of its own, of which one cell is done and one never will be."""
    code = (
        "from deepmoji.benchmark import systems\n"
        "from tests.benchmark.fakes import Fake, Sleeps\n"
        "systems.SYSTEMS = {'a': Fake(name='a'), 'b': Sleeps(name='b')}\n"
        "from deepmoji.cli import main\n"
        "if __name__ == '__main__': main()\n"
    )
    (tmp_path / "program.py").write_text(code, encoding="utf-8")
    command = [sys.executable, tmp_path / "program.py", "benchmark", "run", "--suite", "paper"]
    command += ["--tasks", "SCv1", "--data", data, "--out", tmp_path / "out"]
    command += ["--base", base.folder, "--processes", "2"]
    with subprocess.Popen(
        [*map(str, command)],
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        preexec_fn=heed_interrupts,
    ) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.rglob("b/*.log")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        assert process.poll() is None
        yield process


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a Unix signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_signals_end_a_run_in_one_line(sleeping_run, tmp_path, number):
    os.killpg(sleeping_run.pid, number)  # as a terminal does: the workers get it too
    sleeping_run.wait(60)
    said = sleeping_run.stderr.read().decode().splitlines()
    assert sleeping_run.returncode == 1
    assert said[-1] == "error: interrupted"
    assert "Traceback" not in "".join(said)
    assert not list((tmp_path / "out").rglob("*.log"))
    assert gone(sleeping_run.pid)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends a Unix signal")
def test_workers_end_with_a_run_that_is_killed(sleeping_run):
    sleeping_run.kill()
    sleeping_run.wait(60)
    assert gone(sleeping_run.pid)


@pytest.mark.parametrize("lines", [CellLines, CellBar])
def test_progress_tells_done_left_and_running(lines, capsys):
    from rich.console import Console

    shown = lines(Console(stderr=True, width=200)) if lines is CellBar else lines()
    shown.begin(done=3, left=2)
    shown.stale("last on SCv1, seed 0", "made with other data")
    shown.started("last on SCv1, seed 0")
    shown.started("new on [SCv1], seed 0")
    shown.finished("last on SCv1, seed 0", 12.34)
    shown.failed("new on [SCv1], seed 0", "it [would] not")
    shown.close()
    said = capsys.readouterr().err
    for part in (
        "3 cells are there, 2 to do",
        "last on SCv1, seed 0: made with other data, so it is done again",
        "last on SCv1, seed 0: 12.3 s (4 done, 1 left; running: new on [SCv1], seed 0)",
        "new on [SCv1], seed 0: failed: it [would] not",
    ):
        assert part in said


# The documentation of the data.


def snippets():
    return re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_page_names_every_method():
    table = PAGE.partition("## What is compared")[2].partition("##")[0]
    assert [name for name in METHODS if f"`{name}`" not in table] == []


def test_page_lists_every_set_as_the_code_has_it():
    data = PAGE.partition("\n## The data\n")[2]
    for sets in SUITES.values():
        for published in sets:
            sizes = " | ".join(f"{size:,}" for size in published.sizes)
            (row,) = re.findall(rf"^\| {published.name} \|.*$", data, re.MULTILINE)
            assert sizes in row
            assert f"| {published.kind} |" in row
            assert ", ".join(published.classes) in row


# How Python 2 and the NumPy of its time wrote a file of one label a text.
SCALAR = (
    "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'i8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\n"
    "tbS'\\x{:02x}\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\ntR"
)


def old_pickle(texts, labels, splits):
    content = "(dS'info'\n(l"
    content += "".join(f"(dS'label'\n{SCALAR.format(label)}sa" for label in labels)
    content += "sS'texts'\n(l" + "".join(f"S{text!r}\na" for text in texts)
    for key, rows in splits.items():
        content += f"sS'{key}'\n(l" + "".join(f"I{row}\na" for row in rows)
    return f"{content}s.".encode("ascii")


def test_pickles_convert_as_documented(tmp_path):
    namespace = {}
    exec(snippets()[0], namespace)  # noqa: S102 - our own page
    splits = {"train_ind": [0, 1, 2, 3], "val_ind": [4, 5], "test_ind": [6, 7, 8, 9, 10, 11]}
    texts = [b"caf\xc3\xa9 comes as bytes", b"na\xefve is broken", *[b"plain"] * 10]
    texts = [text.decode("latin-1").encode("unicode_escape").decode() for text in texts]
    source = tmp_path / "raw.pickle"
    written = old_pickle(texts, [row % 2 for row in range(12)], splits)
    source.write_bytes(written.replace(b"\\\\", b"\\"))
    namespace["convert_pickle"](source, tmp_path / "paper" / "SCv1.parquet")
    (task,) = load_tasks("paper", tmp_path, ["SCv1"])
    assert task.train.texts[:3] == ("café comes as bytes", "naïve is broken", "plain")
    assert task.train.labels[:2] == (("not sarcastic",), ("sarcastic",))
    assert (len(task.validation), len(task.test)) == (2, 6)

    labels = [{"label": [row % 2, 1, 0]} for row in range(12)]
    source.write_bytes(pickle.dumps({"texts": ["a"] * 12, "info": labels, **splits}))
    namespace["convert_pickle"](source, tmp_path / "paper" / "SE0714.parquet")
    (task,) = load_tasks("paper", tmp_path, ["SE0714"])
    assert task.train.labels[:2] == (("joy",), ("fear", "joy"))

    source.write_bytes(pickle.dumps({"texts": os.getcwd}))
    with pytest.raises(pickle.UnpicklingError, match="has no place"):
        namespace["convert_pickle"](source, tmp_path / "x.parquet")


def test_tweeteval_converts_as_documented(tmp_path):
    namespace = {}
    exec(snippets()[1], namespace)  # noqa: S102 - our own page
    source = tmp_path / "irony"
    source.mkdir()
    for prefix, count in (("train", 6), ("val", 2), ("test", 4)):
        texts = [f"{prefix} {row}\u2028more" for row in range(count)]
        labels = [str(row % 2) for row in range(count)]
        for name, content in (("text", texts), ("labels", labels)):
            (source / f"{prefix}_{name}.txt").write_text(
                "\n".join(content) + "\n", encoding="utf-8", newline=""
            )
    (source / "mapping.txt").write_text("0\tnon_irony\n1\tirony", encoding="utf-8")
    target = tmp_path / "tweeteval"
    target.mkdir()
    (target / "labels.json").write_text(json.dumps({"emoji": ["a"]}), encoding="utf-8")
    namespace["convert_tweeteval"](source, source / "mapping.txt", "irony", target)
    published = next(each for each in SUITES["tweeteval"] if each.name == "irony")
    task = load_task("tweeteval", tmp_path, published)
    assert task.problem.classes == ("non_irony", "irony")
    assert task.test.texts[3] == "test 3\u2028more"
    assert set(json.loads((target / "labels.json").read_text("utf-8"))) == {"emoji", "irony"}
