"""DeepMoji's encodings beside TF-IDF, logistic regression on both: each knows what others lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from deepmoji.benchmark.answers import HeadAnswers, Remembered
from deepmoji.benchmark.heads import Array, Features, Head
from deepmoji.benchmark.logistic import fit_logistic
from deepmoji.benchmark.selection import Selection
from deepmoji.benchmark.systems.encodings import predictor
from deepmoji.benchmark.systems.tfidf import SETTINGS, vectoriser
from deepmoji.benchmark.tasks import Task
from deepmoji.evaluation.datasets import Labelled, Problem


@dataclass(frozen=True, kw_only=True)
class EncodingsTfIdf:
    """One linear model on both; each text is encoded once."""

    name: str = "encodings-tfidf"
    deterministic: bool = True
    uses_base: bool = True
    settings: Mapping[str, Any] = field(default_factory=lambda: {**SETTINGS, "length": 1.0})

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
    ) -> HeadAnswers:
        """Encode, count and fit; see :class:`deepmoji.benchmark.system.System`."""
        encode = Remembered(predictor(base).encode, validation.texts)
        counts = vectoriser()
        counts.fit(train.texts)

        def features(texts: Sequence[str]) -> Features:
            parts = (counts.transform(texts), sparse.csr_array(_of_length_1(encode(texts))))
            return sparse.hstack(parts, format="csr")

        selection = Selection[Head](problem, validation, measure)
        head, report = fit_logistic(
            selection, train, features(train.texts), features(validation.texts)
        )
        return HeadAnswers(features=features, head=head, report=report)


def _of_length_1(rows: Array) -> Array:
    """Give encodings the length that TF-IDF rows have, so that C regularises both alike."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, np.finfo(np.float32).tiny)
