"""Measures of a classifier's answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TINY = 1e-12  # stands for a class that never occurs
_Z95 = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
BINS = 15  # of the calibration error, as in Guo et al.


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
    posterior, evidence = _adjusted(log_scores, priors)
    posterior = posterior[natural]
    top_1, top_5 = top_k_accuracy(posterior, labels[natural])
    loss = np.nan
    if natural.any():
        total = np.log(np.exp(posterior - posterior.max(axis=1, keepdims=True)).sum(axis=1))
        own = posterior[np.arange(len(posterior)), labels[natural]] - posterior.max(axis=1)
        loss = float((total - own).mean())
    shares, _ = _by_class(evidence[balanced], labels[balanced])
    balanced_1, balanced_5 = shares.mean(axis=0) if len(shares) else (np.nan, np.nan)
    return {
        "natural_loss": loss,
        "natural_top1": top_1,
        "natural_top5": top_5,
        "balanced_top1": float(balanced_1),
        "balanced_top5": float(balanced_5),
    }


def emoji_intervals(
    log_scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    balanced: NDArray[np.bool_],
    natural: NDArray[np.bool_],
    priors: Priors,
) -> dict[str, list[float]]:
    """Return 95 % intervals of the accuracies of :func:`emoji_accuracies`, which has the arguments.

    Natural accuracies are shares of rows: :func:`wilson`. Balanced ones are means over C classes of
    shares with n rows each, k of them right: normal, of variance sum(p (1 - p) / n) / C², where
    p = (k + 1) / (n + 2) counts one more row as right and one as wrong (Agresti and Caffo, The
    American Statistician 54, 2000), as the share itself has no variance at 0, at 1 and in one row.
    Rows count as independent, though a post with several emojis gives several.

    Returns:
        ``natural_top1_interval`` and so on, [lower, upper] each; none for an empty set.
    """
    posterior, evidence = _adjusted(log_scores, priors)
    found: dict[str, list[float]] = {}
    rows = int(natural.sum())
    for k, share in zip((1, 5), top_k_accuracy(posterior[natural], labels[natural]), strict=True):
        if rows:
            found[f"natural_top{k}_interval"] = wilson(share, rows)
    shares, counts = _by_class(evidence[balanced], labels[balanced])
    rows_of = counts[:, None]
    smoothed = (shares * rows_of + 1) / (rows_of + 2)
    variances = smoothed * (1 - smoothed) / rows_of
    for column, k in enumerate((1, 5)):
        if len(counts):
            mean = float(shares[:, column].mean())
            half = _Z95 * float(np.sqrt(variances[:, column].sum())) / len(counts)
            found[f"balanced_top{k}_interval"] = [max(0.0, mean - half), min(1.0, mean + half)]
    return found


def wilson(share: float, rows: int) -> list[float]:
    """Return the 95 % score interval of a share (Wilson, 1927), [lower, upper].

    >>> [round(bound, 3) for bound in wilson(0.8, 10)]
    [0.49, 0.943]

    Args:
        share: of the rows for which something holds.
        rows: how many there are, at least one.
    """
    square = _Z95**2 / rows
    middle = share + square / 2
    half = float(np.sqrt(square * (share * (1 - share) + square / 4)))
    return [max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))]


def calibration_error(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64]
) -> float | None:
    """Return the expected calibration error of the most probable class.

    Rows are put into 15 bins of equal width by their highest probability; the error is the mean
    over rows of |accuracy - mean highest probability| of the row's bin (Guo et al., On Calibration
    of Modern Neural Networks, ICML 2017, section 2). From 0, best, to 1.

    Args:
        probabilities: [rows, C].
        labels: int64 [rows].

    Returns:
        the error; None without rows.
    """
    if len(labels) == 0:
        return None
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    # Bins are open below and closed above, as the paper's.
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    surplus = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(surplus).sum() / len(labels))


def _adjusted(
    log_scores: NDArray[np.float32], priors: Priors
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log scores on posts as they occur, and with every class as often, [rows, C] each."""
    was_seen = priors.seen > 0  # what training never saw, a model has no evidence for
    evidence = np.where(was_seen, log_scores - np.log(np.where(was_seen, priors.seen, 1)), -np.inf)
    # It stays possible, if unlikely, among posts as they occur: the loss has to stay finite.
    posterior = np.where(was_seen, evidence, log_scores)
    return posterior + np.log(np.maximum(priors.natural, _TINY)), evidence


def _by_class(
    scores: NDArray[np.float64], truth: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return top-1 and top-5 accuracy [classes, 2] of each class that occurs, and its rows."""
    classes, counts = np.unique(truth, return_counts=True)
    shares = [top_k_accuracy(scores[truth == label], truth[truth == label]) for label in classes]
    return np.asarray(shares, np.float64).reshape(-1, 2), counts
