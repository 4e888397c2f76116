"""Learning to say what another model's encodings say (Romero et al., FitNets, ICLR 2015)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepmoji.config import ModelConfig
from deepmoji.errors import InputError
from deepmoji.training.network import Network, Output
from deepmoji.training.pinned import copy_to

_ROWS = 1 << 15  # read at once
_LAYER = "guess."  # names of the layer's parameters begin so


class GuidedNetwork(Network):
    """A network with one layer more, from its encoding of a text to another model's.

    The layer is there in training alone: what it asks of the encoding is what is wanted.

    Args:
        config: as of :class:`Network`, and ``dropouts`` too.
        size: numbers of the other model's encodings.
    """

    def __init__(self, config: ModelConfig, *, size: int, **dropouts: float) -> None:
        super().__init__(config, **dropouts)
        # It starts from the mean, and draws no numbers that other weights would have been.
        self.guess = nn.Linear(config.features, size, device="meta").to_empty(device="cpu")
        nn.init.zeros_(self.guess.weight)
        nn.init.zeros_(self.guess.bias)

    def forward(self, ids: Tensor, lengths: Tensor) -> Output:
        """Read texts, as :meth:`Network.forward` does; the output has a guess."""
        output = super().forward(ids, lengths)
        return output._replace(guess=self.guess(output.features))


def without_guess(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a network's weights without those that only a :class:`GuidedNetwork` has."""
    return {name: each for name, each in weights.items() if not name.startswith(_LAYER)}


@dataclass(frozen=True, kw_only=True)
class Encodings:
    """Another model's encodings of the training pairs, in a file of NumPy's.

    Attributes:
        path: the file: float [pairs, D], a row for each training pair of the corpus, in its order;
            rows of not-a-number where there is no encoding.
        mean: of the encodings that are there, float32 [D].
        variance: their mean squared distance from it.
        known: how many there are.
    """

    path: Path
    mean: NDArray[np.float32]
    variance: float
    known: int

    @classmethod
    def open(cls, path: Path, *, pairs: int) -> Self:
        """Look at a file once.

        Args:
            path: the file.
            pairs: how many rows it has to have.

        Raises:
            InputError: if it cannot be read, is no such array, or its encodings are all the same.
        """
        rows = _read(path)
        if rows.ndim != 2 or rows.dtype.kind != "f":
            raise InputError(
                f"{path} holds an array {list(rows.shape)} of {rows.dtype}; wanted: "
                "floating-point numbers [training pairs, numbers of an encoding]"
            )
        if len(rows) != pairs:
            raise InputError(
                f"{path} has {len(rows)} rows, but the corpus {pairs} training pairs; "
                "it has to have a row for each pair, in the corpus's order"
            )
        total, squares, known = np.zeros(rows.shape[1]), 0.0, 0
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS].astype(np.float64)
            part = part[~np.isnan(part).any(axis=1)]
            total += part.sum(axis=0)
            squares += float((part**2).sum())
            known += len(part)
        if not known:
            raise InputError(f"{path} has only rows of not-a-number; write encodings into it")
        mean = total / known
        variance = squares / known - float((mean**2).sum())
        if not np.isfinite(variance):
            raise InputError(f"{path} holds infinite numbers; write it again")
        if variance <= 1e-9 * squares / known:
            raise InputError(f"the encodings in {path} are all the same; write those of each text")
        return cls(path=path, mean=mean.astype(np.float32), variance=variance, known=known)

    @property
    def size(self) -> int:
        """Numbers of an encoding."""
        return len(self.mean)


class Guide:
    """The loss of a run with another model's encodings.

    Args:
        encodings: of the corpus's training pairs.
        sources: which of them each row of the run is, int64 [rows]; None: they are the same.
        weight: of the guesses in the loss.
    """

    def __init__(
        self, encodings: Encodings, *, sources: NDArray[np.int64] | None, weight: float
    ) -> None:
        self._rows, self._sources, self._weight = _read(encodings.path), sources, weight
        self._mean, self._variance = encodings.mean, encodings.variance

    def __call__(self, loss: Tensor, guess: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """Return loss + w |guess - encoding|² / variance, summed over the rows.

        The second term is w for each row where the mean is guessed, and w (1 - R²) on average.

        Args:
            loss: of the labels, summed over the rows.
            guess: of the network, float [B, D].
            rows: of the run, which they are of, int64 [B].
        """
        places = rows if self._sources is None else self._sources[rows]
        wanted = self._rows[places].astype(np.float32) - self._mean
        is_known = ~np.isnan(wanted).any(axis=1)
        wanted[~is_known] = 0
        errors = (guess.float() - copy_to(guess.device, torch.from_numpy(wanted))) ** 2
        # Unknown rows stay in the graph, with nothing to learn: a process may have no others.
        counts = copy_to(guess.device, torch.from_numpy(is_known.astype(np.float32)))
        return loss + self._weight / self._variance * (errors.sum(dim=1) * counts).sum()


def _read(path: Path) -> NDArray[Any]:
    try:
        rows: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the encodings {path}: {reason}") from error
    if not isinstance(rows, np.ndarray):
        raise InputError(f"{path} is an archive of arrays; wanted: one array, as np.save writes it")
    return rows
