"""The network: embedding, two bidirectional LSTM layers, attention over everything (paper, 3.2)."""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from deepmoji.config import ModelConfig


class Output(NamedTuple):
    """What the network says of B texts of up to T tokens."""

    logits: Tensor  # float [B, C]
    features: Tensor  # float [B, F], the attention-weighted encodings
    attention: Tensor  # float [B, T], rows sum to one over the real tokens


class HardSigmoidLSTM(nn.LSTM):
    """One direction with Keras 2.0's gates, clip(0.2 x + 0.5, 0, 1); parameters as ``nn.LSTM``.

    No fused kernel has these gates, so this walks through time (`python -m benchmarks.pretraining`
    says what that costs).
    """

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] - no packed sequences here
        self,
        input: Tensor,  # noqa: A002 - torch's name
        hx: object = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run over float [T, B, input] from zero states; gives float [T, B, units]."""
        if hx is not None:
            raise ValueError("HardSigmoidLSTM starts from zero states; pass no hx")
        weights, recurrent = cast("Tensor", self.weight_ih_l0), cast("Tensor", self.weight_hh_l0)
        bias = cast("Tensor", self.bias_ih_l0) + cast("Tensor", self.bias_hh_l0)
        projected = nn.functional.linear(input, weights, bias)
        hidden = projected.new_zeros(input.shape[1], self.hidden_size)
        cell = torch.zeros_like(hidden, dtype=torch.float32)
        outputs: list[Tensor] = []
        for step in projected:
            gates = step + nn.functional.linear(hidden, recurrent)
            i, f, g, o = gates.float().chunk(4, dim=-1)
            cell = _hard_sigmoid(f) * cell + _hard_sigmoid(i) * torch.tanh(g)
            hidden = (_hard_sigmoid(o) * torch.tanh(cell)).to(projected.dtype)
            outputs.append(hidden)
        return torch.stack(outputs), (hidden.unsqueeze(0), cell.unsqueeze(0))


def _hard_sigmoid(x: Tensor) -> Tensor:
    # torch.nn.Hardsigmoid has slope 1/6: another function.
    return torch.clamp(0.2 * x + 0.5, 0.0, 1.0)


class BidirectionalLayer(nn.Module):
    """Two one-directional LSTMs, each a fused kernel; the backward one reads reversed inputs.

    Reversing within each text's length lets the backward direction start at the last real token
    without packing, which is slower on a CPU (`python -m benchmarks.pretraining`).
    """

    def __init__(self, input_size: int, config: ModelConfig) -> None:
        super().__init__()
        kind = nn.LSTM if config.gates == "sigmoid" else HardSigmoidLSTM
        self.ahead = kind(input_size, config.units)
        self.back = kind(input_size, config.units)

    def forward(self, inputs: Tensor, reverse: Tensor) -> Tensor:
        """Map [T, B, input] to [T, B, 2 units]; ``reverse`` int64 [T, B] is its own inverse."""
        ahead, _ = self.ahead(inputs)
        back, _ = self.back(_reorder(inputs, reverse))
        return torch.cat([ahead, _reorder(back, reverse)], dim=-1)


def _reorder(steps: Tensor, order: Tensor) -> Tensor:
    return steps.gather(0, order.unsqueeze(-1).expand(-1, -1, steps.shape[-1]))


class Network(nn.Module):
    """Ids and lengths to emoji logits, text encodings and attention.

    Args:
        config: sizes and gates.
        embedding_dropout: share of embedding channels dropped for a whole text, in training.
        final_dropout: share of the encoding dropped before the last layer, in training.
    """

    def __init__(
        self, config: ModelConfig, *, embedding_dropout: float = 0.0, final_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
        self.lstm_1 = BidirectionalLayer(config.embedding_size, config)
        self.lstm_2 = BidirectionalLayer(2 * config.units, config)
        self.attention = nn.Parameter(torch.empty(config.features))
        self.output = nn.Linear(config.features, config.classes)
        self.embedding_dropout = embedding_dropout
        self.final_dropout = nn.Dropout(final_dropout)
        self._initialise()

    def _initialise(self) -> None:
        """Start from the original's distributions (Keras defaults, forget gate biased to 1)."""
        nn.init.uniform_(self.embedding.weight, -0.5, 0.5)
        for name, parameter in self.named_parameters():
            if "weight_ih" in name or name == "output.weight":
                nn.init.xavier_uniform_(parameter)
            elif "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            elif "bias" in name:
                nn.init.zeros_(parameter)
            if "bias_ih" in name:
                with torch.no_grad():
                    parameter.chunk(4)[1].fill_(1.0)  # torch's gate order is i, f, g, o
        nn.init.uniform_(self.attention, -0.05, 0.05)

    def forward(self, ids: Tensor, lengths: Tensor) -> Output:
        """Read texts.

        Args:
            ids: int64 [B, T], padded at the right with any id.
            lengths: int64 [B], at least 1; ids behind them have no influence.
        """
        steps = torch.arange(ids.shape[1], device=ids.device).unsqueeze(1)  # [T, 1]
        real = steps < lengths.unsqueeze(0)  # [T, B]
        reverse = torch.where(real, lengths.unsqueeze(0) - 1 - steps, steps)
        words = self._drop_channels(torch.tanh(self.embedding(ids))).transpose(0, 1)
        first = self.lstm_1(words, reverse)
        second = self.lstm_2(first, reverse)
        everything = torch.cat([second, first, words.to(second.dtype)], dim=-1)  # [T, B, F]
        scores = (everything @ self.attention.to(everything.dtype)).float()
        attention = torch.softmax(scores.masked_fill(~real, float("-inf")), dim=0)  # [T, B]
        features = torch.einsum("tb,tbf->bf", attention.to(everything.dtype), everything).float()
        return Output(self.output(self.final_dropout(features)), features, attention.T)

    def _drop_channels(self, words: Tensor) -> Tensor:
        if not self.training or self.embedding_dropout == 0:
            return words
        kept = words.new_empty(words.shape[0], 1, words.shape[2]).bernoulli_(
            1 - self.embedding_dropout
        )
        return words * kept / (1 - self.embedding_dropout)
