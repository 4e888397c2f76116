"""Measures of a classifier's answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TINY = 1e-12  # stands for a class that never occurs


def top_k_accuracy(
    scores: NDArray[np.floating[Any]], labels: NDArray[np.int64], ks: Sequence[int] = (1, 5)
) -> list[float]:
    """Return, for each k, the share of rows whose label is among the k best scores."""
    if len(labels) == 0:
        return [float("nan")] * len(ks)
    own = scores[np.arange(len(labels)), labels]
    # Ties count against the model, so that constant scores gain nothing.
    ranks = (scores >= own[:, None]).sum(axis=1)
    return [float((ranks <= k).mean()) for k in ks]


@dataclass(frozen=True, kw_only=True)
class Priors:
    """How often each class occurs, float64 [C] each."""

    seen: NDArray[np.float64]  # as the model saw them in training
    natural: NDArray[np.float64]  # in posts as they occur


def emoji_accuracies(
    log_scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    balanced: NDArray[np.bool_],
    natural: NDArray[np.bool_],
    priors: Priors,
) -> dict[str, float]:
    """Loss and top-1/top-5 accuracy, on posts as they occur and with every emoji as often.

    What the model saw in training is divided out of its scores; on the natural rows the natural
    prior is multiplied in instead. The balanced figures are means over each emoji's accuracy.

    Args:
        log_scores: the model's log-probabilities float32 [rows, C].
        labels: int64 [rows].
        balanced: bool [rows], which rows are in the balanced set.
        natural: bool [rows], which rows are in the natural set.
        priors: the frequencies of the classes.

    Returns:
        natural_loss (nats), natural_top1, natural_top5, balanced_top1, balanced_top5; not a number
        where a set is empty.
    """
    was_seen = priors.seen > 0  # what training never saw, a model has no evidence for
    evidence = np.where(was_seen, log_scores - np.log(np.where(was_seen, priors.seen, 1)), -np.inf)
    # It stays possible, if unlikely, among posts as they occur: the loss has to stay finite.
    posterior = np.where(was_seen, evidence, log_scores)[natural]
    posterior = posterior + np.log(np.maximum(priors.natural, _TINY))
    top_1, top_5 = top_k_accuracy(posterior, labels[natural])
    loss = np.nan
    if natural.any():
        total = np.log(np.exp(posterior - posterior.max(axis=1, keepdims=True)).sum(axis=1))
        own = posterior[np.arange(len(posterior)), labels[natural]] - posterior.max(axis=1)
        loss = float((total - own).mean())
    truth = labels[balanced]
    by_class = [
        top_k_accuracy(evidence[balanced][truth == label], truth[truth == label])
        for label in np.unique(truth)
    ]
    balanced_1, balanced_5 = np.mean(by_class, axis=0) if by_class else (np.nan, np.nan)
    return {
        "natural_loss": loss,
        "natural_top1": top_1,
        "natural_top5": top_5,
        "balanced_top1": float(balanced_1),
        "balanced_top5": float(balanced_5),
    }
