"""The names of weights in foreign files, as tables that read in both directions.

Gates lie in the same order in all of them (input, forget, cell, output), and the features that
attention reads too: second layer, first layer, embedding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Form = Literal["same", "transposed", "column"]


@dataclass(frozen=True)
class Entry:
    """One parameter under both names.

    Attributes:
        ours: its name in ``training.network``.
        theirs: its name in the foreign file.
        form: how theirs lies: as ours, with its axes exchanged, or as a matrix of one column.
    """

    ours: str
    theirs: str
    form: Form = "same"

    def read(self, array: Array) -> Array:
        """Return ours of theirs.

        Raises:
            ValueError: if theirs has no such form.
        """
        if self.form == "same":
            return array
        if array.ndim != 2 or (self.form == "column" and array.shape[1] != 1):
            raise ValueError(f"{self.theirs} has the shape {list(array.shape)}")
        return array[:, 0] if self.form == "column" else array.T

    def write(self, array: Array) -> Array:
        """Return theirs of ours."""
        if self.form == "same":
            return array
        return array[:, None] if self.form == "column" else array.T


def _lstms(theirs: str, **parts: tuple[str, Form]) -> Iterator[Entry]:
    """Yield the entries of all LSTMs; ``theirs`` has places for layer, direction and part."""
    for layer in (1, 2):
        for direction in ("ahead", "back"):
            names = {
                "layer": layer - 1,
                "number": layer,
                "reverse": "_reverse" if direction == "back" else "",
                "direction": "backward" if direction == "back" else "forward",
            }
            for ours, (part, form) in parts.items():
                name = theirs.format(part=part, **names)
                yield Entry(f"lstm_{layer}.{direction}.{ours}_l0", name, form)


# A torch state dict, as torchMoji saves it. deepmoji-onnx keeps these names in its graphs.
TORCHMOJI: tuple[Entry, ...] = (
    Entry("embedding.weight", "embed.weight"),
    *_lstms(
        "lstm_{layer}.{part}_l0{reverse}",
        weight_ih=("weight_ih", "same"),
        weight_hh=("weight_hh", "same"),
        bias_ih=("bias_ih", "same"),
        bias_hh=("bias_hh", "same"),
    ),
    Entry("attention", "attention_layer.attention_vector"),
    Entry("output.weight", "output_layer.0.weight"),
    Entry("output.bias", "output_layer.0.bias"),
)

# HDF5 as Keras 2.0 writes it, in its order, by which Keras reads. It has one bias where torch has
# two, which are added anyway: it is read as the first of them, and their sum is written.
KERAS: tuple[Entry, ...] = (
    Entry("embedding.weight", "embedding/embedding/embeddings:0"),
    *_lstms(
        "bi_lstm_{layer}/bi_lstm_{layer}/{direction}_lstm_{number}/{part}:0",
        weight_ih=("kernel", "transposed"),
        weight_hh=("recurrent_kernel", "transposed"),
        bias_ih=("bias", "same"),
    ),
    Entry("attention", "attlayer/attlayer/attlayer_W:0", "column"),
    Entry("output.weight", "softmax/softmax/kernel:0", "transposed"),
    Entry("output.bias", "softmax/softmax/bias:0"),
)
# The layers of the original's network in their order, those without weights too.
KERAS_LAYERS = (
    "input_1",
    "embedding",
    "activation_1",
    "bi_lstm_0",
    "bi_lstm_1",
    "concatenate_1",
    "attlayer",
    "softmax",
)
