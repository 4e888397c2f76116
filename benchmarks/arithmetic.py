"""How much arithmetic training takes by its formula, and how much the machine can do at best."""

import time
from typing import Any

import torch

from deepmoji.config import ModelConfig

_SIZES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192)}
_TRIES = 5


def training_flops(model: ModelConfig, *, texts: int, tokens: int) -> float:
    """Return the floating-point operations of one step over so many texts of so many tokens in all.

    A product of an [m, k] with a [k, n] matrix counts 2 m k n; the two products of its gradients
    cost as much each, which makes 3 times that for forward and backward. Counted, for each of two
    directions of each layer with U units and I inputs (layer 1: I = E, layer 2: I = 2 U):

        inputs      tokens           x  I x 4 U
        recurrence  (tokens - texts) x  U x 4 U     the first state of a text is zero

    and the output layer, texts x (4 U + E) x C. Left out, being less than 1 % at full size: gates,
    attention, softmax, clipping and Adam. Padding is no work, so it is not counted either.
    """
    units, layers = model.units, (model.embedding_size, 2 * model.units)
    inputs = tokens * sum(layers) * 4 * units
    recurrence = len(layers) * (tokens - texts) * units * 4 * units
    output = texts * model.features * model.classes
    return 3.0 * 2.0 * (2 * (inputs + recurrence) + output)


def peak_gflops(device: str, precision: str, threads: int = 1) -> float:
    """Return the GFLOP/s of the fastest of several large square matrix products.

    Args:
        device: cpu or cuda.
        precision: bf16-mixed or 32-true, as training has it.
        threads: of a CPU; the former number of them is set again afterwards.
    """
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(threads)
    best = 0.0
    for size in _SIZES[device]:
        kind = torch.bfloat16 if precision == "bf16-mixed" else torch.float32
        one, other = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
        torch.mm(one, other)
        seconds = min(_time(one, other) for _ in range(_TRIES))
        best = max(best, 2.0 * size**3 / seconds / 1e9)
    torch.set_num_threads(before)
    return best


def _time(one: torch.Tensor, other: torch.Tensor) -> float:
    watch = Watch(one.device.type)
    watch.mark("start")
    torch.mm(one, other)
    watch.mark("product")
    return watch.seconds()["product"]


class Watch:
    """Adds up what passes between marks: on a CPU by its clock, on a GPU by CUDA's events.

    Args:
        device: cpu or cuda.
    """

    def __init__(self, device: str) -> None:
        self._on_gpu = device == "cuda"
        self._marks: list[tuple[str, Any]] = []

    def mark(self, name: str) -> None:
        """End a part of this name, which has lasted since the mark before."""
        if self._on_gpu:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._marks.append((name, event))
        else:
            self._marks.append((name, time.perf_counter()))

    def clear(self) -> None:
        """Forget all marks: what came before was to warm up."""
        self._marks.clear()

    def seconds(self) -> dict[str, float]:
        """Return the sum of each part but the first mark's, waiting for the GPU to come to it."""
        if self._on_gpu:
            torch.cuda.synchronize()
        result: dict[str, float] = {}
        for (_, before), (name, mark) in zip(self._marks, self._marks[1:], strict=False):
            result[name] = result.get(name, 0.0) + _between(before, mark)
        return result


def _between(before: Any, after: Any) -> float:
    return after - before if isinstance(before, float) else before.elapsed_time(after) / 1000
