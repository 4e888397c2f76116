"""A tiny model bundle with random weights, and the network in plain numpy to compare it with.

The graph is made here by hand, operator by operator, so that tests of inference need no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from deepmoji.bundle import Bundle, Contents, write_bundle
from deepmoji.config import ModelConfig
from deepmoji.labels import EMOJIS
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary

_WORDS = """
i love you this is the shit how never reply back .. ! !! so tired proud of a it not my happy sad
day and to in can't wait for good morning just gone lol haha work
"""
WORDS = tuple(_WORDS.split())
Weights = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """Sizes of the test model: small, but with every part of the real one."""

    units: int = 7
    embedding: int = 6
    labels: tuple[str, ...] = EMOJIS
    max_tokens: int = 24
    gates: str = "sigmoid"
    outputs: str = "softmax"
    sharpness: float = 1.0  # of the attention: its scores are so many times as large
    seed: int = 0


def make_bundle(folder: Path, tiny: Tiny | None = None) -> Bundle:
    """Write a bundle with random weights."""
    tiny = tiny or Tiny()
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *WORDS])
    graph = folder.with_name(f"{folder.name}.onnx")
    folder.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(make_graph(make_weights(tiny), tiny.gates, tiny.outputs), graph)
    contents = Contents(
        config=ModelConfig(
            vocabulary_size=len(vocabulary),
            embedding_size=tiny.embedding,
            units=tiny.units,
            classes=len(tiny.labels),
            gates=tiny.gates,
            outputs=tiny.outputs,
        ),
        vocabulary=vocabulary,
        labels=tiny.labels,
        max_tokens=tiny.max_tokens,
    )
    return write_bundle(
        folder,
        contents,
        training={"seed": tiny.seed},
        card="# A tiny model\n\nRandom weights, for tests.\n",
        parts={"model.onnx": graph},
    )


def make_weights(tiny: Tiny) -> Weights:
    """Random weights in ONNX layout: gates in the order i, o, f, c; [directions, 4 units, …]."""
    random = np.random.default_rng(tiny.seed)
    h, e, classes = tiny.units, tiny.embedding, len(tiny.labels)

    def draw(*shape: int) -> np.ndarray:
        return random.normal(0, 0.8, shape).astype(np.float32)

    weights = {"embedding": draw(len(SPECIAL_TOKENS) + len(WORDS), e)}
    for layer, inputs in ((1, e), (2, 2 * h)):
        weights[f"W{layer}"] = draw(2, 4 * h, inputs)
        weights[f"R{layer}"] = draw(2, 4 * h, h)
        weights[f"B{layer}"] = draw(2, 8 * h)
    features = 4 * h + e
    return weights | {
        "attention_weight": draw(features, 1) * np.float32(tiny.sharpness),
        "output": draw(features, classes),
        "bias": draw(classes),
    }


def make_graph(
    weights: Weights, gates: str = "sigmoid", outputs: str = "softmax"
) -> onnx.ModelProto:
    """The network as an ONNX graph (facts.md 1; ids, lengths → the three outputs)."""
    constants = {
        "flat": np.array([0, 0, -1]),
        "zero": np.array(0),
        "one": np.array(1),
        "axis_1": np.array([1]),
        "axis_2": np.array([2]),
        "lowest": np.array(-np.inf, np.float32),
    }
    nodes: list[Any] = []

    def add(operator: str, inputs: str, output: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(operator, inputs.split(), [output], **attributes))

    add("Gather", "embedding ids", "looked_up")
    add("Tanh", "looked_up", "embedded")
    add("Transpose", "embedded", "in1", perm=[1, 0, 2])
    for layer in (1, 2):
        lstm = f"in{layer} W{layer} R{layer} B{layer} lengths"
        add("LSTM", lstm, f"out{layer}", **_lstm(weights, gates))
        add("Transpose", f"out{layer}", f"by_time{layer}", perm=[0, 2, 1, 3])
        add("Reshape", f"by_time{layer} flat", f"in{layer + 1}")
        add("Transpose", f"in{layer + 1}", f"states{layer}", perm=[1, 0, 2])
    add("Concat", "states2 states1 embedded", "steps", axis=2)
    add("MatMul", "steps attention_weight", "score3")
    add("Squeeze", "score3 axis_2", "score")
    add("Shape", "ids", "shape")
    add("Gather", "shape one", "longest")
    add("Range", "zero longest one", "position")
    add("Cast", "lengths", "long_lengths", to=TensorProto.INT64)
    add("Unsqueeze", "long_lengths axis_1", "ends")
    add("Less", "position ends", "real")
    add("Where", "real score lowest", "masked")
    add("Transpose", "masked", "masked_scores", perm=[1, 0])
    add("Softmax", "masked_scores", "attention_by_step", axis=0)
    add("Transpose", "attention_by_step", "attention", perm=[1, 0])
    add("Unsqueeze", "attention axis_1", "attention3")
    add("MatMul", "attention3 steps", "features3")
    add("Squeeze", "features3 axis_1", "features")
    add("Gemm", "features output bias", "logits")
    if outputs == "softmax":
        add("Softmax", "logits", "probabilities", axis=1)
    else:
        add("Sigmoid", "logits", "probabilities")

    def value(name: str, kind: int, *shape: str | int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, list(shape))

    features, classes = weights["output"].shape
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("ids", TensorProto.INT64, "B", "T"), value("lengths", TensorProto.INT32, "B")],
        [
            value("probabilities", TensorProto.FLOAT, "B", classes),
            value("features", TensorProto.FLOAT, "B", features),
            value("attention", TensorProto.FLOAT, "B", "T"),
        ],
        [numpy_helper.from_array(array, name) for name, array in (weights | constants).items()],
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, opset_imports=[opset], ir_version=8)


def reference(weights: Weights, ids: Sequence[int], gates: str = "sigmoid") -> list[np.ndarray]:
    """Probabilities, features and attention of one text, without padding, in float64."""
    steps = states_of(weights, ids, gates)
    attention = softmax(steps @ weights["attention_weight"][:, 0].astype(np.float64))
    features = attention @ steps
    return [softmax(logits_of(weights, features)), features, attention]


def logits_of(weights: Weights, features: np.ndarray) -> np.ndarray:
    """What the final layer says of an encoding."""
    return features @ weights["output"].astype(np.float64) + weights["bias"]


def states_of(weights: Weights, ids: Sequence[int], gates: str = "sigmoid") -> np.ndarray:
    """What the attention looks at, [words, features]."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    embedded = np.tanh(w["embedding"][list(ids)])
    states = [embedded]
    for layer in (1, 2):
        both = [_one_direction(w, layer, direction, states[-1], gates) for direction in range(2)]
        states.append(np.concatenate(both, axis=1))
    return np.concatenate([states[2], states[1], embedded], axis=1)


def _one_direction(
    w: Weights, layer: int, direction: int, inputs: np.ndarray, gates: str
) -> np.ndarray:
    kernel, recurrent = w[f"W{layer}"][direction], w[f"R{layer}"][direction]
    bias = w[f"B{layer}"][direction].reshape(2, -1).sum(axis=0)
    state = cell = np.zeros(recurrent.shape[1])
    outputs = []
    for step in inputs[::-1] if direction else inputs:
        i, o, f, c = np.split(kernel @ step + recurrent @ state + bias, 4)
        cell = _gate(f, gates) * cell + _gate(i, gates) * np.tanh(c)
        state = _gate(o, gates) * np.tanh(cell)
        outputs.append(state)
    return np.array(outputs[::-1] if direction else outputs)


def _gate(x: np.ndarray, gates: str) -> np.ndarray:
    return np.clip(0.2 * x + 0.5, 0, 1) if gates == "hard_sigmoid" else 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    """Exponentials that sum to 1."""
    exponentials = np.exp(x - x.max())
    return exponentials / exponentials.sum()


def _lstm(weights: Weights, gates: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "hidden_size": weights["R1"].shape[2],
        "direction": "bidirectional",
    }
    if gates == "hard_sigmoid":
        attributes["activations"] = ["HardSigmoid", "Tanh", "Tanh"] * 2
        # One value for each activation that takes one: Tanh takes none.
        attributes["activation_alpha"] = [0.2] * 2
        attributes["activation_beta"] = [0.5] * 2
    return attributes
