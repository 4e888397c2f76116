"""Reads one foreign weight file; run as a process of its own by ``interop.isolation``.

    python -m deepmoji.interop.reading FORMAT FILE FOLDER

Whatever goes wrong here ends this process alone: altered HDF5 files make its C library loop for
ever or claim terabytes, and what torch raises on altered files has a dozen types.
"""

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import require

_MEMORY, _COPIES = 4 << 30, 8  # bytes beyond copies of the file
_GROWTH, _SLACK = 2, 1 << 20  # of half precision come floats; graphs may share small arrays
Arrays = dict[str, NDArray[Any]]
Facts = dict[str, Any]

ARRAYS, FACTS = "arrays.npz", "facts.json"
# Names of the LSTMs inside Keras' bidirectional layers count up with every model of a session.
_INNER_LSTM = re.compile(r"(bi_lstm_(\d+)/(?:forward|backward)_)[a-z_]*\d+")
# What a whole model's configuration, JSON, says of its LSTMs.
_RECURRENT = re.compile(r'"recurrent_activation":\s*"(\w+)"')
_HARD = {"Mul": 0.2, "Add": 0.5}  # constants of the exporter's hard sigmoid, before its Clip


def read_keras(path: Path) -> tuple[Arrays, Facts]:
    """Read weights, or a whole model, as Keras 2 saves them.

    Only plain datasets in the file itself are read: no links to other files, none that is larger
    than what the file holds.
    """
    h5py: Any = require("h5py", "interop")
    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        if "layer_names" not in root.attrs:
            raise ValueError("no layer_names: another program's HDF5")
        datasets: dict[str, Any] = {}
        for layer in _texts(root.attrs["layer_names"]):
            group = root[layer]
            for name in _texts(group.attrs["weight_names"]):
                datasets[_name(layer, name)] = _plain(h5py, group, name)
        # One dataset may have many names.
        _check_growth(path, sum(each.nbytes for each in datasets.values()))
        arrays = {name: np.asarray(each[()]) for name, each in datasets.items()}
        stated = {
            name: _texts([file.attrs.get(name, root.attrs.get(name, ""))])[0]
            for name in ("keras_version", "deepmoji_gates", "model_config")
        }
    configuration = stated.pop("model_config")
    return arrays, stated | {"activations": sorted(set(_RECURRENT.findall(configuration)))}


def _name(layer: str, name: str) -> str:
    """Return a weight's name in the table: one way to count LSTMs, the suffix of TensorFlow."""
    full = name if name.endswith(":0") else f"{name}:0"
    if not full.startswith(f"{layer}/"):
        full = f"{layer}/{full}"
    return f"{layer}/" + _INNER_LSTM.sub(lambda m: f"{m[1]}lstm_{int(m[2]) + 1}", full)


def _plain(h5py: Any, group: Any, name: str) -> Any:
    """Return the dataset of a weight."""
    place = group
    for part in name.split("/"):
        if not isinstance(place.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{name} is a link, no data")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or place.dtype.kind != "f":
        raise ValueError(f"{name} is no array of floating-point numbers")
    if place.external or place.is_virtual or place.id.get_storage_size() != place.nbytes:
        raise ValueError(f"{name} does not lie in the file, whole and plain")
    return place


def _check_growth(path: Path, size: int) -> None:
    """Refuse arrays of more bytes than their file can hold: a small one could fill the memory."""
    if size > _GROWTH * path.stat().st_size + _SLACK:
        raise ValueError(f"it would be {size:,} bytes, more than the file holds")


def _texts(values: Any) -> list[str]:
    return [each.decode() if isinstance(each, bytes) else str(each) for each in values]


def read_torchmoji(path: Path) -> tuple[Arrays, Facts]:
    """Read a torch state dict, with ``weights_only``."""
    from deepmoji.training.statedict import read_state_dict

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as entries:  # torch packs nothing, and unpacks what is packed
            _check_growth(path, sum(each.file_size for each in entries.infolist()))
    arrays, gates = read_state_dict(path)
    return arrays, {"deepmoji_gates": gates}


def read_onnx(path: Path) -> tuple[Arrays, Facts]:
    """Read what deepmoji-onnx's exporter writes: parameters keep the names of the state dict."""
    onnx: Any = require("onnx", "interop")
    # What lies outside the file is not read: its name could be any path.
    model = onnx.load(path, load_external_data=False)
    arrays: Arrays = {
        each.name: onnx.numpy_helper.to_array(each)
        for each in model.graph.initializer
        if each.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
        and not each.external_data
    }
    for node in model.graph.node:  # of arrays that are equal, torch's exporter keeps one
        if node.op_type == "Identity" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]]
    return arrays, {"gates": "hard_sigmoid" if _has_hard_gates(onnx, model.graph) else ""}


def _has_hard_gates(onnx: Any, graph: Any) -> bool:
    """Whether every gate is clip(0.2 x + 0.5, 0, 1), step by step as torch's exporter writes it."""
    constants = {each.name: each for each in graph.initializer}
    made = {node.output[0]: node for node in graph.node}
    constants |= {
        name: node.attribute[0].t
        for name, node in made.items()
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value"
    }

    def behind(node: Any, kind: str, number: float) -> Any:
        """Return what a node of this kind applies this constant to, or None."""
        if node is None or node.op_type != kind:
            return None
        for one, other in (node.input, reversed(node.input)):
            value = onnx.numpy_helper.to_array(constants[one]) if one in constants else None
            if value is not None and value.size == 1 and abs(float(value) - number) < 1e-3:
                return made.get(other)
        return None

    clips = [node for node in graph.node if node.op_type == "Clip"]
    added = [behind(made.get(node.input[0]), "Add", _HARD["Add"]) for node in clips]
    others = {"Sigmoid", "HardSigmoid", "LSTM"} & {node.op_type for node in graph.node}
    return (
        bool(clips)
        and not others
        and all(
            node is not None
            and node.op_type == "Mul"
            and behind(node, "Mul", _HARD["Mul"]) is not None
            for node in added
        )
    )


READERS = {"keras": read_keras, "torchmoji": read_torchmoji, "onnx": read_onnx}


def main(kind: str, file: str, folder: str) -> None:
    """Read a file and leave its arrays in a folder."""
    _limit_memory(_MEMORY + _COPIES * Path(file).stat().st_size)
    arrays, facts = READERS[kind](Path(file))
    _check_growth(Path(file), sum(each.nbytes for each in arrays.values()))
    # Numbers for names: a name in a foreign file may be any string.
    numbered: Any = {str(index): array for index, array in enumerate(arrays.values())}
    np.savez(Path(folder) / ARRAYS, **numbered)
    content = json.dumps({"names": list(arrays), "facts": facts})
    (Path(folder) / FACTS).write_text(content, encoding="utf-8")


def _limit_memory(size: int) -> None:
    """Limit the data of this process, where the system can; libraries do not count."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


if __name__ == "__main__":
    main(*sys.argv[1:])
