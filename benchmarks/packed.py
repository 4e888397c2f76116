"""The network as one would write it first: what ours is timed beside."""

from typing import Any

import torch
from torch import nn

from deepmoji.config import ModelConfig


class Packed(nn.Module):
    """Layers of `nn.LSTM` over packed sequences, in fp32."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
        options: dict[str, Any] = {"bidirectional": True, "batch_first": True}
        self.first = nn.LSTM(config.embedding_size, config.units, **options)
        self.second = nn.LSTM(2 * config.units, config.units, **options)
        self.attention = nn.Linear(config.features, 1, bias=False)
        self.output = nn.Linear(config.features, config.classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Ids [B, T] and lengths [B] to logits [B, C]."""
        words = torch.tanh(self.embedding(ids))
        first, second = words, words
        for name in ("first", "second"):
            packed = nn.utils.rnn.pack_padded_sequence(
                second, lengths, batch_first=True, enforce_sorted=False
            )
            output, _ = getattr(self, name)(packed)
            second, _ = nn.utils.rnn.pad_packed_sequence(
                output, batch_first=True, total_length=ids.shape[1]
            )
            first = second if name == "first" else first
        everything = torch.cat([second, first, words], dim=-1)
        real = torch.arange(ids.shape[1]) < lengths[:, None]
        scores = self.attention(everything).squeeze(-1).masked_fill(~real, float("-inf"))
        return self.output((torch.softmax(scores, dim=1).unsqueeze(-1) * everything).sum(dim=1))
