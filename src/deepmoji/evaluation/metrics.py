"""Measures of a classifier's answers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def top_k_accuracy(
    scores: NDArray[np.float32], labels: NDArray[np.int64], ks: Sequence[int] = (1, 5)
) -> list[float]:
    """Return, for each k, the share of rows whose label is among the k best scores."""
    own = scores[np.arange(len(labels)), labels]
    # Ties count against the model, so that constant scores gain nothing.
    ranks = (scores >= own[:, None]).sum(axis=1)
    return [float((ranks <= k).mean()) for k in ks]


def emoji_accuracies(
    log_scores: NDArray[np.float32],
    labels: NDArray[np.int64],
    *,
    balanced: NDArray[np.bool_],
    natural: NDArray[np.bool_],
    prior: NDArray[np.float64],
) -> dict[str, float]:
    """Loss and top-1/top-5 accuracy on the natural rows and, prior divided out, the balanced ones.

    The balanced figures are means over the emojis of each emoji's accuracy.

    Args:
        log_scores: natural log-probabilities float32 [rows, C].
        labels: int64 [rows].
        balanced: bool [rows], which rows are in the balanced set.
        natural: bool [rows], which rows are in the natural set.
        prior: float64 [C], how often the model saw each class in training.
    """
    loss = -log_scores[natural, labels[natural]].mean() if natural.any() else float("nan")
    top_1, top_5 = top_k_accuracy(log_scores[natural], labels[natural])
    corrected = log_scores[balanced] - np.log(np.maximum(prior, 1e-12)).astype(np.float32)
    truth = labels[balanced]
    by_class = [
        top_k_accuracy(corrected[truth == label], truth[truth == label])
        for label in np.unique(truth)
    ]
    balanced_1, balanced_5 = np.mean(by_class, axis=0) if by_class else (float("nan"),) * 2
    return {
        "natural_loss": float(loss),
        "natural_top1": top_1,
        "natural_top5": top_5,
        "balanced_top1": float(balanced_1),
        "balanced_top5": float(balanced_5),
    }
