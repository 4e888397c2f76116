"""LSTM layers in 8 bits, whose answers do not depend on which other texts are in the batch.

ONNX Runtime's DynamicQuantizeLSTM scales inputs by their extremes over the whole batch, and states
by theirs at each step, so with it alone a text's answer depends on its neighbours. Here every row
holds the extremes itself:

- inputs get two constants, plus and minus the largest possible value, that no weight looks at;
- states get two units whose gates are always open: their cells count +1 and -1 a step, so their
  states are +tanh(step) and -tanh(step), which no other unit can exceed.

So the scales are the same for every batch, and rows are on their own again.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

_OPEN = 30.0  # a gate with this bias is open, whatever else it sees
_DOMAIN = "com.microsoft"
_LARGEST_STATE = 1.0  # of an LSTM: a gate times a tanh

Arrays = dict[str, NDArray[Any]]


def quantise_lstms(model: onnx.ModelProto, largest_input: float) -> None:
    """Replace every LSTM of a graph by its 8-bit form, in place.

    Args:
        model: with bidirectional LSTM nodes; all but the first read LSTM states.
        largest_input: bound of what the first layer reads.
    """
    graph = model.graph
    arrays: Arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    nodes: list[Any] = []
    bound = largest_input
    for node in graph.node:
        if node.op_type == "LSTM":
            weights = [arrays.pop(name) for name in node.input[1:4]]
            arrays |= {f"{node.name}.{key}": a for key, a in _parts(weights, bound).items()}
            nodes.extend(_nodes(node, units=weights[1].shape[2]))
            bound = _LARGEST_STATE
        else:
            nodes.append(node)
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in arrays.items())
    model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))


def _nodes(lstm: Any, units: int) -> Iterator[Any]:
    """Yield what stands for an LSTM: widen its inputs, run 8 bits, cut the two units off."""

    def own(*names: str) -> list[str]:
        return [f"{lstm.name}.{name}" for name in names]

    inputs, lengths = lstm.input[0], lstm.input[4]
    attributes = {each.name: helper.get_attribute_value(each) for each in lstm.attribute}
    attributes["hidden_size"] = units + 2
    yield helper.make_node("Shape", [inputs], own("leading"), start=0, end=2)
    yield helper.make_node("Concat", own("leading", "one"), own("shape_of_extremes"), axis=0)
    yield helper.make_node("Expand", own("extremes", "shape_of_extremes"), own("all_extremes"))
    yield helper.make_node("Concat", [inputs, *own("all_extremes")], own("wide"), axis=2)
    yield helper.make_node(
        "DynamicQuantizeLSTM",
        [
            *own("wide", "W", "R", "B"),
            lengths,
            *("", "", ""),  # zero states, no peepholes
            *own("W_scale", "W_zero", "R_scale", "R_zero"),
        ],
        own("wide_states"),
        domain=_DOMAIN,
        **attributes,
    )
    yield helper.make_node(
        "Slice", own("wide_states", "from", "to", "axis"), list(lstm.output), name=lstm.name
    )


def _parts(weights: list[NDArray[np.float32]], bound: float) -> Arrays:
    """Return the constants of a layer: widened weights by output column, and shapes."""
    w, r, b = weights  # [2, 4 U, in], [2, 4 U, U], [2, 8 U], gates in the order i, o, f, c
    directions, rows, inputs = w.shape
    units = rows // 4
    wide_w = np.zeros((directions, 4, units + 2, inputs + 2), np.float32)
    wide_r = np.zeros((directions, 4, units + 2, units + 2), np.float32)
    wide_b = np.zeros((directions, 2, 4, units + 2), np.float32)
    wide_w[:, :, :units, :inputs] = w.reshape(directions, 4, units, inputs)
    wide_r[:, :, :units, :units] = r.reshape(directions, 4, units, units)
    wide_b[..., :units] = b.reshape(directions, 2, 4, units)
    wide_b[:, 0, :3, units:] = _OPEN
    wide_b[:, 0, 3, units:] = (_OPEN, -_OPEN)  # what the two cells add at each step
    return {
        "B": wide_b.reshape(directions, -1),
        **_columns("W", wide_w),
        **_columns("R", wide_r),
        "extremes": np.array([[[bound, -bound]]], np.float32),
        "one": np.array([1]),
        "from": np.array([0]),
        "to": np.array([units]),
        "axis": np.array([3]),
    }


def _columns(name: str, wide: NDArray[np.float32]) -> Arrays:
    """Quantise [2, 4, U, in] to int8 [2, in, 4 U] with a scale for each output column."""
    columns = wide.reshape(wide.shape[0], -1, wide.shape[3]).transpose(0, 2, 1)
    scale = np.abs(columns).max(axis=1) / 127
    scale[scale == 0] = 1  # of the two units, which look at nothing
    return {
        name: np.rint(columns / scale[:, None]).astype(np.int8),
        f"{name}_scale": scale.astype(np.float32),
        f"{name}_zero": np.zeros_like(scale, np.int8),
    }
