"""Figures that others published for the same sets, each with the measure and the split it is on."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from deepmoji.benchmark.suites import Suite

# Tasks whose published figures stand for several sets of ours: TweetEval's stance is the mean over
# its five targets.
GROUPS: Mapping[str, str] = {
    f"stance-{target}": "stance"
    for target in ("abortion", "atheism", "climate", "feminist", "hillary")
}

# Sets that results are published for, and that nobody can obtain.
NOT_PUBLIC: Mapping[Suite, tuple[str, ...]] = {"paper": ("SE1604",), "tweeteval": ()}

_FELBO = "Felbo et al., EMNLP 2017"
_BARBIERI = "TweetEval's leaderboard (Barbieri et al., Findings of EMNLP 2020)"
_PUBLIC = "public"
LEAK_FREE = "public, rows without U+FE0F"  # TweetEval's emoji: see ``standing``
_FEWER = "the paper's, with 100 test texts fewer than the public one"
_OWN = "the paper's"
_LATER = "that of its paper"
_NAMED = ("Emo2Vec", "InfoDCL", "DCL")  # papers of their own; others are figures beside those


@dataclass(frozen=True, kw_only=True)
class Published:
    """A figure from a publication: not measured here.

    Attributes:
        task: the set, or the group of sets that it is the mean of.
        system: by its name there.
        value: from 0 to 1.
        measure: as in ``evaluation.measures.MEASURES``.
        split: which texts it is on.
        source: where it stands.
        decimals: of the value in per cent: how exactly it was published.
    """

    task: str
    system: str
    value: float
    measure: str
    split: str
    source: str
    decimals: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def published(suite: Suite, task: str) -> list[Published]:
    """Return what is published for a set, or for the group that it belongs to."""
    return [each for each in _ALL[suite] if each.task == GROUPS.get(task, task)]


def published_averages(suite: Suite) -> dict[str, float]:
    """Return means over a whole suite by system.

    TweetEval's are published. The paper gives none: they are those of its figures for the sets that
    are public.
    """
    if suite == "tweeteval":
        return dict(_TWEETEVAL_AVERAGES)
    rows = [values for task, _, _, values in _PAPER if task not in NOT_PUBLIC[suite]]
    means = (fmean(column) for column in zip(*rows, strict=True))
    return {system: round(mean, 4) for system, mean in zip(_SYSTEMS, means, strict=True)}


_EARLIER = "earlier best"
_SYSTEMS = (_EARLIER, "new", "full", "last", "chain-thaw")
_PAPER: tuple[tuple[str, str, str, tuple[float, ...]], ...] = (
    ("SE0714", "class_average_f1", _PUBLIC, (0.34, 0.21, 0.31, 0.36, 0.37)),
    ("Olympic", "class_average_f1", _OWN, (0.50, 0.43, 0.50, 0.61, 0.61)),
    ("PsychExp", "class_average_f1", _PUBLIC, (0.45, 0.32, 0.42, 0.56, 0.57)),
    ("SS-Twitter", "accuracy", _FEWER, (0.82, 0.62, 0.85, 0.87, 0.88)),
    ("SS-Youtube", "accuracy", _FEWER, (0.86, 0.75, 0.88, 0.92, 0.93)),
    ("SE1604", "accuracy", _OWN, (0.51, 0.51, 0.54, 0.58, 0.58)),
    ("SCv1", "class_average_f1", _FEWER, (0.63, 0.67, 0.65, 0.68, 0.69)),
    ("SCv2-GEN", "class_average_f1", _FEWER, (0.72, 0.71, 0.71, 0.74, 0.75)),
)
_LATER_BEST: tuple[tuple[str, str, str, float], ...] = (
    ("SE0714", "Emo2Vec + GloVe", "class_average_f1", 0.43),
    ("Olympic", "best later figure", "class_average_f1", 0.61),
    ("PsychExp", "InfoDCL-RoBERTa", "macro_f1", 0.684),
    ("PsychExp", "RoBERTa", "macro_f1", 0.665),
    ("SS-Twitter", "InfoDCL-RoBERTa", "macro_f1", 0.916),
    ("SS-Twitter", "RoBERTa", "macro_f1", 0.896),
    ("SS-Youtube", "InfoDCL-BERTweet", "macro_f1", 0.924),
    ("SS-Youtube", "RoBERTa", "macro_f1", 0.902),
    ("SCv1", "best later figure", "macro_f1", 0.688),
    ("SCv2-GEN", "DCL-RoBERTa", "macro_f1", 0.778),
    ("SCv2-GEN", "RoBERTa", "macro_f1", 0.769),
)
_TASKS = {
    "emoji": "macro_f1",
    "emotion": "macro_f1",
    "hate": "macro_f1",
    "irony": "positive_f1",
    "offensive": "macro_f1",
    "sentiment": "macro_recall",
    "stance": "stance_f1",
}
_TWEETEVAL: Mapping[str, tuple[float, ...]] = {
    "BERTweet": (33.4, 79.3, 56.4, 82.1, 79.5, 73.4, 71.2),
    "TimeLMs-2021": (34.0, 80.2, 55.1, 64.5, 82.2, 73.7, 72.9),
    "RoBERTa re-trained": (31.4, 78.5, 52.3, 61.7, 80.5, 72.8, 69.3),
    "RoBERTa base": (30.9, 76.1, 46.6, 59.7, 79.5, 71.3, 68.0),
    "fastText": (25.8, 65.2, 50.6, 63.1, 73.4, 62.9, 65.4),
    "LSTM": (24.7, 66.0, 52.6, 62.8, 71.7, 58.3, 59.4),
    "SVM": (29.3, 64.7, 36.7, 61.7, 52.3, 62.9, 67.3),
}
_TWEETEVAL_AVERAGES = {
    "BERTweet": 0.679,
    "TimeLMs-2021": 0.662,
    "RoBERTa re-trained": 0.652,
    "RoBERTa base": 0.613,
    "fastText": 0.581,
    "LSTM": 0.565,
    "SVM": 0.535,
}


def _of_paper() -> Iterator[Published]:
    for task, measure, split, values in _PAPER:
        for system, value in zip(_SYSTEMS, values, strict=True):
            yield Published(
                task=task,
                system=system,
                value=value,
                measure=measure,
                split=split,
                decimals=0,
                source=f"quoted by {_FELBO}" if system == _EARLIER else f"{_FELBO}, mean of 5 runs",
            )
    for task, system, measure, value in _LATER_BEST:
        yield Published(
            task=task,
            system=system,
            value=value,
            measure=measure,
            split=_LATER,
            decimals=0 if value == round(value, 2) else 1,
            source=f"{system}'s paper" if system.startswith(_NAMED) else "a later paper",
        )


def _of_tweeteval() -> Iterator[Published]:
    for system, values in _TWEETEVAL.items():
        for (task, measure), value in zip(_TASKS.items(), values, strict=True):
            yield Published(
                task=task,
                system=system,
                value=round(value / 100, 4),
                measure=measure,
                split=_PUBLIC,
                source=_BARBIERI,
            )
    # The predictions that its authors publish, marked again, on all rows and without the leak.
    for split, value in ((_PUBLIC, 0.3155), (LEAK_FREE, 0.251)):
        yield Published(
            task="emoji",
            system="RoBERTa re-trained, one run",
            value=value,
            measure="macro_f1",
            split=split,
            source="its published predictions",
        )


_ALL: Mapping[Suite, tuple[Published, ...]] = {
    "paper": tuple(_of_paper()),
    "tweeteval": tuple(_of_tweeteval()),
}
