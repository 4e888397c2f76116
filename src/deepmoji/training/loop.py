"""One step, one evaluation, one schedule: the parts that every kind of training shares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepmoji.config import PretrainConfig
from deepmoji.training.batches import Pairs, collate
from deepmoji.training.network import Network


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a training run stands, for whoever shows it."""

    step: int
    steps: int
    loss: float  # nats, mean over the latest steps
    texts_per_second: float
    seconds_left: float
    is_last: bool = False  # nothing comes after this
    evaluation: dict[str, float] = field(default_factory=dict[str, float])  # when there was one
    stage: str = ""  # what comes before training itself; its steps are texts


# Picklable, as it is called in the first process; if it has a close(), that is called at the end,
# whether the run is done or failed.
Report = Callable[[Progress], None]


def learning_rate(step: int, steps: int, config: PretrainConfig) -> float:
    """Rise for ``warmup`` steps, stay, fall linearly to nothing over the last ``decay`` share.

    Because the middle is flat, a run that has not reached its end can be given more or fewer
    epochs and continues exactly as if it had been started with them.
    """
    rise = min(1.0, (step + 1) / max(1, config.warmup))
    left = (steps - step) / max(1.0, steps * config.decay)
    return config.learning_rate * min(rise, left, 1.0)


def make_optimiser(network: Network, config: PretrainConfig) -> torch.optim.Adam:
    """Adam with the original's L2 penalty on the embedding alone (fused: 2 ms a text less)."""
    embedding = network.embedding.weight
    others = [p for p in network.parameters() if p is not embedding]
    groups = [
        # The gradient of l2 * |w|^2 is 2 * l2 * w.
        {"params": [embedding], "weight_decay": 2 * config.embedding_l2},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=config.learning_rate, fused=True)


@torch.no_grad()
def decay_weights(network: Network, amount: float) -> None:
    """Shrink the matrices of LSTMs and last layer by a share, as AdamW does before each step.

    The rest is left alone: biases, the attention vector, the guess of another model's encodings,
    and the embedding, which has its own penalty. Outside the optimiser, whose state therefore does
    not depend on it.
    """
    for name, parameter in network.named_parameters():
        if parameter.ndim == 2 and name.startswith(("lstm_", "output.")):
            parameter.mul_(1 - amount)


def to_tensors(
    pairs: Pairs, rows: NDArray[np.int64], max_tokens: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return ids int64 [B, T] and lengths int64 [B] on the device."""
    ids, lengths = collate(pairs, rows, max_tokens)
    return torch.from_numpy(ids).to(device), torch.from_numpy(lengths).to(device)


def log_probabilities(
    network: nn.Module,
    pairs: Pairs,
    *,
    classes: int,
    max_tokens: int,
    device: torch.device,
) -> NDArray[np.float32]:
    """Return natural log-probabilities float32 [rows, C], in the order of the pairs."""
    result = np.empty((len(pairs.labels), classes), dtype=np.float32)
    for rows, scores in answer(network, pairs, max_tokens=max_tokens, device=device):
        result[rows] = scores
    return result


@torch.no_grad()
def answer(
    network: nn.Module, pairs: Pairs, *, max_tokens: int, device: torch.device
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield some rows and their natural log-probabilities float32 [n, C], short texts first."""
    lengths = np.minimum(np.diff(pairs.offsets), max_tokens)
    order = np.argsort(lengths, kind="stable")
    was_training = network.training
    network.eval()
    for start in range(0, len(order), 256):
        rows = order[start : start + 256]
        ids, real = to_tensors(pairs, rows, max_tokens, device)
        logits = network(ids, real).logits.float()
        yield rows, torch.log_softmax(logits, dim=-1).cpu().numpy()
    network.train(was_training)
