"""The recurrence of an LSTM over texts of different lengths, without padding, for either gates."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from deepmoji.config import Gates
from deepmoji.training.pinned import copy_to

_ROUND = 256  # rows


@dataclass(frozen=True)
class Packing:
    """How B texts lie in N packed rows: first all their first tokens, then the second ones.

    Texts are ordered from the longest to the shortest, so that those still running at a step are
    always the first ones of the step before.
    """

    order: Tensor  # int64 [B], the texts in the order of packing
    texts: Tensor  # int64 [N], the text that a row belongs to
    steps: Tensor  # int64 [N], its place in the text
    reverse: Tensor  # int64 [N], the row at the same distance from the text's end; its own inverse
    sizes: tuple[int, ...]  # texts still running at each step

    @classmethod
    def of(cls, lengths: Tensor) -> "Packing":
        """Pack texts of these lengths, int64 [B], each at least 1."""
        order = torch.argsort(lengths, descending=True, stable=True)
        ordered = lengths[order]
        longest = int(ordered[0]) if len(ordered) else 0  # a process may get no text of a batch
        running = torch.arange(longest, device=lengths.device).unsqueeze(1) < ordered
        steps, places = running.nonzero(as_tuple=True)  # step by step: the order of the rows
        sizes = running.sum(1)
        starts = sizes.cumsum(0) - sizes
        reverse = starts[ordered[places] - 1 - steps] + places
        return cls(order, order[places], steps, reverse, tuple(sizes.tolist()))

    def to(self, device: torch.device) -> "Packing":
        """Return the same on a device; made on the CPU, a GPU is not waited for."""
        if self.order.device == device:
            return self
        order, texts = copy_to(device, self.order), copy_to(device, self.texts)
        steps, reverse = copy_to(device, self.steps), copy_to(device, self.reverse)
        return Packing(order, texts, steps, reverse, self.sizes)


class Recurrence(torch.autograd.Function):
    """LSTM states of packed rows from their projected inputs; torch's gate order i, f, g, o.

    Measured in bf16 with 512 units and batches of 250 comments of 1 to 30 words, texts a second
    forwards and backwards on two cores: 358 against 159 of torch's own kernel, which spends steps
    on padding; 452 where a layer's weights are frozen, as their gradients are left out.
    """

    @staticmethod
    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] - autograd's way
        ctx: Any, projected: Tensor, recurrent: Tensor, sizes: tuple[int, ...], gates: Gates
    ) -> Tensor:
        """Run from zero states.

        Args:
            ctx: what :meth:`backward` needs.
            projected: float [N, 4 U], inputs times their weights, plus biases.
            recurrent: float [4 U, U], of the same type.
            sizes: texts still running at each step.
            gates: sigmoid or hard_sigmoid.

        Returns:
            the states, float [N, U].
        """
        units = recurrent.shape[1]
        opened = torch.empty_like(projected)
        cells = projected.new_empty(len(projected), units, dtype=torch.float32)
        states = projected.new_empty(len(projected), units)
        weights = recurrent.t().contiguous()
        start = before = 0
        for size in sizes:
            rows = slice(start, start + size)
            now, cell = opened[rows], cells[rows]
            if start == 0:
                now.copy_(projected[rows])
            else:
                torch.addmm(projected[rows], states[before : before + size], weights, out=now)
            _open(now, units, gates)
            i, f, g, o = now.float().chunk(4, dim=-1)
            torch.mul(i, g, out=cell)
            if start:
                cell.addcmul_(f, cells[before : before + size])
            states[rows] = torch.tanh(cell).mul_(o)
            before, start = start, start + size
        ctx.save_for_backward(opened, cells, states, recurrent)
        ctx.sizes, ctx.gates = sizes, gates
        return states

    @staticmethod
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - autograd's way
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor, Tensor | None, None, None]:
        """Give the gradients of ``projected`` and, if wanted, of ``recurrent``."""
        opened, cells, states, recurrent = cast("tuple[Tensor, ...]", ctx.saved_tensors)
        units = recurrent.shape[1]
        first = ctx.sizes[0] if ctx.sizes else 0
        earlier = _earlier_rows(ctx.sizes, len(opened), opened.device)
        forget = opened[:, units : 2 * units].float()
        local, through = _derivatives(opened, cells, earlier, first, ctx.gates)
        gradient = torch.empty_like(opened)
        # Of state and cell; a step has as many rows as the next one, or more.
        d_state = grad.new_zeros(first, units, dtype=torch.float32)
        d_cell = torch.zeros_like(d_state)
        start = len(opened)
        for size in reversed(ctx.sizes):
            start -= size
            rows = slice(start, start + size)
            h, c = d_state[:size], d_cell[:size]
            h += grad[rows]
            c.addcmul_(h, through[rows])
            own = local[rows]
            own[:, : 3 * units].view(size, 3, units).mul_(c.unsqueeze(1))
            own[:, 3 * units :].mul_(h)
            gradient[rows] = own
            if start:
                c.mul_(forget[rows])
                h.copy_(torch.mm(gradient[rows], recurrent))
        d_recurrent = None
        if ctx.needs_input_grad[1]:
            before = _round(states[earlier])
            before[:first] = 0  # first steps start from zero states
            d_recurrent = _round(gradient).t() @ before
        return gradient, d_recurrent, None, None


def _open(now: Tensor, units: int, gates: Gates) -> None:
    """Turn a step's sums [n, 4 U] into what the gates let through, in place."""
    torch.tanh(now[:, 2 * units : 3 * units], out=now[:, 2 * units : 3 * units])
    for part in (now[:, : 2 * units], now[:, 3 * units :]):
        if gates == "sigmoid":
            torch.sigmoid(part, out=part)
        else:  # Keras 2.0's; torch.nn.Hardsigmoid has slope 1/6: another function
            part.mul_(0.2).add_(0.5).clamp_(0.0, 1.0)


def _earlier_rows(sizes: tuple[int, ...], rows: int, device: torch.device) -> Tensor:
    """Return the row of the same text one step earlier, int64 [N]; 0 for first steps."""
    earlier = torch.arange(rows, device=device)
    before = torch.tensor((rows, *sizes)[: len(sizes)], device=device, dtype=torch.int64)
    earlier -= before.repeat_interleave(torch.tensor(sizes, device=device, dtype=torch.int64))
    return earlier.clamp_(min=0)


def _derivatives(
    opened: Tensor, cells: Tensor, earlier: Tensor, first: int, gates: Gates
) -> tuple[Tensor, Tensor]:
    """Return what a row's sums do to its cell (o: to its state) [N, 4 U], and cell to state."""
    i, f, g, o = opened.float().chunk(4, dim=-1)
    tanh = torch.tanh(cells)
    before = cells[earlier]
    before[:first] = 0
    local = torch.cat(
        [
            g * _slope(i, gates),
            before * _slope(f, gates),
            i * (1 - g * g),
            tanh * _slope(o, gates),
        ],
        dim=-1,
    )
    return local, o * (1 - tanh * tanh)


def _slope(opened: Tensor, gates: Gates) -> Tensor:
    if gates == "sigmoid":
        return opened * (1 - opened)
    return 0.2 * ((opened > 0) & (opened < 1))


def run_lstm(rows: Tensor, lstm: nn.LSTM, packing: Packing, gates: Gates) -> Tensor:
    """Run one direction over packed rows [N, input]; gives the states [N, U].

    cuDNN's kernel does it on a GPU, where it has the gates; elsewhere :class:`Recurrence`.
    """
    if rows.is_cuda and gates == "sigmoid":
        sizes = torch.tensor(packing.sizes)
        return lstm(nn.utils.rnn.PackedSequence(rows, sizes))[0].data
    weight, recurrent = cast("Tensor", lstm.weight_ih_l0), cast("Tensor", lstm.weight_hh_l0)
    bias = cast("Tensor", lstm.bias_ih_l0) + cast("Tensor", lstm.bias_hh_l0)
    projected = nn.functional.linear(_round(rows), weight, bias)[: len(rows)]
    states = Recurrence.apply(projected, recurrent.to(projected.dtype), packing.sizes, gates)
    return cast("Tensor", states)


def _round(rows: Tensor) -> Tensor:
    """Add rows of zeros up to a round number.

    oneDNN keeps code and buffers for every shape that it has met, 6 MB for one of these products;
    with any number of rows a run would come to need gigabytes.
    """
    return nn.functional.pad(rows, (0, 0, 0, -len(rows) % _ROUND))
