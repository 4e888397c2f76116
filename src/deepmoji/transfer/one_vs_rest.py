"""A tuned model for each class against the rest: how the paper measures class-average F1."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Unpack

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import Method
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.transfer.finetune import FineTuned, finetune
from deepmoji.transfer.options import Options

Scores = NDArray[np.float32]


class Scorer(Protocol):
    """What answers texts with probabilities."""

    @property
    def report(self) -> Mapping[str, Any]:
        """What made it."""
        ...

    def scores(self, texts: Sequence[str]) -> Scores:
        """Return probabilities float32 [n, C]."""
        ...


class OneVsRest:
    """A model of its own for each class, from the same start (the paper's class-average F1).

    Attributes:
        report: of each class, what made its model.
    """

    def __init__(self, models: Sequence[Scorer], report: Mapping[str, Any]) -> None:
        self._models, self.report = models, report

    def scores(self, texts: Sequence[str]) -> Scores:
        """Return how probable each class is against all others, float32 [n, C]."""
        return np.stack([model.scores(texts)[:, 1] for model in self._models], axis=1)


class _Heads:
    """Models that differ in their last layer alone: texts are encoded once for all of them."""

    def __init__(self, tuned: Sequence[FineTuned], report: Mapping[str, Any]) -> None:
        from deepmoji.training.weights import starting_weights

        self.report = report
        weights = [starting_weights(each.predictor.bundle) for each in tuned]
        # Of two logits that a softmax weighs, the first is 0.
        self._kernel = np.stack([each["output.weight"][1] for each in weights], axis=1)
        self._bias = np.array([each["output.bias"][1] for each in weights])
        self._encoder = tuned[0].predictor
        self._kept = tuned[0]

    def scores(self, texts: Sequence[str]) -> Scores:
        logits = self._encoder.encode(texts) @ self._kernel + self._bias
        return (1 / (1 + np.exp(-logits))).astype(np.float32)


def one_vs_rest(
    train: Labelled,
    validation: Labelled,
    *,
    base: str | os.PathLike[str] | None = None,
    method: Method = "chain-thaw",
    seed: int = 0,
    report: Callable[[Any], None] | None = None,
    **options: Unpack[Options],
) -> Scorer:
    """Tune a binary model for each class and return what answers with all of them.

    Args:
        train: labelled texts.
        validation: labelled texts.
        base: see :func:`finetune`, as the rest.
        method: of each model.
        seed: of each model.
        report: told of progress.
        options: see :class:`Options`; ``classes`` gives the order of the columns.

    Raises:
        InputError: see :func:`finetune`; a class that no training text has, or all have, too.
    """
    classes = options.get("classes")
    problem = Problem.of(train, multi_label=options.get("multi_label"), classes=classes)
    rest: Options = {**options, "classes": ("rest", "class"), "multi_label": False}
    models = [
        finetune(
            _against_rest(train, name),
            _against_rest(validation, name),
            base=base,
            method=method,
            seed=seed,
            report=report,
            **rest,
        )
        for name in problem.classes
    ]
    names = zip(problem.classes, models, strict=True)
    reports = {"one_vs_rest": {name: model.report for name, model in names}}
    return _Heads(models, reports) if method == "last" else OneVsRest(models, reports)


def _against_rest(data: Labelled, name: str) -> Labelled:
    labels = tuple(("class",) if name in names else ("rest",) for names in data.labels)
    return Labelled(texts=data.texts, labels=labels)
