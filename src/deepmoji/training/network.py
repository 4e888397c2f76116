"""The network: embedding, two bidirectional LSTM layers, attention over everything (paper, 3.2)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from deepmoji.config import Gates, ModelConfig
from deepmoji.text.vocabulary import UNKNOWN
from deepmoji.training.recurrence import Packing, run_lstm


class Output(NamedTuple):
    """What the network says of B texts of up to T tokens."""

    logits: Tensor  # float [B, C]
    features: Tensor  # float [B, F], the attention-weighted encodings
    attention: Tensor  # float [B, T], rows sum to one over the real tokens
    guess: Tensor | None = None  # float [B, D], of another model's encodings (training.guide)


class BidirectionalLayer(nn.Module):
    """Two one-directional LSTMs; the backward one reads each text from its last token on."""

    def __init__(self, input_size: int, config: ModelConfig) -> None:
        super().__init__()
        self.gates: Gates = config.gates
        self.ahead = nn.LSTM(input_size, config.units)
        self.back = nn.LSTM(input_size, config.units)

    def forward(self, rows: Tensor, packing: Packing) -> Tensor:
        """Map packed rows [N, input] to [N, 2 units]."""
        ahead = run_lstm(rows, self.ahead, packing, self.gates)
        back = run_lstm(rows[packing.reverse], self.back, packing, self.gates)
        return torch.cat([ahead, back[packing.reverse]], dim=-1)


class Network(nn.Module):
    """Ids and lengths to emoji logits, text encodings and attention.

    Args:
        config: sizes and gates.
        embedding_dropout: share of embedding channels dropped for a whole text, in training.
        word_dropout: share of words that are read as the unknown word, in training. The original
            has none: it keeps a network that sees few texts from learning them by heart.
        final_dropout: share of the encoding dropped before the last layer, in training.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        embedding_dropout: float = 0.0,
        word_dropout: float = 0.0,
        final_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
        self.lstm_1 = BidirectionalLayer(config.embedding_size, config)
        self.lstm_2 = BidirectionalLayer(2 * config.units, config)
        self.attention = nn.Parameter(torch.empty(config.features))
        self.output = nn.Linear(config.features, config.classes)
        self.embedding_dropout, self.word_dropout = embedding_dropout, word_dropout
        self.final_dropout = nn.Dropout(final_dropout)
        if self.attention.device.type != "meta":
            self.initialise()

    def initialise(self, only: tuple[str, ...] = ("",)) -> None:
        """Draw parameters from the original's distributions (Keras defaults, forget gate 1).

        Args:
            only: beginnings of the names of those to draw; all by default.
        """
        for name, parameter in self.named_parameters():
            if not name.startswith(only):
                continue
            if name == "embedding.weight":
                nn.init.uniform_(parameter, -0.5, 0.5)
            elif name == "attention":
                nn.init.uniform_(parameter, -0.05, 0.05)
            elif "weight_ih" in name or name == "output.weight":
                nn.init.xavier_uniform_(parameter)
            elif "weight_hh" in name:
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
            if "bias_ih" in name:
                with torch.no_grad():
                    parameter.chunk(4)[1].fill_(1.0)  # torch's gate order is i, f, g, o

    def forward(self, ids: Tensor, lengths: Tensor) -> Output:
        """Read texts.

        Args:
            ids: int64 [B, T], padded at the right with any id.
            lengths: int64 [B], at least 1; ids behind them have no influence. Where ids are on a
                GPU, lengths on the CPU are faster: they decide shapes, which the program asks for.
        """
        packing = Packing.of(lengths).to(ids.device)
        words = self.read_words(ids[packing.texts, packing.steps], packing)
        first = self.lstm_1(words, packing)
        features, attention = self.attend(self.stack(words, first, packing), packing)
        # As wide as what came in, also where no text is that long.
        attention = nn.functional.pad(attention, (0, ids.shape[1] - len(packing.sizes)))
        return Output(self.classify(features), features, attention)

    def read_words(self, ids: Tensor, packing: Packing) -> Tensor:
        """Look up packed ids int64 [N]; gives [N, E]. Training drops channels and words."""
        if self.training and self.word_dropout:
            is_dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
            ids = ids.masked_fill(is_dropped, UNKNOWN)
        words = torch.tanh(self.embedding(ids))
        if not self.training or self.embedding_dropout == 0:
            return words
        kept = words.new_empty(len(packing.order), words.shape[1]).bernoulli_(
            1 - self.embedding_dropout
        )
        return words * kept[packing.texts] / (1 - self.embedding_dropout)

    def stack(self, words: Tensor, first: Tensor, packing: Packing) -> Tensor:
        """Run the second layer on the first one's states [N, 2 U]; gives all three, [N, F]."""
        second = self.lstm_2(first, packing)
        return torch.cat([second, first, words.to(second.dtype)], dim=-1)

    def attend(self, everything: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
        """Weigh packed rows [N, F]; gives encodings float [B, F] and attention float [B, T]."""
        scores = (everything @ self.attention.to(everything.dtype)).float()
        shape = (len(packing.order), len(packing.sizes))
        padded = scores.new_full(shape, float("-inf"))
        padded[packing.texts, packing.steps] = scores
        attention = torch.softmax(padded, dim=-1)
        shares = attention[packing.texts, packing.steps].unsqueeze(1)
        features = everything.new_zeros(shape[0], everything.shape[1], dtype=torch.float32)
        return features.index_add(0, packing.texts, everything.float() * shares), attention

    def classify(self, features: Tensor) -> Tensor:
        """Map encodings [B, F] to logits [B, C]."""
        return self.output(self.final_dropout(features))
