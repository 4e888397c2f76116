"""What the documentation says is true: its generated parts are current, its examples run."""

import io
import re
import tomllib

import pytest
from rich.console import Console

import deepmoji
from benchmarks import sentences, tables
from deepmoji.benchmark.job import Base
from deepmoji.bundle import Bundle, shipped_models
from deepmoji.config import ModelConfig, PretrainConfig
from runs import settings as experiments
from scripts import blocks, commands, currency, figures, model_figures, readme, training_log
from tests.source_tree import PACKAGE, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHIPPED = PACKAGE / "models" / "default"


@pytest.mark.parametrize("page", readme.PAGES, ids=lambda page: page.name)
def test_pages_are_current(page):
    text = page.read_text(encoding="utf-8")
    made = readme.render(text, readme.read_results(), readme.PAGES[page])
    assert made == text, "run: make readme"


def test_readme_lacks_no_figure():
    assert readme.missing_results(readme.read_results()) == []


def test_what_an_earlier_model_got_is_not_shown_as_this_ones():
    results = readme.read_results()
    results["emoji"] |= {"model_sha256": "0" * 64}
    for suite in model_figures.SUITES:
        results[f"benchmark-{suite}"] |= {"base": "0" * 64}
    lines = model_figures.before_and_now(results).splitlines()
    cells = [cell for line in lines for cell in line.split(" | ") if "→" in cell]
    assert len(cells) > 20
    assert [cell for cell in cells if not cell.strip(" |").endswith("→ –")] == []


ANSWERS = ("emoji", "emojis", "long", "projection", "sentences", "study")


@pytest.mark.parametrize("name", ANSWERS)
def test_results_of_a_models_answers_say_which_model(name):
    content = readme.read_results()[name]
    assert re.fullmatch("[0-9a-f]{64}", content["model_sha256"])
    assert currency.is_current(content | {"model_sha256": Base.of(None).digest})
    assert not currency.is_current(content | {"model_sha256": "0" * 64})


def test_both_models_of_a_comparison_have_to_be_those_that_ship():
    content = readme.read_results()["small"]
    assert currency.is_current(content)
    for name in content["models"]:
        other = {**content["models"], name: {"model_sha256": "0" * 64}}
        assert not currency.is_current(content | {"models": other})


def test_cards_and_readme_tell_the_same_scores():
    systems = readme.read_results()["emoji"]["systems"]
    for name in shipped_models():
        assert Bundle.open(name).training["scores"] == systems


def test_readme_names_every_source_file():
    tree = readme.tree({})
    for path in PACKAGE.rglob("*.py"):
        name = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
        assert name in tree


def test_every_source_file_says_what_it_is():
    lines = readme.tree({}).splitlines()
    assert [line for line in lines if line.strip().endswith(".py")] == []


@pytest.mark.parametrize("path", sorted(readme.RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_results_hold_no_path_of_the_machine_they_were_made_on(path):
    assert re.findall(r"[\"' =]/\w+/\S*", path.read_text(encoding="utf-8")) == []


def test_training_log_is_current():
    written = training_log.PAGE.read_text(encoding="utf-8")
    assert training_log.render(training_log.read_rows()) == written, "run: make readme"


@pytest.mark.parametrize("name", experiments.names())
def test_experiments_can_be_run(name):
    experiment = experiments.read(name)
    assert experiment.prediction
    PretrainConfig(**experiment.pretrain)
    ModelConfig(**experiment.model)
    known = {"init", "teacher", "vectors", "encodings", "network", "pull"}
    assert experiment.start.keys() <= known
    vectors = experiment.start.get("vectors", name)
    others = [experiment.start.get("init", name), *experiment.teachers]
    for other in [*others, vectors] if isinstance(vectors, str) else others:
        assert other in (*experiments.names(), "shipped")
    if init := experiment.start.get("init"):
        # Of the same sizes; the shipped model has the defaults.
        first = {} if init == "shipped" else experiments.read(init).model
        sizes = {"units", "embedding_size", "gates"}
        own, other = (ModelConfig(**each).to_dict() for each in (experiment.model, first))
        assert {size: own[size] for size in sizes} == {size: other[size] for size in sizes}
        assert "vectors" not in experiment.start


RECIPES = sorted(path for path in ROOT.glob("runs/*.sh") if "pretrain" in path.read_text("utf-8"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_recipes_give_options_that_there_are(recipe):
    """The lists of options that a recipe calls by name are read with it."""
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    text = "".join(path.read_text("utf-8") for path in (ROOT / "runs" / "notes.sh", recipe))
    for name, options in re.findall(r"^(\w+)\+?=\((.*?)\)$", text, re.MULTILINE | re.DOTALL):
        text = text.replace(f'"${{{name}[@]}}"', " ".join(options.split()))
    calls = re.findall(r"-m deepmoji ([a-z-]+(?: build)?)(.*)", text.replace("\\\n", " "))
    assert {command for command, _ in calls} >= {"pretrain", "export", "fit-projection"}
    for command, rest in calls:
        section = re.search(rf"^#+ `deepmoji {command}`\n(.*?)^##", reference, re.M | re.S)[1]
        known = set(re.findall(r"--[a-z0-9-]+", section))
        assert set(re.findall(r" (--[a-z0-9-]+)", rest)) - known == set(), command


def test_command_reference_is_current():
    written = commands.REFERENCE.read_text(encoding="utf-8")
    assert commands.render() == written, "run: make readme"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.skipif(not SHIPPED.is_dir(), reason="needs the shipped model")
def test_readme_example_runs(capsys):
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(snippet, {})  # noqa: S102 - our own README


def test_demo_and_readme_show_the_same_sentences():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r'"(I love .*|This is .*)"', makefile) == list(sentences.SENTENCES)


def test_version_has_one_source():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert deepmoji.__version__ == project["version"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


RESULTS = {
    "sentences": {"sentences": [{"text": "This is shit", "top": [["😂", 0.191], ["💔", 0.09]]}]},
    "emoji": {
        "natural": 9144,
        "balanced": 7429,
        "systems": {
            "prior": dict.fromkeys(figures.COLUMNS, 0.175),
            "fastText": dict.fromkeys(figures.COLUMNS, 0.267),
            "shipped": dict.fromkeys(figures.EMOJI_ROWS, 0.301)
            | {"natural_calibration_error": 0.015},
            "small": dict.fromkeys(figures.COLUMNS, 0.299),
        },
    },
    "corpus": {
        "posts": 3066025,
        "seconds": 120.0,
        "peak_memory_gb": 1.09,
        "pairs": {"train": 1363735},
    },
    "tokenizer": {"texts_per_second": {"tokenize": 54156}, "ratio_to_straightforward": 2.97},
    "long": {
        "max_tokens": {
            "30": {
                "chosen": "mean",
                "means": {way: {"test": 0.7016} for way in ("cut", "attention", "mean")},
                "sets": {
                    "SCv1": {
                        "longer": {"test": 0.592},
                        "ways": {
                            "cut": {"test": 0.6612},
                            "attention": {"test": 0.6734, "low": -0.0041, "high": 0.0213},
                            "mean": {"test": 0.6718, "low": -0.0052, "high": 0.0208},
                        },
                    },
                    "PsychExp": {"longer": {"test": 0.001}, "ways": {}},
                },
            }
        }
    },
    "training_speed": {
        "variants": {
            "a": {"texts_per_second": 50.0, "ratio": 1.0},
            "b": {"texts_per_second": 400.4, "ratio": 8.0, "share_of_peak": 0.314},
            "ours, bf16, 1 core": {"texts_per_second": 200.0, "ratio": 4.0},
            "ours, bf16, hard sigmoid, 1 core": {"texts_per_second": 150.0, "ratio": 3.0},
        }
    },
    "inference": {
        "machine": {"cpu": "Z80", "cores": 2},
        "model": {"folder_mb": 25.4},
        "installed_mb": {"all": 163.2},
        "cold_start": {"command": "predict", "seconds_median": 0.512, "peak_memory_mb": 151.6},
        "throughput": {
            "texts": 10000,
            "texts_per_second": {"scores": 1234.5},
            "ratio_to_baseline": 2.5,
        },
    },
    "small": {
        "machine": {"cpu": "Z80", "cores": 2},
        "models": {
            name: {
                "folder_mb": size,
                "words": words,
                "features": features,
                "milliseconds_alone": milliseconds,
                "texts_per_second": 6000 / milliseconds,
                "accuracy": {"PsychExp": accuracy},
            }
            for name, size, words, features, milliseconds, accuracy in (
                ("default", 24.15, 50000, 2304, 5.04, 0.456),
                ("small", 6.8, 30000, 800, 1.2, 0.447),
            )
        },
        "texts_together": 10000,
        "same_top1": 0.714,
        "folds": 10,
    },
    "serve": {
        "machine": {"cpu": "Z80", "cores": 2},
        "connections": 64,
        "seconds": 60.0,
        "in_process_texts_per_second": 1234.5,
        "runs": {
            "16 texts a request": {
                "requests": 4321,
                "errors": 1,
                "lost": 2,
                "wrong": 3,
                "texts_per_second": 987.6,
                "milliseconds": {"p50": 71.2, "p95": 140.1, "p99": 1222.2},
                "server_memory_mb": {"start": 190.2, "middle": 207.3, "end": 211.0},
            }
        },
    },
    "golden": {
        "texts": 4157,
        "equal": {"words": 4157, "ids": 4156, "train_words": 4068},
        "train_words_newer_emojis": 89,
    },
    "interop": {
        "rows": [
            dict(
                zip(
                    ("format", "gates", "precision", "probabilities", "features", "attention"),
                    row,
                    strict=True,
                )
            )
            for row in (
                ("keras", "hard_sigmoid", "fp32", 8e-07, 2e-07, 2e-07),
                ("keras", "hard_sigmoid", "int8", 0.03, 0.02, 0.006),
                ("torchmoji", "sigmoid", "fp32", 7e-07, 3e-07, 1e-07),
            )
        ]
    },
}


@pytest.mark.parametrize(
    ("part", "numbers"),
    [
        ("sentences", ["| This is shit | 😂 19% · 💔 9% |"]),
        ("quality", ["1,363,735", "9,144", "7,429", "| fastText | 26.7% |", "17.5%"]),
        ("speed", ["2 cores", "0.51 s, 152 MB", "1,234 texts/s, 2.5 times", "54,156", "3.0 times"]),
        (
            "speed",
            [
                "3,066,025 posts in 2.0 minutes, 1.1 GB",
                "400 texts/s, 8.0",
                "163 MB",
                "25 MB",
                "25% fewer",
            ],
        ),
        (
            "small",
            [
                "| 50,000 | 30,000 |",
                "| 5.04 ms | 1.20 ms, 4.2 times faster |",
                "| emojis, natural top-1 | 30.1% | 29.9% |",
                "| on disk | 24.1 MB | 6.8 MB |",
                "| 2,304 | 800 |",
                "| 1,190 texts/s | 5,000 texts/s |",
                "| emojis, calibration error | 1.5% | – |",
                "| encodings, PsychExp | 45.6% | 44.7% |",
                "first for 71%",
            ],
        ),
        ("training_speed", ["| a | 50 | – |", "| b | 400 | – |", "| 31% |"]),
        (
            "long_texts",
            [
                "| SCv1 | 59.2% | 0.661 | 0.673 (-0.004 to +0.021) | 0.672 (-0.005 to +0.021) |",
                "| 30 | PsychExp | 0.1% | – | – | – |",
                "| 0.702 | 0.702 | 0.702 |",
                "prefers `mean` at 30 words",
            ],
        ),
        (
            "agreement",
            [
                "| keras, hard sigmoid, int8 | 3e-02 | 2e-02 | 6e-03 |",
                "| torchmoji, sigmoid, fp32 | 7e-07 | 3e-07 | 1e-07 |",
            ],
        ),
        (
            "serving",
            [
                "64 connections for 60 s",
                "2 cores (Z80)",
                "1,234 texts/s",
                "| 16 texts a request | 988 | 71 ms | 140 ms | 1,222 ms | 6 of 4,321 |",
                "| 190 / 207 / 211 |",
            ],
        ),
        ("parity", ["4,157", "4,156", "4,068; 89", "8e-07", "3e-07"]),
    ],
)
def test_figures_say_what_was_measured(part, numbers):
    text = getattr(figures, part)(RESULTS)
    assert [number for number in numbers if number not in text] == []


def test_a_load_that_was_not_measured_is_named():
    assert figures.serving({}) == "*Not measured yet: `python -m benchmarks.serve`.*"


def test_bench_prints_every_result():
    console = Console(record=True, width=120, file=io.StringIO())
    tables.print_results(RESULTS, console)
    shown = console.export_text()
    for text in ("golden.json", "equal.words", "4,157", "fastText", "0.267", "This is shit"):
        assert text in shown


def test_a_part_that_nothing_generates_is_an_error():
    with pytest.raises(ValueError, match="quality"):
        blocks.fill("<!-- generated: quality -->\n<!-- end -->", {})


def test_missing_results_are_named():
    document = "".join(f"<!-- generated: {name} -->\n<!-- end -->\n" for name in readme.BLOCKS)
    assert "Not measured yet: `python -m benchmarks.sentences`" in readme.render(document, {})
