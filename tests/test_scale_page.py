"""The page on cost and scale computes what it says from the results, and stands without them."""

import pytest

from benchmarks.scale import PLOT
from deepmoji.config import ModelConfig
from scripts import readme, scale_figures

RESULTS = {
    "scale": {
        "machine": {"cpu": "Z80", "cores": 2},
        "rows": [
            {"step": step, "size": size, "cores": cores, "seconds": size / rate / cores,
             "per_second": rate * cores, "peak_memory_mb": 100 + size // 10_000}
            for step, rate in (("build", 25_000), ("score", 500), ("train", 100))
            for size in (1_000_000, 3_000_000)
            for cores in (1, 2)
        ]
        + [{"step": "build on Ray", "size": 100_000, "cores": 2, "seconds": 20, "per_second": 5e3}],
    },
    "corpus": {"posts": 3_000_000, "kept": 1_000_000, "pairs": {"train": 1_200_000}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("rates", ["2 cores (Z80)", "| `score` | 1 core | 1,000,000 posts | 2,000 | 500 | 200 |"]),
        ("rates", ["| `corpus build --runner ray` | 2 nodes | 100,000 posts | 20 | 5,000 | – |"]),
        ("needs", ["55 billion posts: text work | 25,000 | 611 | 1.0 h |"]),  # 55e9/25e3/3600
        ("needs", ["| `score`, 55 billion posts | 500 | 30,556 | 47.7 h |"]),
        ("needs", ["1.2 billion pairs, one epoch | 100 | 3,333 | 5.2 h |"]),
        ("shuffles", ["100 bytes for each post", "33% are kept", "300 bytes for each kept one"]),
        (
            "shuffles",
            [
                "1 billion kept posts (1.2 billion pairs at 1.20 a post)",
                "is 300.0 GB on",
                "76.8 GB",
            ],
        ),
        ("shuffles", ["| equal pairs (by words and label) | 21.6 GB |", "by band | 256.0 GB |"]),
        ("shuffles", ["near duplicates take 136 bytes more for each, 136.0 GB"]),
        ("shuffles", ["in steps of 16,384 pairs | 13.1 TB |"]),  # 2 * 4 * 22.4e6 * 1.2e9 / 16384
    ],
)
def test_figures(part, said):
    text = getattr(scale_figures, part)(RESULTS)
    assert [each for each in said if each not in text] == []


def test_memory_grows_as_on_the_most_cores():
    rows = [dict(row) for row in RESULTS["scale"]["rows"] if "peak_memory_mb" in row]
    for row in rows:
        row["peak_memory_mb"] *= 1 if row["cores"] == 2 else 10
    assert "grows by 100 bytes" in scale_figures.shuffles(
        {**RESULTS, "scale": {**RESULTS["scale"], "rows": rows}}
    )


def test_the_parameters_are_those_of_the_network():
    torch = pytest.importorskip("torch")
    from deepmoji.training.network import Network

    for config in (ModelConfig(), ModelConfig(units=4, embedding_size=8, vocabulary_size=30)):
        with torch.device("meta"):
            network = Network(config)
        counted = sum(each.numel() for each in network.parameters())
        assert scale_figures._parameters(config) == counted


def test_the_plot_is_on_the_page():
    assert f"(images/{PLOT.name})" in readme.SCALE.read_text(encoding="utf-8")
    assert PLOT.is_file()


def test_a_gpu_that_was_measured():
    gpu = {"variants": {"a": {"texts_per_second": 10_000.0}, "b": {"texts_per_second": 5_000.0}}}
    text = scale_figures.needs({**RESULTS, "training_speed_gpu": gpu})
    assert "| the same on one GPU | 10,000 | – | 33 h |" in text


def test_the_page_stands_without_results():
    page = readme.SCALE.read_text(encoding="utf-8")
    made = readme.render(page, {}, readme.PAGES[readme.SCALE])
    assert made.count("Not measured yet: `python -m benchmarks.scale`") == 3
    assert readme.missing_results({}) == readme.missing_results({"training_speed_gpu": {}})


def test_faults_name_what_was_tried_and_every_problem():
    broken = {
        "kills": {"kills": 20, "finished_runs": 7},
        "signals": {"SIGINT": {"says": "x"}, "SIGTERM": {"says": "y"}},
        "worker_killed": {"status": 1},
        "disk_full": "not tried: needs root on Linux",
        "input_vanished": {"status": 0},
        "problems": ["kill 3: lived on: python"],
    }
    whole = {**broken, "problems": []}
    text = scale_figures.faults({"faults": {"commands": {"score": whole, "pretrain": broken}}})
    tried = "SIGINT, SIGTERM, worker killed, input vanished"
    assert f"| `score` | 20 | 7 | {tried} | 0 |" in text
    assert f"| `pretrain` | 20 | 7 | {tried} | 1 |" in text
    assert text.splitlines()[-1] == "- `pretrain`: kill 3: lived on: python"
    assert "Not measured yet" in scale_figures.faults({})


def test_scoring_stands_beside_what_a_list_in_memory_gives():
    measured = {
        "rows": 3_000_000,
        "files": 4,
        "cores": 2,
        "cores_busy": 1.806,
        "machine": {"cpu": "Z80"},
        "date": "2026-01-02",
        "seconds": 3807.4,
        "rows_per_second": 787.9,
        "ratio_to_baseline": 0.941,
        "baseline": {"texts_per_second": [780.2, 895.1]},
        "peak_memory_mb": 1041,
        "finished": [{"peak_memory_mb": 1007}],
    }
    text = scale_figures.scoring({"score": measured})
    assert text.startswith("3,000,000 posts in 4 files on 2 cores (Z80), 2026-01-02: 63 minutes")
    for part in ("788 rows/s, 94%", "780 texts/s before and 895 after", "1.81 cores", "1,041 MB"):
        assert part in text
    assert "Not measured yet" in scale_figures.scoring({})


def test_rows_of_one_step_alone_are_enough():
    few = {**RESULTS, "scale": {**RESULTS["scale"], "rows": RESULTS["scale"]["rows"][:1]}}
    assert "| `score`, 55 billion posts | – | – | – |" in scale_figures.needs(few)
    assert "grows by 0 bytes" in scale_figures.shuffles(few)
