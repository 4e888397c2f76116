import re

import pytest

from deepmoji.benchmark import plots
from deepmoji.benchmark.plots import plot_report
from deepmoji.benchmark.published import LEAK_FREE
from deepmoji.benchmark.wording import system_name

# Reports as `suite_report` and `curve_report` make them, without what plots pass over.


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(plots, "_DPI", 40)  # four times as fast


def spread(mean, deviation=None):
    return {"mean": mean, "deviation": deviation}


def task(measure, systems, floor=0.3, published=(), **more):
    return {
        "measure": measure,
        "floor": floor,
        "systems": {name: {"measures": {measure: each}} for name, each in systems.items()},
        "published": [
            {"system": name, "value": value, "measure": measure, "split": "public"}
            for name, value in published
        ],
        **more,
    }


def make_suite(**more):
    systems = {"constant": spread(0.3), "tfidf": spread(0.5), "chain-thaw": spread(0.6, 0.02)}
    tasks = {
        "SCv1": task("positive_f1", systems, published=[("chain-thaw", 0.69), ("RoBERTa", 0.9)]),
        "SS-Youtube": task("accuracy", {"vader": spread(0.7), **systems}),
    }
    average = {"tasks": ["SCv1"], "floor": 0.3, "systems": systems}
    report = {"suite": "paper", "tasks": tasks, "groups": {}, "averages": average}
    return report | {"published_averages": {"chain-thaw": 0.686}} | more


def make_curve(systems=("tfidf", "minilm", "last", "chain-thaw"), tasks=("SS-Youtube", "SCv1")):
    points = [
        {"texts": texts, "measures": {"accuracy": spread(0.5 + texts / 2000, 0.01)}}
        for texts in (10, 30, 100, 300, 800)
    ]
    one = {"floors": {"accuracy": 0.5}, "systems": dict.fromkeys(systems, points)}
    return {"suite": "curve", "tasks": dict.fromkeys(tasks, one)}


def texts_of(path):
    """What an SVG file shows as text: matplotlib writes it into comments beside the glyphs."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("report", [make_suite(), make_curve()], ids=["scores", "curve"])
def test_the_same_report_gives_the_same_files(report, tmp_path):
    for name in ("one", "other"):
        plot_report(report, tmp_path / name)
    for ending in ("png", "svg"):
        one, other = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("one", "other"))
        assert one == other
        assert len(one) > 5000
    assert {path.name for path in tmp_path.iterdir()} == {
        "one.png", "one.svg", "other.png", "other.svg",
    }  # fmt: skip


def test_a_dot_in_the_stem_is_kept(tmp_path):
    plot_report(make_curve(), tmp_path / "v1.2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1.2.png", "v1.2.svg"]


def test_scores_name_sets_measures_and_systems(tmp_path):
    plot_report(make_suite(), tmp_path / "scores")
    shown = texts_of(tmp_path / "scores.svg")
    for text in (
        "SCv1", "F1 of the positive class, %", "SS-Youtube", "accuracy, %", "mean of 1, %",
        "TF-IDF", "VADER", "chain-thaw", "baselines", "published", "floor: a constant answer",
    ):  # fmt: skip
        assert text in shown
    assert system_name("constant") not in shown  # it is the floor


def test_a_plot_without_published_figures_does_not_explain_them(tmp_path):
    report = make_suite(averages={})
    report["tasks"]["SCv1"]["published"] = []
    plot_report(report, tmp_path / "scores")
    assert "published" not in texts_of(tmp_path / "scores.svg")


def test_published_figures_in_another_measure_are_not_drawn(tmp_path):
    report = make_suite(averages={})
    for each in report["tasks"]["SCv1"]["published"]:
        each["measure"] = "class_average_f1"
    plot_report(report, tmp_path / "scores")
    assert "published" not in texts_of(tmp_path / "scores.svg")


def test_stance_is_one_panel_and_the_leak_another(tmp_path):
    systems = {"new": spread(0.4, 0.1)}
    emoji = task("macro_f1", systems, **{LEAK_FREE: {"floor": 0.01, "rows": 7}})
    emoji["systems"]["new"][LEAK_FREE] = spread(0.2)
    targets = [f"stance-{name}" for name in ("abortion", "atheism", "climate")]
    report = make_suite(
        suite="tweeteval",
        tasks={"emoji": emoji} | dict.fromkeys(targets, task("stance_f1", systems)),
        groups={"stance": {**task("stance_f1", {}), "tasks": targets, "systems": systems}},
        averages={},
    )
    plot_report(report, tmp_path / "scores")
    shown = texts_of(tmp_path / "scores.svg")
    assert shown.count("stance, mean of 3") == 1
    assert "emoji, rows without U+FE0F" in shown
    assert not [text for text in shown if text in targets]


def test_curves_name_sizes_and_systems(tmp_path):
    plot_report(make_curve(), tmp_path / "curve")
    shown = texts_of(tmp_path / "curve.svg")
    for text in ("10", "800", "training texts", "MiniLM", "last", "SS-Youtube", "accuracy, %"):
        assert text in shown


def test_more_systems_than_usual_have_styles_of_their_own(tmp_path):
    plot_report(make_curve(("fasttext", "new", "full", "gradual", "plain-lstm")), tmp_path / "x")
    assert "plain LSTM" in texts_of(tmp_path / "x.svg")


def test_one_set_fills_the_width(tmp_path):
    plot_report(make_curve(tasks=("SCv1",)), tmp_path / "one")
    assert "SCv1" in texts_of(tmp_path / "one.svg")
