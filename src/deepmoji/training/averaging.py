"""A moving average of the weights (Polyak and Juditsky, 1992), to evaluate and to keep."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def average_of(network: nn.Module, decay: float) -> AveragedModel:
    """Return an exponential moving average of a network's weights.

    The first update copies the weights; the n-th weighs the average by (1 + n) / (10 + n) until
    that reaches ``decay``, so that the random start is soon forgotten. Every process of a run keeps
    its own: the weights are the same in all.

    Args:
        network: without buffers, of which it would keep the latest alone.
        decay: weight of the average so far in an update, in (0, 1).
    """

    @torch.no_grad()
    def update(
        means: tuple[Tensor, ...] | list[Tensor],
        weights: tuple[Tensor, ...] | list[Tensor],
        _updates: Tensor | int,
    ) -> None:
        updates = int(average.n_averaged)  # on the CPU: the copy that is given may be on a GPU
        kept = min(decay, (1 + updates) / (10 + updates))
        for mean, weight in zip(means, weights, strict=True):
            mean.lerp_(weight, 1 - kept)

    average = AveragedModel(network, multi_avg_fn=update)
    return average
