"""Emoji prediction as an exam: the same texts for every system, the same marks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError
from deepmoji.evaluation.baselines import fasttext_scores, prior_scores
from deepmoji.evaluation.metrics import (
    Priors,
    calibration_error,
    emoji_accuracies,
    emoji_intervals,
)


class Pairs(Protocol):
    """Texts as ids, and their emojis; ``corpus.shards.Shard`` is one."""

    @property
    def ids(self) -> NDArray[np.unsignedinteger[Any]]:
        """Flat ids [tokens]."""
        ...

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each row starts in ``ids``, and the end: int64 [rows + 1]."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class of each row, int64 [rows]."""
        ...


class Split(Pairs, Protocol):
    """Pairs of an evaluation split, with their texts and the sets that they are in."""

    @property
    def texts(self) -> list[str] | None:
        """The inputs as written."""
        ...

    @property
    def balanced(self) -> NDArray[np.bool_] | None:
        """Rows of the balanced set, bool [rows]."""
        ...

    @property
    def natural(self) -> NDArray[np.bool_] | None:
        """Rows of the posts as they occur, bool [rows]."""
        ...


class History(Protocol):
    """The part of a bundle that says what made it."""

    @property
    def training(self) -> Mapping[str, Any]:
        """The content of ``training.json``."""
        ...


class Model(Protocol):
    """What answers; ``inference.predictor.Predictor`` is one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in order."""
        ...

    @property
    def bundle(self) -> History:
        """What the model was made of."""
        ...

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return probabilities float32 [n, C]."""
        ...


class EmojiExam:
    """An evaluation split of a corpus, and the systems that answer it.

    A mark sheet has what :func:`emoji_accuracies` and :func:`emoji_intervals` return, and
    ``natural_calibration_error``, that of the scores as the system gives them, on natural rows.

    Args:
        train: the pairs that every system was trained on.
        test: the pairs to answer.
        labels: the class names in order.
        words: the corpus's vocabulary, by id.

    Raises:
        InputError: if ``test`` has no texts or no sets, as training pairs have none.
    """

    def __init__(
        self, *, train: Pairs, test: Split, labels: tuple[str, ...], words: Sequence[str]
    ) -> None:
        if test.texts is None or test.balanced is None or test.natural is None:
            raise InputError("an exam is made of validation or test pairs, not of training pairs")
        self._train, self._test, self._labels, self._words = train, test, labels, words
        self._texts, self._balanced, self._natural = test.texts, test.balanced, test.natural
        counts = np.bincount(train.labels, minlength=len(labels))
        self._prior = counts / len(train.labels)

    def sizes(self) -> dict[str, int]:
        """Return the number of pairs, and of those in each set."""
        return {
            "pairs": len(self._test.labels),
            "balanced": int(self._balanced.sum()),
            "natural": int(self._natural.sum()),
        }

    def prior(self) -> dict[str, Any]:
        """Mark the answer that is the same for every text."""
        return self._mark(prior_scores(self._prior, len(self._test.labels)), self._prior)

    def fasttext(self) -> dict[str, Any]:
        """Train fastText on the same pairs and mark it.

        Raises:
            MissingDependency: without the ``eval`` extra.
        """
        pairs = zip(self._read(self._train), self._train.labels.tolist(), strict=True)
        test = list(self._read(self._test))
        scores = fasttext_scores(pairs, test, classes=len(self._labels))
        return self._mark(scores, self._prior)

    def model(self, model: Model) -> dict[str, Any]:
        """Mark a model.

        Raises:
            InputError: if it has other classes, or does not say how often it saw each.
        """
        if model.labels != self._labels:
            raise InputError(
                "the model has other classes than the corpus; "
                "evaluate it on the corpus that it was trained on"
            )
        seen = model.bundle.training.get("prior")
        if not isinstance(seen, list) or len(cast("list[Any]", seen)) != len(model.labels):
            raise InputError("the model does not say how often it saw each emoji (prior)")
        scores = np.log(np.maximum(model.scores(self._texts), 1e-12))
        return self._mark(scores, np.asarray(cast("list[float]", seen)))

    def _read(self, pairs: Pairs) -> Iterator[list[str]]:
        for start, end in pairwise(pairs.offsets):
            yield [self._words[int(index)] for index in pairs.ids[start:end]]

    def _mark(self, scores: NDArray[np.float32], seen: NDArray[np.float64]) -> dict[str, Any]:
        priors = Priors(seen=seen, natural=self._prior)
        sets: Any = {"balanced": self._balanced, "natural": self._natural, "priors": priors}
        labels = self._test.labels
        return {
            **emoji_accuracies(scores, labels, **sets),
            **emoji_intervals(scores, labels, **sets),
            "natural_calibration_error": calibration_error(
                np.exp(scores[self._natural]), labels[self._natural]
            ),
        }
