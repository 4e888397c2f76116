"""Tasks: a set to learn from and a test paper without its answers."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepmoji.benchmark.layout import SPLITS, SetFile
from deepmoji.benchmark.suites import SUITES, PublishedSet, Suite
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, Problem, split_validation

_DIVIDING_SEED = 0  # one division for all systems and seeds
_DIVIDING_SHARE = 0.1  # as much of it validates as in TweetEval's other sets


@dataclass(frozen=True, kw_only=True)
class ExamPaper:
    """The texts of a test split, and which file holds the answers.

    The answers themselves are in no object that a system, its fitting or a worker process ever
    holds: ``benchmark.marks`` reads them from the file, for answers that are finished.

    Attributes:
        texts: to answer.
        data: the folder of the suites.
        digest: sha256 of the set, so that no paper is marked by the answers to another one.
        leaky: places of the texts that gave their answer away, before that was cut out.
    """

    texts: tuple[str, ...]
    data: Path
    digest: str
    leaky: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One set of a suite, ready to be fitted and answered.

    Attributes:
        suite: paper or tweeteval.
        name: of the set.
        problem: kind and classes.
        measure: the official one.
        train: to fit on.
        validation: to choose on.
        test: to answer; nothing can be chosen on it.
        digest: sha256 of everything in the set and of how it is read and divided; names its
            answers.
        note: what a reader of results has to know; "" if nothing.
    """

    suite: Suite
    name: str
    problem: Problem
    measure: str
    train: Labelled
    validation: Labelled
    test: ExamPaper
    digest: str
    note: str = ""

    def with_train(self, rows: Sequence[int]) -> "Task":
        """Return the task with these rows of its training split alone."""
        digest = _digest([self.digest, [int(row) for row in rows]])
        return replace(self, train=self.train.take(rows), digest=digest)


def published_sets(suite: Suite, names: Sequence[str] | None = None) -> list[PublishedSet]:
    """Return the sets of a suite, all or those named, in the suite's order.

    Raises:
        InputError: if the suite or a name is unknown.
    """
    if suite not in SUITES:
        raise InputError(f"there is no suite {suite!r}; there are {', '.join(SUITES)}")
    known = [each.name for each in SUITES[suite]]
    for name in names or ():
        if name not in known:
            raise InputError(f"{suite} has no task {name!r}; it has {', '.join(known)}")
    return [each for each in SUITES[suite] if not names or each.name in names]


def load_tasks(suite: Suite, data: Path, names: Sequence[str] | None = None) -> list[Task]:
    """Read the tasks of a suite.

    Args:
        suite: ``paper`` or ``tweeteval``.
        data: the folder that holds a folder for each suite.
        names: of sets; all by default.

    Raises:
        InputError: if a name is unknown, or a file missing or not as expected.
    """
    return [load_task(suite, data, each) for each in published_sets(suite, names)]


def load_task(suite: Suite, data: Path, published: PublishedSet) -> Task:
    """Read one set; the answers to its test split are dropped here, and what gives them away.

    Raises:
        InputError: if its file is missing or not as expected.
    """
    content = SetFile.read(data, suite, published)
    train, validation, test = (_without(published.leaks, content.splits[name]) for name in SPLITS)
    leaky = [
        place
        for place, text in enumerate(content.splits["test"].texts)
        if published.leak and published.leak in text
    ]
    notes = _size_notes(content, published)
    if not len(train):
        train, validation = split_validation(validation, share=_DIVIDING_SHARE, seed=_DIVIDING_SEED)
        notes.append(
            "its train split is not in the file: the published validation split is divided "
            f"(stratified, seed {_DIVIDING_SEED}) into {len(train):,} texts to train on and "
            f"{len(validation):,} to validate on"
        )
    seen = {text.strip() for split in (train, validation) for text in split.texts}
    if repeated := sum(text.strip() in seen for text in test.texts):
        notes.append(f"{repeated:,} of {len(test):,} test texts stand in train or validation too")
    return Task(
        suite=suite,
        name=published.name,
        problem=Problem.of(
            train, multi_label=published.kind == "multi", classes=list(content.classes)
        ),
        measure=published.measure,
        train=train,
        validation=validation,
        test=ExamPaper(texts=test.texts, data=data, digest=content.digest, leaky=frozenset(leaky)),
        digest=_digest([content.digest, published.leaks]) if published.leaks else content.digest,
        note="; ".join(notes),
    )


def _without(leaks: str, split: Labelled) -> Labelled:
    """Cut out what gives answers away."""
    if not leaks:
        return split
    pattern = re.compile(f"[{leaks}]")
    return replace(split, texts=tuple(pattern.sub("", text) for text in split.texts))


def _digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _size_notes(content: SetFile, published: PublishedSet) -> list[str]:
    sizes = [len(content.splits[name]) for name in SPLITS]
    return [
        f"its {name} split has {size:,} texts, the published one {expected:,}"
        for name, size, expected in zip(SPLITS, sizes, published.sizes, strict=True)
        if size not in (expected, 0)
    ]
