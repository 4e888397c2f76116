"""Bundles to the weight files of other programs."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from deepmoji.bundle import PARTS, Bundle
from deepmoji.errors import InputError, require
from deepmoji.files import atomic_path
from deepmoji.interop.names import KERAS, KERAS_LAYERS, TORCHMOJI, Array

Target = Literal["keras", "torchmoji"]
_NEEDED = tuple((module, "train") for module in ("torch", "onnx", "safetensors"))
_KERAS_OF_2017 = "2.0.5"  # its default gates are hard sigmoids
_KERAS_SINCE = "2.3.0"  # from here on they are logistic


def export_weights(
    source: str | os.PathLike[str], out: str | os.PathLike[str], *, target: Target
) -> Path:
    """Write a bundle's weights as a file of Keras 2 or torchMoji.

    Imported again it gives the same numbers: which gates its LSTMs have is noted in both formats.
    torchMoji itself, which has hard ones alone and passes over the note, would compute something
    else of a model with logistic ones.

    Args:
        source: a bundle; of one without training weights those are written that its graph runs
            with.
        out: the file.
        target: ``keras`` (HDF5) or ``torchmoji`` (a torch state dict).

    Returns:
        the file.

    Raises:
        BundleError: if the bundle cannot be read.
        InputError: for another target, a model whose classes do not exclude each other, which
            neither program has, or an ``out`` that is no file.
        MissingDependency: if the library that writes the file is not installed.
    """
    if target not in get_args(Target):
        raise InputError(f"there is no format {target!r}; there are {', '.join(get_args(Target))}")
    bundle = Bundle.open(Path(source))
    if bundle.config.outputs != "softmax":
        raise InputError(
            f"{source} tells classes that do not exclude each other; {target} files hold models "
            "of exclusive ones"
        )
    if (Path(out).parent / "config.json").is_file() and Path(out).name in PARTS:
        raise InputError(f"{out} is part of a model; give the file another name or folder")
    for module, extra in _NEEDED + ((("h5py", "interop"),) if target == "keras" else ()):
        require(module, extra)
    from deepmoji.training.statedict import write_state_dict
    from deepmoji.training.weights import starting_weights

    weights = starting_weights(bundle)
    with atomic_path(Path(out)) as temporary:
        if target == "torchmoji":
            arrays = {each.theirs: each.write(weights[each.ours]) for each in TORCHMOJI}
            write_state_dict(arrays, temporary, gates=bundle.config.gates)
        else:
            _write_keras(weights, bundle.config.gates, temporary)
    return Path(out)


def _write_keras(weights: Mapping[str, Array], gates: str, path: Path) -> None:
    h5py: Any = require("h5py", "interop")
    by_layer: dict[str, dict[str, Array]] = {layer: {} for layer in KERAS_LAYERS}
    for entry in KERAS:
        array = weights[entry.ours]
        if "bias_ih" in entry.ours:
            array = array + weights[entry.ours.replace("bias_ih", "bias_hh")]
        layer, _, name = entry.theirs.partition("/")
        by_layer[layer][name] = entry.write(array)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = _bytes(KERAS_LAYERS)
        file.attrs["backend"] = b"tensorflow"
        hard = gates == "hard_sigmoid"
        file.attrs["keras_version"] = (_KERAS_OF_2017 if hard else _KERAS_SINCE).encode()
        file.attrs["deepmoji_gates"] = gates.encode()
        for layer, arrays in by_layer.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = _bytes(arrays)
            for name, array in arrays.items():
                group[name] = array


def _bytes(names: Any) -> Any:
    """Return names as Keras stores them: bytes of one length."""
    return np.array([name.encode() for name in names], dtype="S") if names else np.empty(0, "S1")
