import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.benchmark.job import Base
from deepmoji.benchmark.layout import SetFile
from deepmoji.benchmark.suites import SUITES
from deepmoji.benchmark.tasks import load_tasks, published_sets
from tests.helpers.bundles import make_bundle

ROWS = {"train": 40, "validation": 12, "test": 20}
LABELS = {
    "emoji": ["❤", "😍", "😂"],
    "emotion": ["anger", "joy", "optimism", "sadness"],
    "hate": ["not-hate", "hate"],
    "irony": ["non_irony", "irony"],
    "offensive": ["not-offensive", "offensive"],
    "sentiment": ["negative", "neutral", "positive"],
} | {
    f"stance-{target}": ["none", "against", "favor"]
    for target in ("abortion", "atheism", "climate", "feminist", "hillary")
}


def make_rows(published, classes, rows=ROWS, seed=0):
    """Texts whose words tell their classes, as a file's columns."""
    draw = random.Random(f"{published.name} {seed}")
    columns = {"text": [], "label": [], "split": []}
    for split, count in rows.items():
        for number in range(count):
            holds = [number % classes]
            if published.kind == "multi":
                holds = [each for each in range(classes) if draw.random() < 0.4]
            words = [f"sign{each}" for each in holds] + draw.choices("abcdefgh", k=4)
            columns["text"].append(f"{' '.join(words)} {split}{number}")
            columns["label"].append(holds)
            columns["split"].append(split)
    return columns


def write_set(data, suite, name, columns):
    path = data / suite / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    types = {"text": pa.string(), "label": pa.list_(pa.int8()), "split": pa.string()}
    arrays = {key: pa.array(values, types[key]) for key, values in columns.items()}
    pq.write_table(pa.table(arrays), path)
    return path


def make_suite(data, suite="paper", rows=ROWS):
    """Write a small file for each set of a suite."""
    if suite == "tweeteval":
        (data / suite).mkdir(parents=True, exist_ok=True)
        (data / suite / "labels.json").write_text(json.dumps(LABELS), encoding="utf-8")
    for published in SUITES[suite]:
        classes = len(published.classes or LABELS[published.name])
        own = {k: n for k, n in rows.items() if k != "train" or published.name != "sentiment"}
        write_set(data, suite, published.name, make_rows(published, classes, own))
    return data


def truth_of(data, task):
    """The true classes of a task's test texts, which its small file holds."""
    (published,) = published_sets(task.suite, [task.name])
    test = SetFile.read(data, task.suite, published).splits["test"]
    return task.problem.targets(test, "test")


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Both suites, small; no test changes them."""
    folder = tmp_path_factory.mktemp("data")
    make_suite(folder)
    return make_suite(folder, "tweeteval")


@pytest.fixture(scope="session")
def tasks(data):
    """A binary and a multi-label task of the small paper suite."""
    return load_tasks("paper", data, ["SE0714", "SCv1"])


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A tiny model to start from."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    make_bundle(folder)
    return Base.of(folder)
