"""Weights to one ONNX graph that ONNX Runtime runs on every platform; no torch in here.

ids int64 [B, T], lengths int32 [B] -> probabilities [B, C], features [B, F], attention [B, T]

ONNX's LSTM takes the true lengths, so its backward direction starts at each text's last token
and padding reaches nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import ModelConfig
from deepmoji.errors import require

if TYPE_CHECKING:
    import onnx

Weights = Mapping[str, NDArray[np.float32]]  # by the names of network.Network's parameters

OPSET = 17
_IR_VERSION = 8  # read by every onnxruntime since 1.14
_ONNX_GATES = (0, 3, 1, 2)  # torch orders i, f, g, o; ONNX i, o, f, g


class _Graph:
    """Nodes and constants in the order in which they are added."""

    def __init__(self) -> None:
        self._onnx: Any = require("onnx", "train")
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: NDArray[Any]) -> str:
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        node = self._onnx.helper.make_node(kind, inputs, [output], name=output, **attributes)
        self.nodes.append(node)
        return output

    def model(self, config: ModelConfig) -> Any:
        helper, kinds = self._onnx.helper, self._onnx.TensorProto

        def value(name: str, kind: int, *shape: str | int) -> Any:
            return helper.make_tensor_value_info(name, kind, list(shape))

        graph = helper.make_graph(
            self.nodes,
            "deepmoji",
            [value("ids", kinds.INT64, "B", "T"), value("lengths", kinds.INT32, "B")],
            [
                value("probabilities", kinds.FLOAT, "B", config.classes),
                value("features", kinds.FLOAT, "B", config.features),
                value("attention", kinds.FLOAT, "B", "T"),
            ],
            self.constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, producer_name="deepmoji", ir_version=_IR_VERSION
        )
        self._onnx.helper.set_model_props(
            model, {name: str(value) for name, value in config.to_dict().items()}
        )
        self._onnx.checker.check_model(model)
        return model


def build_graph(
    weights: Weights, config: ModelConfig, *, int8_embedding: bool = False
) -> "onnx.ModelProto":
    """Return the network as an ONNX model.

    Args:
        weights: arrays by parameter name, float32.
        config: sizes and gates.
        int8_embedding: store the embedding as int8 with one scale a row: a quarter of the size,
            each number within 1/254 of its row's largest.

    Raises:
        MissingDependency: without the ``train`` extra.
    """
    graph = _Graph()
    steps = graph.add("Transpose", ["ids"], "ids_by_step", perm=[1, 0])  # [T, B]
    rows = _embed(graph, weights["embedding.weight"], steps, int8=int8_embedding)
    words = graph.add("Tanh", [rows], "words")  # [T, B, E]
    first = _bidirectional(graph, weights, "lstm_1", words, config)
    second = _bidirectional(graph, weights, "lstm_2", first, config)
    everything = graph.add("Concat", [second, first, words], "everything", axis=2)  # [T, B, F]
    attention = _attend(graph, weights["attention"], everything)  # [B, T]
    by_text = graph.add("Transpose", [everything], "everything_by_text", perm=[1, 0, 2])
    middle = graph.constant("axis_1", np.array([1], dtype=np.int64))
    weighting = graph.add("Unsqueeze", [attention, middle], "weighting")  # [B, 1, T]
    summed = graph.add("MatMul", [weighting, by_text], "summed")
    features = graph.add("Squeeze", [summed, middle], "features")  # [B, F]
    kernel = graph.constant("output.weight", weights["output.weight"])
    bias = graph.constant("output.bias", weights["output.bias"])
    logits = graph.add("Gemm", [features, kernel, bias], "logits", transB=1)
    if config.outputs == "softmax":
        graph.add("Softmax", [logits], "probabilities", axis=1)
    else:
        graph.add("Sigmoid", [logits], "probabilities")
    return graph.model(config)


def _embed(graph: _Graph, table: NDArray[np.float32], steps: str, *, int8: bool) -> str:
    if not int8:
        return graph.add("Gather", [graph.constant("embedding.weight", table), steps], "rows")
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    quantised = np.rint(table / scales).astype(np.int8)
    whole = graph.add("Gather", [graph.constant("embedding.int8", quantised), steps], "rows_int8")
    scale = graph.constant("embedding.scale", scales.astype(np.float32))
    real = graph.add("Cast", [whole], "rows_real", to=1)
    return graph.add("Mul", [real, graph.add("Gather", [scale, steps], "rows_scale")], "rows")


def _bidirectional(
    graph: _Graph, weights: Weights, name: str, inputs: str, config: ModelConfig
) -> str:
    """Add a layer, [T, B, in] to [T, B, 2 units]."""

    def both(part: str) -> NDArray[np.float32]:
        arrays = [weights[f"{name}.{direction}.{part}_l0"] for direction in ("ahead", "back")]
        return np.stack([_reorder_gates(array) for array in arrays])

    biases = np.concatenate([both("bias_ih"), both("bias_hh")], axis=1)
    parameters = [
        graph.constant(f"{name}.W", both("weight_ih")),
        graph.constant(f"{name}.R", both("weight_hh")),
        graph.constant(f"{name}.B", biases),
    ]
    gates: dict[str, Any] = {}
    if config.gates == "hard_sigmoid":
        gates = {
            "activations": ["HardSigmoid", "Tanh", "Tanh"] * 2,
            "activation_alpha": [0.2, 0.2],
            "activation_beta": [0.5, 0.5],
        }
    states = graph.add(
        "LSTM",
        [inputs, *parameters, "lengths"],
        f"{name}.states",  # [T, 2, B, units]
        direction="bidirectional",
        hidden_size=config.units,
        **gates,
    )
    together = graph.add("Transpose", [states], f"{name}.by_step", perm=[0, 2, 1, 3])
    shape = graph.constant(f"{name}.shape", np.array([0, 0, 2 * config.units], dtype=np.int64))
    return graph.add("Reshape", [together, shape], f"{name}.output")


def _reorder_gates(array: NDArray[np.float32]) -> NDArray[np.float32]:
    gates = np.split(array, 4)
    return np.concatenate([gates[index] for index in _ONNX_GATES])


def restore_gates(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring an array [4 U, …] from ONNX's order of the gates into torch's."""
    gates = np.split(array, 4)
    return np.concatenate([gates[_ONNX_GATES.index(index)] for index in range(4)])


def _attend(graph: _Graph, vector: NDArray[np.float32], everything: str) -> str:
    """Add the softmax over each text's real tokens: [T, B, F] to [B, T]."""
    kernel = graph.constant("attention.weight", vector[:, None])
    last = graph.constant("axis_last", np.array([2], dtype=np.int64))
    product = graph.add("MatMul", [everything, kernel], "attention_scores")
    scores = graph.add("Squeeze", [product, last], "scores")  # [T, B]
    shape = graph.add("Shape", ["ids"], "shape")
    one = graph.constant("one", np.array(1, dtype=np.int64))
    zero = graph.constant("zero", np.array(0, dtype=np.int64))
    length = graph.add("Gather", [shape, one], "longest")
    steps = graph.add("Range", [zero, length, one], "steps")
    row = graph.constant("axis_row", np.array([1], dtype=np.int64))
    column = graph.add("Unsqueeze", [steps, row], "steps_column")  # [T, 1]
    lengths = graph.add("Cast", ["lengths"], "lengths_int64", to=7)
    real = graph.add("Less", [column, lengths], "real")  # [T, B]
    nothing = graph.constant("minus_infinity", np.array(-np.inf, dtype=np.float32))
    masked = graph.add("Where", [real, scores, nothing], "masked_scores")
    by_step = graph.add("Softmax", [masked], "attention_by_step", axis=0)
    return graph.add("Transpose", [by_step], "attention", perm=[1, 0])
