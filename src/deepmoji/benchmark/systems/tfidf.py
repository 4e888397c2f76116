"""Words and pieces of words, weighted by TF-IDF, and logistic regression."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from deepmoji.benchmark.answers import HeadAnswers
from deepmoji.benchmark.heads import Head
from deepmoji.benchmark.logistic import STRENGTHS, fit_logistic
from deepmoji.benchmark.selection import Selection
from deepmoji.benchmark.system import SELECTION
from deepmoji.benchmark.tasks import Task
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.text.tokenizer import tokenize

_WORDS = (1, 2)
_CHARACTERS = (2, 5)
_MOST = 100_000  # features of each sort: TweetEval's emoji set has millions, seen once or twice
SETTINGS: Mapping[str, Any] = {
    "words": _WORDS,
    "characters": _CHARACTERS,
    "features": _MOST,
    "C": STRENGTHS,
    "selection": SELECTION,
}


@dataclass(frozen=True, kw_only=True)
class TfIdf:
    """Linear on sparse counts: what fifty lines of scikit-learn reach."""

    name: str = "tfidf"
    deterministic: bool = True
    uses_base: bool = False
    settings: Mapping[str, Any] = field(default_factory=lambda: SETTINGS)

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
        """Count, weight, fit; see :class:`deepmoji.benchmark.system.System`."""
        union = vectoriser()
        of_train = union.fit_transform(train.texts)
        of_validation = union.transform(validation.texts)
        selection = Selection[Head](problem, validation, measure)
        head, report = fit_logistic(selection, train, of_train, of_validation)
        return HeadAnswers(features=union.transform, head=head, report=report)


def vectoriser() -> Any:
    """Return the vectoriser. The words are DeepMoji's, so that emojis and emoticons count."""
    common: dict[str, Any] = {
        "lowercase": False,
        "sublinear_tf": True,
        "max_features": _MOST,
        "dtype": np.float32,
    }
    own: dict[str, Any] = {"tokenizer": tokenize, "token_pattern": None}
    words = TfidfVectorizer(ngram_range=_WORDS, **own, **common)
    characters = TfidfVectorizer(
        analyzer="char_wb", preprocessor=str.lower, ngram_range=_CHARACTERS, **common
    )
    return FeatureUnion([("words", words), ("characters", characters)])
