"""fastText: averaged word and bigram vectors, learnt on the task alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.selection import Selection
from deepmoji.benchmark.system import SELECTION
from deepmoji.benchmark.tasks import Task
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.evaluation.fasttext_model import FastText
from deepmoji.text.tokenizer import tokenize

_EPOCHS = (5, 25, 100)
_RATES = (0.1, 0.25, 0.5, 1.0)
# Its default of two million buckets for bigrams is 800 MB, more than any of the sets fills.
_SIZES = {"dim": 100, "wordNgrams": 2, "bucket": 200_000}


@dataclass(frozen=True, kw_only=True)
class FastTextSystem:
    """Joulin et al. (2017), on one thread, so that a seed gives the same answers again."""

    name: str = "fasttext"
    deterministic: bool = False
    uses_base: bool = False
    settings: Mapping[str, Any] = field(
        default_factory=lambda: {
            **_SIZES,
            "epoch": _EPOCHS,
            "lr": _RATES,
            "selection": SELECTION,
        }
    )

    def fits(self, task: Task) -> bool:
        """Every task."""
        return True

    def fit(
        self,
        problem: Problem,
        train: Labelled,
        validation: Labelled,
        *,
        base: Path | None,
        seed: int,
        measure: str,
    ) -> "FastTextAnswers":
        """Try epochs and learning rates; see :class:`deepmoji.benchmark.system.System`."""
        targets = problem.targets(train, "training")
        examples = [
            (tokenize(text), np.flatnonzero(row).tolist())
            for text, row in zip(train.texts, targets, strict=True)
        ]
        of_validation = [tokenize(text) for text in validation.texts]
        loss = "ova" if problem.kind == "multi" else "softmax"

        selection = Selection[FastText](problem, validation, measure)
        for epoch, rate in product(_EPOCHS, _RATES):
            tried = {"epoch": epoch, "lr": rate}
            try:
                model = FastText.train(
                    examples,
                    classes=len(problem.classes),
                    threads=1,
                    seed=seed,
                    loss=loss,
                    **_SIZES,
                    **tried,
                )
            except InputError:
                continue  # it diverged: no candidate
            selection.add(tried, model, model.probabilities(of_validation))
        return FastTextAnswers(*selection.chosen())


@dataclass(frozen=True)
class FastTextAnswers:
    """A trained classifier of words."""

    model: FastText
    report: Mapping[str, Any]

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities, float32 [n, C]."""
        return self.model.probabilities(tokenize(text) for text in texts)
