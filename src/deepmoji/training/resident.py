"""Training pairs that lie on a GPU, and batches that are made there without waiting for it.

A GPU runs behind the program that tells it what to do. Whatever the program wants to know of it, or
copies to it from ordinary memory, makes the one wait for the other, at every step: so lengths,
which decide the shapes, stay on the CPU, and copies to the GPU start in pinned memory.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepmoji.text.vocabulary import UNKNOWN
from deepmoji.training.batches import Pairs
from deepmoji.training.loop import to_tensors
from deepmoji.training.pinned import copy_to

# Rows int64 [B] to ids int64 [B, T] and lengths int64 [B].
Gather = Callable[[NDArray[np.int64]], tuple[Tensor, Tensor]]


def gather_from(pairs: Pairs, max_tokens: int, device: torch.device) -> Gather:
    """Return how batches are made of pairs for a device: on a GPU, from a copy that lies there."""
    if device.type == "cuda":
        return DevicePairs(pairs, max_tokens, device).gather
    return partial(to_tensors, pairs, max_tokens=max_tokens, device=device)


class DevicePairs:
    """The ids of pairs on a device, four bytes each.

    Args:
        pairs: all of them.
        max_tokens: where batches are cut.
        device: where the ids go.
    """

    def __init__(self, pairs: Pairs, max_tokens: int, device: torch.device) -> None:
        self._ids = torch.from_numpy(pairs.ids.astype(np.int32)).to(device)
        self._offsets, self._cut = pairs.offsets, max_tokens

    def gather(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Gather rows into a padded batch, as :func:`deepmoji.training.batches.collate` does.

        Returns:
            ids int64 [B, T] on the device, and lengths int64 [B] on the CPU.
        """
        starts = self._offsets[rows]
        lengths = np.minimum(self._offsets[rows + 1] - starts, self._cut)
        device, longest = self._ids.device, max(1, int(lengths.max(initial=1)))
        first, count = copy_to(device, torch.from_numpy(np.stack([starts, lengths]))).unsqueeze(2)
        steps = torch.arange(longest, device=device)
        ids = self._ids[torch.where(steps < count, first + steps, 0)].long()
        # Nothing else lies behind an end; a row without ids is a single unknown token.
        ids = torch.where(steps < count, ids, torch.where(steps < 1 - count, UNKNOWN, 0))
        return ids, torch.from_numpy(np.maximum(lengths, 1))
