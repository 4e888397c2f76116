"""The data sets of both suites: kinds, classes in index order, and the measure of each."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepmoji.config import Kind

Suite = Literal["paper", "tweeteval"]
LABELS_FILE = "labels.json"  # of TweetEval: the class names of each of its sets


@dataclass(frozen=True, kw_only=True)
class PublishedSet:
    """One data set as its authors publish it.

    Attributes:
        name: the file is called ``name.parquet``.
        kind: binary, single or multi.
        measure: the official one, of ``evaluation.measures.MEASURES``.
        sizes: texts to train, to validate and to test, as published.
        classes: names in the order of the indices; none: they stand in :data:`LABELS_FILE`.
        train_may_lack: whether its validation split is divided where there is no train split.
        leaks: characters that give answers away, in a regular expression's brackets: they are cut
            out of every text before anybody reads it.
        leak: the one of them that marks the texts whose answer is given away.
    """

    name: str
    kind: Kind
    measure: str
    sizes: tuple[int, int, int]
    classes: tuple[str, ...] = ()
    train_may_lack: bool = False
    leaks: str = ""
    leak: str = ""


_EMOTIONS = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
_QUADRANTS = (
    "negative & high control",
    "positive & high control",
    "negative & low control",
    "positive & low control",
)
_POLARITY = ("negative", "positive")
_SARCASM = ("not sarcastic", "sarcastic")


# Paper, table 3, in the splits of its public code. SE1604, its eighth set, is not public;
# kaggle-insults came with the code.
_PAPER: tuple[tuple[str, Kind, str, tuple[int, int, int], tuple[str, ...]], ...] = (
    ("SE0714", "multi", "class_average_f1", (200, 50, 1000), ("fear", "joy", "sadness")),
    ("Olympic", "multi", "class_average_f1", (200, 50, 762), _QUADRANTS),
    ("PsychExp", "single", "class_average_f1", (900, 100, 6480), _EMOTIONS),
    ("SS-Twitter", "binary", "accuracy", (800, 100, 1213), _POLARITY),
    ("SS-Youtube", "binary", "accuracy", (800, 100, 1242), _POLARITY),
    ("SCv1", "binary", "class_average_f1", (800, 100, 1095), _SARCASM),
    ("SCv2-GEN", "binary", "class_average_f1", (800, 100, 2360), _SARCASM),
    ("kaggle-insults", "binary", "accuracy", (4450, 495, 1237), ("neutral", "insult")),
)
# One text in five of TweetEval's emoji set, test as train, still holds the variation selector of an
# emoji that was cut out, and nearly all of those were hearts.
_SELECTORS, _COLOURED = "\ufe00-\ufe0f", "\ufe0f"
# Barbieri et al., Findings of EMNLP 2020, tables 1 and 2.
_TWEETEVAL: tuple[tuple[str, Kind, str, tuple[int, int, int]], ...] = (
    ("emoji", "single", "macro_f1", (45_000, 5_000, 50_000)),
    ("emotion", "single", "macro_f1", (3_257, 374, 1_421)),
    ("hate", "binary", "macro_f1", (9_000, 1_000, 2_970)),
    ("irony", "binary", "positive_f1", (2_862, 955, 784)),
    ("offensive", "binary", "macro_f1", (11_916, 1_324, 860)),
    ("sentiment", "single", "macro_recall", (45_615, 2_000, 12_284)),
    ("stance-abortion", "single", "stance_f1", (587, 66, 280)),
    ("stance-atheism", "single", "stance_f1", (461, 52, 220)),
    ("stance-climate", "single", "stance_f1", (355, 40, 169)),
    ("stance-feminist", "single", "stance_f1", (597, 67, 285)),
    ("stance-hillary", "single", "stance_f1", (620, 69, 295)),
)

SUITES: Mapping[Suite, tuple[PublishedSet, ...]] = {
    "paper": tuple(
        PublishedSet(name=name, kind=kind, measure=measure, sizes=sizes, classes=classes)
        for name, kind, measure, sizes, classes in _PAPER
    ),
    "tweeteval": tuple(
        PublishedSet(
            name=name,
            kind=kind,
            measure=measure,
            sizes=sizes,
            train_may_lack=name == "sentiment",
            leaks=_SELECTORS if name == "emoji" else "",
            leak=_COLOURED if name == "emoji" else "",
        )
        for name, kind, measure, sizes in _TWEETEVAL
    ),
}


def default_data() -> Path:
    """Return the folder that holds the sets if none is named."""
    shared = os.environ.get("DEEPMOJI_SHARED")
    return Path(shared) / "benchmarks" if shared else Path("benchmarks-data")
