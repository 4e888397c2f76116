"""A network in parts: what is frozen reads each text once, what learns reads it again and again."""

import torch
from torch import Tensor

from deepmoji.training.examples import Examples
from deepmoji.training.network import Network
from deepmoji.training.recurrence import Packing
from deepmoji.training.thaw import LAYERS, Layer

_TOGETHER = 256  # texts
_LARGEST = 1 << 30  # bytes that may be kept of what frozen layers say


class Reader:
    """Some texts, read by the layers from ``lowest`` on; those below are frozen.

    What frozen layers say of a text does not change: it is computed once, as in inference (no
    dropout), and kept as long as it fits into a gibibyte. Words are read anew each time, as that
    costs nothing.

    Args:
        network: on its device, its frozen layers set.
        examples: the texts, on the same device.
        lowest: the lowest layer that learns.
        precision: torch.bfloat16 or torch.float32, of the arithmetic.
    """

    def __init__(
        self, network: Network, examples: Examples, lowest: Layer, precision: torch.dtype
    ) -> None:
        self.network, self.examples, self.precision = network, examples, precision
        self._level = LAYERS.index(lowest)
        self._kept: Tensor | None = None
        if self._level >= LAYERS.index("lstm_2") and self._fits():
            self._kept = self._read_all()

    def logits(self, rows: Tensor) -> Tensor:
        """Return the logits of texts, float [B, C]; a text may be asked for several times.

        It is read once then, so its copies share the dropped channels of the embedding.
        """
        texts, copies = torch.unique(rows, return_inverse=True)
        with self._autocast():
            features = self._features(texts)
        return self.network.classify(features[copies])

    def _features(self, texts: Tensor) -> Tensor:
        if self._level == LAYERS.index("output"):
            return self._frozen(texts, None)
        packing = Packing.of(self.examples.lengths[texts])
        frozen = self._frozen(texts, packing)
        if self._level == LAYERS.index("attention"):
            return self.network.attend(frozen, packing)[0]
        if self._level == LAYERS.index("lstm_2"):
            units = 2 * self.network.config.units
            first, words = frozen[:, :units], frozen[:, units:]
        else:
            words = self.network.read_words(frozen, packing)
            first = self.network.lstm_1(words, packing)
        return self.network.attend(self.network.stack(words, first, packing), packing)[0]

    def _frozen(self, texts: Tensor, packing: Packing | None) -> Tensor:
        """Return what the frozen layers say: packed rows [N, …], or encodings [B, F]."""
        if self._kept is None:
            return self._read(texts, packing or Packing.of(self.examples.lengths[texts]))
        if packing is None:
            return self._kept[texts]
        return self._kept[self.examples.places(texts, packing)]

    def _read(self, texts: Tensor, packing: Packing) -> Tensor:
        """Run the frozen layers."""
        ids = self.examples.ids[self.examples.places(texts, packing)]
        if self._level < LAYERS.index("lstm_2"):
            return ids
        network, was_training = self.network, self.network.training
        network.eval()
        with torch.no_grad():
            words = network.read_words(ids, packing)
            first = network.lstm_1(words, packing)
            if self._level == LAYERS.index("lstm_2"):
                result = torch.cat([first, words.to(first.dtype)], dim=-1)
            else:
                result = network.stack(words, first, packing)
                if self._level == LAYERS.index("output"):
                    result = network.attend(result, packing)[0]
        network.train(was_training)
        return result

    def _read_all(self) -> Tensor:
        order = torch.argsort(self.examples.lengths)
        kept: Tensor | None = None
        for texts in order.split(_TOGETHER):
            packing = Packing.of(self.examples.lengths[texts])
            with self._autocast():
                part = self._read(texts, packing)
            by_text = self._level == LAYERS.index("output")
            if kept is None:
                rows = len(self.examples if by_text else self.examples.ids)
                kept = part.new_empty(rows, part.shape[1])
            kept[texts if by_text else self.examples.places(texts, packing)] = part
        assert kept is not None, "there is at least one text"  # noqa: S101 - for the type checker
        return kept

    def _fits(self) -> bool:
        if self._level == LAYERS.index("output"):
            return True
        width = self.network.config.features * self.precision.itemsize
        return len(self.examples.ids) * width <= _LARGEST

    def _autocast(self) -> torch.autocast:
        # Encodings are few, and kept for good: they are worth full precision.
        exact = self._level == LAYERS.index("output") or self.precision == torch.float32
        device = self.examples.ids.device.type
        return torch.autocast(device, dtype=torch.bfloat16, enabled=not exact)
