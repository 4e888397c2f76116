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
        classes: names in the order of the indices; none: they stand in :data:`LABELS_FILE`.
        train_may_lack: whether its validation split is divided where there is no train split.
    """

    name: str
    kind: Kind
    measure: str
    classes: tuple[str, ...] = ()
    train_may_lack: bool = False


_EMOTIONS = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
_QUADRANTS = (
    "negative & high control",
    "positive & high control",
    "negative & low control",
    "positive & low control",
)
_POLARITY = ("negative", "positive")
_SARCASM = ("not sarcastic", "sarcastic")


def _paper(name: str, kind: Kind, measure: str, classes: tuple[str, ...]) -> PublishedSet:
    return PublishedSet(name=name, kind=kind, measure=measure, classes=classes)


def _tweeteval(name: str, kind: Kind, measure: str) -> PublishedSet:
    return PublishedSet(name=name, kind=kind, measure=measure, train_may_lack=name == "sentiment")


SUITES: Mapping[Suite, tuple[PublishedSet, ...]] = {
    # Paper, table 3. SE1604, its eighth set, is not public; kaggle-insults came with its code.
    "paper": (
        _paper("SE0714", "multi", "class_average_f1", ("fear", "joy", "sadness")),
        _paper("Olympic", "multi", "class_average_f1", _QUADRANTS),
        _paper("PsychExp", "single", "class_average_f1", _EMOTIONS),
        _paper("SS-Twitter", "binary", "accuracy", _POLARITY),
        _paper("SS-Youtube", "binary", "accuracy", _POLARITY),
        _paper("SCv1", "binary", "positive_f1", _SARCASM),
        _paper("SCv2-GEN", "binary", "positive_f1", _SARCASM),
        _paper("kaggle-insults", "binary", "accuracy", ("neutral", "insult")),
    ),
    # Barbieri et al., Findings of EMNLP 2020, table 2.
    "tweeteval": (
        _tweeteval("emoji", "single", "macro_f1"),
        _tweeteval("emotion", "single", "macro_f1"),
        _tweeteval("hate", "binary", "macro_f1"),
        _tweeteval("irony", "binary", "positive_f1"),
        _tweeteval("offensive", "binary", "macro_f1"),
        _tweeteval("sentiment", "single", "macro_recall"),
        _tweeteval("stance-abortion", "single", "stance_f1"),
        _tweeteval("stance-atheism", "single", "stance_f1"),
        _tweeteval("stance-climate", "single", "stance_f1"),
        _tweeteval("stance-feminist", "single", "stance_f1"),
        _tweeteval("stance-hillary", "single", "stance_f1"),
    ),
}


def default_data() -> Path:
    """Return the folder that holds the sets if none is named."""
    shared = os.environ.get("DEEPMOJI_SHARED")
    return Path(shared) / "benchmarks" if shared else Path("benchmarks-data")
