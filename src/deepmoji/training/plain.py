"""The plain network that attention and skip connections are compared with."""

import torch
from torch import Tensor, nn

from deepmoji.config import ModelConfig
from deepmoji.training.network import Network
from deepmoji.training.recurrence import Packing


class PlainNetwork(Network):
    """Two bidirectional LSTM layers; a text is the last state of each direction of the second."""

    def __init__(self, config: ModelConfig, **dropouts: float) -> None:
        super().__init__(config, **dropouts)
        self.output = nn.Linear(2 * config.units, config.classes)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        del self.attention

    def stack(self, words: Tensor, first: Tensor, packing: Packing) -> Tensor:
        """Return the second layer's states alone, [N, 2 U]."""
        return self.lstm_2(first, packing)

    def attend(self, everything: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
        """Take each direction's last state; attention is all on the last token."""
        count = len(packing.order)
        first = torch.arange(count, device=everything.device)  # rows of the first tokens
        last = packing.reverse[first]
        units = self.config.units
        ends = torch.cat([everything[last, :units], everything[first, units:]], dim=-1)
        features = torch.empty_like(ends).index_copy(0, packing.order, ends)
        attention = everything.new_zeros(count, len(packing.sizes))
        attention[packing.texts[last], packing.steps[last]] = 1
        return features.float(), attention
