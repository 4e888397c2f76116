"""The plain network that ours is compared with, as something that answers texts."""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import MAX_TOKENS, FineTuneConfig, ModelConfig
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.transfer.options import Options
from deepmoji.transfer.words import extended, read_words, usual_length

Scores = NDArray[np.float32]


class PlainLSTM:
    """Two bidirectional LSTM layers without attention, skip connections or pretraining."""

    def __init__(self, network: Any, vocabulary: Vocabulary, max_tokens: int, kind: str) -> None:
        self._network, self._vocabulary, self._max_tokens = network, vocabulary, max_tokens
        self._kind = kind
        self.report: Mapping[str, Any] = {}

    def scores(self, texts: Sequence[str]) -> Scores:
        """Return probabilities float32 [n, C]."""
        from deepmoji.training.export import network_scores

        ids = [self._vocabulary.ids(words) for words in read_words(texts)]
        scores = network_scores(self._network, ids, self._max_tokens)
        return np.concatenate([1 - scores, scores], axis=1) if self._kind == "binary" else scores


def plain_lstm(
    train: Labelled, validation: Labelled, *, seed: int = 0, **options: Unpack[Options]
) -> PlainLSTM:
    """Train a plain LSTM of the full size, with the sizes, draws and stopping of ``new``.

    Its vocabulary is that of the training texts.

    Args:
        train: labelled texts.
        validation: labelled texts, which say when to stop.
        seed: of weights, draws and dropout.
        options: ``classes`` and ``multi_label``, see :class:`Options`.

    Raises:
        InputError: see :func:`finetune`.
    """
    from deepmoji.training.finetune import Course, Lesson, Start, tune
    from deepmoji.training.hardware import Hardware
    from deepmoji.training.plain import PlainNetwork

    problem = Problem.of(
        train, multi_label=options.get("multi_label"), classes=options.get("classes")
    )
    words = read_words(train.texts)
    config = FineTuneConfig()
    vocabulary = extended(Vocabulary(SPECIAL_TOKENS), words, config.extend)
    usual = usual_length(words)
    max_tokens = max(usual, MAX_TOKENS)
    lesson = Lesson(
        kind=problem.kind,
        train=[vocabulary.ids(each) for each in words],
        train_targets=problem.targets(train, "training"),
        validation=[vocabulary.ids(each) for each in read_words(validation.texts)],
        validation_targets=problem.targets(validation, "validation"),
    )
    outcome, network = tune(
        Start(config=ModelConfig(vocabulary_size=len(vocabulary)), weights={}),
        lesson,
        Course(
            method="new",
            config=config,
            max_tokens=max_tokens,
            batch_size=config.batch(usual),
            seed=seed,
            hardware=Hardware(processes=1),
        ),
        report=_ignore,
        kind=PlainNetwork,
    )
    plain = PlainLSTM(network, vocabulary, max_tokens, problem.kind)
    plain.report = {"settings": config.to_dict(), "history": outcome.history}
    return plain


def _ignore(progress: object) -> None:
    """Show nothing."""
