"""Labelled texts as the tuner reads them: ids, lengths, targets, and how much each counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepmoji.config import Outputs
from deepmoji.text.vocabulary import UNKNOWN
from deepmoji.training.recurrence import Packing


@dataclass(frozen=True, kw_only=True)
class Examples:
    """n texts of at least one token each."""

    ids: Tensor  # int64 [tokens], text after text
    starts: Tensor  # int64 [n], where each begins
    lengths: Tensor  # int64 [n]
    targets: Tensor  # float [n, C]; C is 1 where there are two classes: whether it is the second
    weights: Tensor  # float [n, C], or [n, 1] with a softmax: how much each counts

    @classmethod
    def of(
        cls,
        ids: Sequence[Sequence[int]],
        targets: NDArray[np.float32],
        *,
        max_tokens: int,
        weights: NDArray[np.float32],
    ) -> "Examples":
        """Cut texts at the right; one without a word becomes a single unknown one."""
        rows = [list(row[:max_tokens]) or [UNKNOWN] for row in ids]
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
        return cls(
            ids=torch.tensor([each for row in rows for each in row], dtype=torch.int64),
            starts=lengths.cumsum(0) - lengths,
            lengths=lengths,
            targets=torch.from_numpy(targets),
            weights=torch.from_numpy(weights),
        )

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.lengths)

    def to(self, device: torch.device) -> "Examples":
        """Move to a device."""
        return Examples(**{name: tensor.to(device) for name, tensor in vars(self).items()})

    def places(self, rows: Tensor, packing: Packing) -> Tensor:
        """Return where in ``ids`` the packed rows of some texts stand, int64 [N]."""
        return self.starts[rows][packing.texts] + packing.steps


def class_weights(targets: NDArray[np.float32], outputs: Outputs) -> NDArray[np.float32]:
    """Return weights that let every class count the same, with mean 1.

    Args:
        targets: [n, C], C as in :class:`Examples`.
        outputs: with a softmax a row has one weight; with a sigmoid, yes and no of a class do.

    Returns:
        float32 [n, 1] or [n, C].
    """
    rows = len(targets)
    share = targets.mean(axis=0)
    if outputs == "softmax":
        per_class = 1 / np.maximum(share * int((share > 0).sum()), 1 / rows)
        return (targets @ per_class)[:, None].astype(np.float32)
    positive, negative = (0.5 / np.maximum(each, 0.5 / rows) for each in (share, 1 - share))
    return np.where(targets > 0, positive, negative).astype(np.float32)


def loss_of(logits: Tensor, targets: Tensor, weights: Tensor, outputs: Outputs) -> Tensor:
    """Return the weighted cross entropy of each text, nats, float [n]."""
    if outputs == "softmax":
        return -(torch.log_softmax(logits, dim=-1) * targets).sum(dim=1) * weights[:, 0]
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, targets, weight=weights, reduction="none"
    )
    return losses.mean(dim=1)
