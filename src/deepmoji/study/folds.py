"""Cross-validation: every text is held out once, and answered by systems that never saw it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.systems import SYSTEMS
from deepmoji.errors import InputError
from deepmoji.evaluation.holdout import split_validation
from deepmoji.evaluation.labelled import Labelled
from deepmoji.evaluation.problem import Problem
from deepmoji.study.ratings import Rated

CLASSES = ("negative", "positive")
_MEASURE = "accuracy"
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Texts to learn from and texts to answer.

    Attributes:
        train: training texts, but those near neutral.
        validation: held out of them, to stop and to choose on.
        held_out: places of the texts to answer.
    """

    train: Labelled
    validation: Labelled
    held_out: NDArray[np.int64]


def folds_of(rated: Rated, folds: int, seed: int) -> Iterator[Fold]:
    """Divide texts, each class and the near-neutral ones in about the same proportions.

    Copies of a text stand in the same fold. The label of a training text is the sign of the mean of
    all its ratings; near-neutral ones teach nothing and are left out.

    Raises:
        InputError: if there are fewer than two folds, or more than texts.
    """
    if not 2 <= folds <= len(rated):
        raise InputError(f"{len(rated)} texts cannot be divided into {folds} folds")
    signs = rated.scale.sign(rated.means)
    fold_of = _deal(rated.texts, signs, folds, np.random.default_rng(seed))
    for fold in range(folds):
        learnt = np.flatnonzero((fold_of != fold) & (signs != 0))
        names = tuple((CLASSES[int(signs[row] > 0)],) for row in learnt)
        data = Labelled(texts=tuple(rated.texts[row] for row in learnt), labels=names)
        if len(set(names)) < 2:
            raise InputError(
                "the training texts are all positive, all negative or all near neutral; a study "
                "needs both kinds"
            )
        train, validation = split_validation(data, seed=seed)
        yield Fold(train=train, validation=validation, held_out=np.flatnonzero(fold_of == fold))


def _deal(
    texts: Sequence[str], signs: NDArray[np.int8], folds: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return the fold of each text, [n]."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows.setdefault(text.strip(), []).append(row)
    groups = list(rows.values())
    order = sorted(random.permutation(len(groups)).tolist(), key=lambda g: int(signs[groups[g][0]]))
    fold_of = np.empty(len(texts), np.int64)
    for turn, group in enumerate(order):
        fold_of[groups[group]] = turn % folds
    return fold_of


def answer_held_out(
    rated: Rated,
    systems: Sequence[str],
    *,
    base: Path | None,
    folds: int,
    seed: int,
    report: Report,
) -> tuple[dict[str, NDArray[np.int8]], list[dict[str, Any]]]:
    """Let systems answer every text, each fitted on the other folds.

    Args:
        rated: the texts.
        systems: names of the benchmark's systems.
        base: the pretrained model that transfer starts from; None for the shipped one.
        folds: how many.
        seed: of the division and of the systems.
        report: called with a system, a fold and the number of folds.

    Returns:
        by system 1 or -1 for each text, int8 [n]; and sizes of each fold.
    """
    problem = Problem(classes=CLASSES, kind="binary")
    answers = {name: np.zeros(len(rated), np.int8) for name in systems}
    sizes: list[dict[str, Any]] = []
    for place, fold in enumerate(folds_of(rated, folds, seed)):
        for name in systems:
            report(name, place + 1, folds)
            fitted = SYSTEMS[name].fit(
                problem, fold.train, fold.validation, base=base, seed=seed, measure=_MEASURE
            )
            scores = fitted.scores([rated.texts[row] for row in fold.held_out])
            # Nothing is tuned: what is more probable than not.
            answers[name][fold.held_out] = np.where(scores.argmax(axis=1) == 1, 1, -1)
        sizes.append(
            {
                "train": len(fold.train),
                "validation": len(fold.validation),
                "held_out": len(fold.held_out),
            }
        )
    return answers, sizes
