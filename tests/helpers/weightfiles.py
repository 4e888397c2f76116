"""Weight files of other programs, altered for a test, and the scores that sound ones give."""

import h5py
import numpy as np
import torch
from onnx import helper, numpy_helper

import deepmoji

TEXTS = ["i love you", "this is the shit", "", "so tired of it !"]


def same_scores(files, moji, tolerance=1e-6):
    """Whether a model scores as the one that the files were made from."""
    expected = deepmoji.load(files.bundle.folder).scores(TEXTS)
    return np.abs(moji.scores(TEXTS) - expected).max() <= tolerance


def rewrite(source, target, change):
    """Copy an HDF5 file and change the copy."""
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        change(file)
    return target


def graph(files, slope=0.2, offset=0.5, extra=()):
    """An ONNX file with the names and the gates that deepmoji-onnx's exporter leaves."""
    state = torch.load(files.torchmoji, weights_only=True)
    slope_value = numpy_helper.from_array(np.array(slope, np.float32), "slope")
    nodes = [
        helper.make_node("Constant", [], ["slope"], value=slope_value),
        helper.make_node("Mul", ["x", "slope"], ["steep"]),
        helper.make_node("Add", ["offset", "steep"], ["moved"]),
        helper.make_node("Clip", ["moved", "zero", "one"], ["gate"]),
        helper.make_node("Identity", ["given"], ["x"]),
        *(helper.make_node(kind, ["x"], [f"y{index}"]) for index, kind in enumerate(extra)),
    ]
    constants = [numpy_helper.from_array(v.numpy(), k) for k, v in state.items()]
    constants.append(numpy_helper.from_array(np.array(offset, np.float32), "offset"))
    return helper.make_model(helper.make_graph(nodes, "g", [], [], constants))
