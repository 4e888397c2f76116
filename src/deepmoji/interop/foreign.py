"""A foreign weight file as a network of ours: names, sizes and gates."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from deepmoji.config import Gates, ModelConfig
from deepmoji.errors import InputError
from deepmoji.interop.isolation import Format, format_of, read
from deepmoji.interop.names import KERAS, TORCHMOJI, Array, Entry
from deepmoji.interop.reading import Arrays

TABLES: dict[Format, tuple[Entry, ...]] = {
    "keras": KERAS,
    "torchmoji": TORCHMOJI,
    "onnx": TORCHMOJI,
}
_LOGISTIC_SINCE = (2, 3)  # Keras changed the default of its recurrent activation
_OTHER_HARD_SINCE = 3  # and what it calls a hard sigmoid: the slope is 1/6 from there on
_KERAS_GATES: dict[str, Gates] = {"hard_sigmoid": "hard_sigmoid", "sigmoid": "sigmoid"}


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """The weights of a foreign file by our names.

    Attributes:
        path: of the file.
        kind: its format.
        config: sizes that follow from its arrays, and gates.
        weights: float32, by the names of ``training.network``'s parameters.
    """

    path: Path
    kind: Format
    config: ModelConfig
    weights: dict[str, Array]


def read_foreign(path: Path, *, gates: Gates | None = None) -> Foreign:
    """Read a weight file of Keras 2, torchMoji or deepmoji-onnx.

    A last layer of one output, the sigmoid of a problem of two classes, becomes two outputs with
    the same probabilities.

    Args:
        path: the file; its first bytes tell the format.
        gates: which gates its LSTMs were trained with; needed only where the file cannot tell.

    Raises:
        InputError: if it cannot be read, lacks a weight, its sizes contradict each other, or it
            does not tell its gates and none are given.
        MissingDependency: if the library that reads it is not installed.
    """
    if gates is not None and gates not in get_args(Gates):
        raise InputError(f"gates has to be one of {', '.join(get_args(Gates))}, not {gates!r}")
    kind = format_of(path)
    arrays, facts = read(path, kind)
    weights = _ours(path, kind, arrays)
    config = ModelConfig(
        vocabulary_size=len(weights["embedding.weight"]),
        embedding_size=weights["embedding.weight"].shape[1],
        units=weights["lstm_1.ahead.weight_hh_l0"].shape[1],
        classes=len(weights["output.bias"]),
        gates=gates or _gates(path, kind, facts),
    )
    _check_shapes(path, weights, config)
    return Foreign(path=path, kind=kind, config=config, weights=weights)


def _ours(path: Path, kind: Format, arrays: Arrays) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    if missing := [entry.theirs for entry in TABLES[kind] if entry.theirs not in arrays]:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        raise InputError(
            f"{path} is no DeepMoji with an output layer, as far as its names tell: it lacks "
            f"{shown}; it has {', '.join(list(arrays)[:5]) or 'no arrays at all'}"
        )
    for entry in TABLES[kind]:
        try:
            array = entry.read(arrays[entry.theirs])
        except ValueError as error:
            raise InputError(f"{path} is no DeepMoji: {error}") from error
        weights[entry.ours] = np.ascontiguousarray(array, dtype=np.float32)
        if not np.isfinite(weights[entry.ours]).all():
            raise InputError(f"{path} is damaged: {entry.theirs} holds values that are no numbers")
    if kind == "keras":
        for name in [name for name in weights if "bias_ih" in name]:
            weights[name.replace("bias_ih", "bias_hh")] = np.zeros_like(weights[name])
    for name, axes in (
        ("embedding.weight", 2),
        ("lstm_1.ahead.weight_hh_l0", 2),
        ("output.bias", 1),
    ):
        if weights[name].ndim != axes or 0 in weights[name].shape:
            raise InputError(f"{path} is no DeepMoji: {name} has shape {list(weights[name].shape)}")
    if weights["output.bias"].shape == (1,):  # softmax([0, z]) is the sigmoid of z
        for name in ("output.weight", "output.bias"):
            weights[name] = np.concatenate([np.zeros_like(weights[name]), weights[name]])
    return weights


def _gates(path: Path, kind: Format, facts: Any) -> Gates:
    """Return the gates that a format, a version or the graph itself settles."""
    if facts.get("deepmoji_gates") in get_args(Gates):  # our own exporter says it
        return facts["deepmoji_gates"]
    if kind == "torchmoji":
        return "hard_sigmoid"  # torchMoji's own LSTM has no others
    if kind == "onnx" and facts["gates"]:
        return facts["gates"]
    if kind == "keras":
        version = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)*", facts["keras_version"])
        stated: list[str] = facts["activations"]
        gates = _KERAS_GATES.get(stated[0]) if len(stated) == 1 else None
        if gates and version and int(version[1]) < _OTHER_HARD_SINCE:
            return gates
        if not stated and version and (int(version[1]), int(version[2])) < _LOGISTIC_SINCE:
            return "hard_sigmoid"
    raise InputError(
        f"{path} does not tell which gates its LSTMs were trained with; say gates='hard_sigmoid' "
        "(--gates hard_sigmoid), as the original has them, or 'sigmoid', the default of Keras "
        "since 2.3 and of every other framework"
    )


def _check_shapes(path: Path, weights: dict[str, Array], config: ModelConfig) -> None:
    units, features = config.units, config.features
    expected: dict[str, tuple[int, ...]] = {
        "embedding.weight": (config.vocabulary_size, config.embedding_size),
        "attention": (features,),
        "output.weight": (config.classes, features),
        "output.bias": (config.classes,),
    }
    for layer, inputs in (("lstm_1", config.embedding_size), ("lstm_2", 2 * units)):
        for direction in ("ahead", "back"):
            parts = {"weight_ih": (inputs,), "weight_hh": (units,), "bias_ih": (), "bias_hh": ()}
            for part, size in parts.items():
                expected[f"{layer}.{direction}.{part}_l0"] = (4 * units, *size)
    for name, shape in expected.items():
        if weights[name].shape != shape:
            raise InputError(
                f"{path}: {name} has the shape {list(weights[name].shape)}; with the other sizes "
                f"it would have to be {list(shape)} ({math.prod(shape):,} numbers)"
            )
