"""Long texts, cut or read in windows: which is better to learn a task from, with `last`.

python -m benchmarks.long     # the shipped model

A final layer (logistic regression) is fitted to the frozen encodings of the training texts, for
every way to read a text. Its regularisation and the thresholds of F1 are chosen on the validation
texts, and so is the way, for all sets together: the least log loss among the ways whose measure is
within a standard error of the best. Test texts are only marked. Most texts of these sets are no
longer than the shipped model reads, so the same is done with the original's 30 words; sets with
fewer than one long text in a hundred are counted and left out.
"""

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import shared, write
from deepmoji.benchmark.heads import Head
from deepmoji.benchmark.layout import SetFile
from deepmoji.benchmark.logistic import fit_logistic
from deepmoji.benchmark.selection import Selection, log_loss
from deepmoji.benchmark.suites import PublishedSet
from deepmoji.benchmark.tasks import Task, load_task, published_sets
from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.config import ORIGINAL_TOKENS
from deepmoji.evaluation.datasets import Labelled
from deepmoji.evaluation.measures import answers, best_thresholds, mark
from deepmoji.evaluation.significance import paired_bootstrap
from deepmoji.inference.engine import MASS, WINDOW, Engine, windows_of
from deepmoji.inference.reading import Reading
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN

SETS = ("SCv1", "SCv2-GEN", "PsychExp")
WAYS = ("cut", "attention", "mean")
LEAST = 0.01  # of the test texts have to be long
SEED = 0
FIGURES = ("validation", "validation_log_loss", "test", "test_log_loss")
Features = NDArray[np.float32]


def main() -> None:
    bundle = Bundle.open(SHIPPED)
    engine = Engine(bundle, masses=True)
    lengths: dict[str, Any] = {}
    for most in (ORIGINAL_TOKENS, bundle.max_tokens):
        sets: dict[str, Any] = {}
        lengths[str(most)] = {"sets": sets}
        for published in published_sets("paper", SETS):
            sets[published.name] = compare(published, engine, bundle, most)
            print(f"{most} words, {published.name}: done", file=sys.stderr)
        lengths[str(most)] |= over_sets([each for each in sets.values() if each["ways"]])
        # Written as far as it is: the whole takes an hour on a busy machine.
        result = {"method": "last", "seed": SEED, "max_tokens": lengths}
        write("long", result, model=SHIPPED)


def compare(published: PublishedSet, engine: Engine, bundle: Bundle, most: int) -> dict[str, Any]:
    """Fit a final layer for every way to read the texts of one set, and mark it."""
    data = shared("benchmarks")
    task = load_task("paper", data, published)
    test = SetFile.read(data, "paper", published).splits["test"]
    splits = {"train": task.train, "validation": task.validation, "test": test}
    ids = {name: read(each.texts, bundle) for name, each in splits.items()}
    longer = {
        name: round(float(np.mean([len(text) > most for text in each])), 4)
        for name, each in ids.items()
    }
    rows: dict[str, Any] = {}
    if longer["test"] >= LEAST:
        encodings = {name: encode(each, engine, most) for name, each in ids.items()}
        answered: dict[str, Any] = {}
        for way in WAYS:
            features = {name: each[way] for name, each in encodings.items()}
            rows[way], answered[way] = fit(task, test, features)
        truth = task.problem.targets(test, "test")
        for way in WAYS[1:]:
            pair = answered[way], answered["cut"]
            found = paired_bootstrap(task.measure, task.problem.kind, truth, *pair, seed=SEED)
            rows[way] |= {"low": round(found.low, 4), "high": round(found.high, 4)}
            rows[way] |= {"p": round(found.p, 4)}
    texts = {name: len(each) for name, each in splits.items()}
    return {"measure": task.measure, "texts": texts, "longer": longer, "ways": rows}


def read(texts: Sequence[str], bundle: Bundle) -> list[list[int]]:
    return [bundle.vocabulary.ids(tokenize(text)) or [UNKNOWN] for text in texts]


def encode(texts: Sequence[Sequence[int]], engine: Engine, most: int) -> dict[str, Features]:
    """Return the encodings [n, features] of every way; windows are read once for all ways."""
    reading = Reading(max_tokens=most, long_texts="attention")
    starts = [reading.starts(len(text)) for text in texts]

    def windows() -> Iterator[Sequence[int]]:
        for text, places in zip(texts, starts, strict=True):
            for start in places:
                yield text[start : start + most]

    runs = engine.run(windows_of(windows(), WINDOW), ("features", MASS))
    found = (
        (row, mass[0]) for rows, masses in runs for row, mass in zip(rows, masses, strict=True)
    )
    encodings: dict[str, list[Any]] = {way: [] for way in WAYS}
    for places in starts:
        rows, masses = zip(*islice(found, len(places)), strict=True)
        shares = np.exp(np.array(masses) - max(masses))
        encodings["cut"].append(rows[0])
        encodings["attention"].append(np.average(rows, axis=0, weights=shares))
        encodings["mean"].append(np.mean(rows, axis=0))
    return {way: np.array(each, np.float32) for way, each in encodings.items()}


def fit(task: Task, test: Labelled, features: Mapping[str, Features]) -> tuple[dict[str, Any], Any]:
    """Return the figures of a final layer, and its answers to the test texts."""
    problem, name = task.problem, task.measure
    selection: Selection[Head] = Selection(problem, task.validation, name)
    head, report = fit_logistic(selection, task.train, features["train"], features["validation"])
    row: dict[str, Any] = {"C": report["chosen"]["C"]}
    limits = best_thresholds(
        problem.targets(task.validation, "validation"), head.scores(features["validation"])
    )
    answered: Any = None
    for split, each in (("validation", task.validation), ("test", test)):
        truth, scores = problem.targets(each, split), head.scores(features[split])
        answered = answers(name, scores, problem.kind, limits)
        row[split] = round(mark(name, truth, answered, problem.kind), 4)
        row[f"{split}_log_loss"] = round(log_loss(truth, scores, problem.kind), 4)
    return row, answered


def over_sets(sets: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of all sets, and the way that validation prefers."""
    means = {
        way: {key: round(float(np.mean([s["ways"][way][key] for s in sets])), 4) for key in FIGURES}
        for way in WAYS
    }
    texts = sum(each["texts"]["validation"] for each in sets)
    best = max(each["validation"] for each in means.values())
    least = best - math.sqrt(best * (1 - best) / texts)
    held = [way for way in WAYS if means[way]["validation"] >= least]
    return {"means": means, "chosen": min(held, key=lambda w: means[w]["validation_log_loss"])}


if __name__ == "__main__":
    main()
