"""A bundle's weights by the names of the network's parameters, from wherever it holds them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors import SafetensorError
from safetensors.numpy import load_file

from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.training.graph import restore_gates
from deepmoji.training.network import Network

Arrays = dict[str, NDArray[np.float32]]


def read_weights(bundle: Bundle) -> Arrays:
    """Return a bundle's training weights.

    Raises:
        BundleError: if it has none or they do not fit its configuration.
    """
    if bundle.weights is None:
        raise BundleError(
            f"{bundle.folder} holds no model.safetensors, so it can be used but not trained or "
            "exported; use the bundle that pretrain wrote"
        )
    try:
        weights = load_file(bundle.weights)
    except (SafetensorError, OSError) as error:
        raise BundleError(
            f"{bundle.weights} cannot be read ({error}); copy the whole bundle again"
        ) from error
    return _checked(weights, bundle.config, str(bundle.weights))


def starting_weights(bundle: Bundle) -> Arrays:
    """Return weights to fine-tune from: the training weights, or those that the graph runs with.

    Of an int8 graph they are the dequantised ones, within 1/254 of each column's largest.

    Raises:
        BundleError: if the graph was not made by deepmoji's export.
    """
    if bundle.weights is not None:
        return read_weights(bundle)
    try:
        model = onnx.load(bundle.graph)
    except (DecodeError, OSError) as error:
        raise BundleError(f"{bundle.graph} cannot be read ({error}); copy it again") from error
    found = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    try:
        weights = _from_graph(found, bundle.config)
    except (KeyError, ValueError) as error:
        raise BundleError(
            f"{bundle.graph} was not made by deepmoji export, so its weights cannot be read "
            f"({error}); start from a bundle that holds model.safetensors"
        ) from error
    return _checked(weights, bundle.config, str(bundle.graph))


def adopt(
    network: Network, bundle: Bundle, *, words: Sequence[str], labels: Sequence[str]
) -> tuple[int, int]:
    """Start a network from another model's weights, word by word and label by label.

    What the other model lacks keeps the numbers that the network has.

    Args:
        network: changed in place; vocabulary and classes may be others than the bundle's.
        bundle: what to start from.
        words: the network's vocabulary, in order.
        labels: its classes, in order.

    Returns:
        how many words and labels were found.

    Raises:
        BundleError: if the bundle's weights cannot be read.
        InputError: if its layers have other sizes or gates.
    """
    for name in ("embedding_size", "units", "gates"):
        own, other = getattr(network.config, name), getattr(bundle.config, name)
        if own != other:
            raise InputError(
                f"{bundle.folder} has {name} {other}, this run {own}; start from a model of the "
                f"same sizes, or give --{name.replace('_', '-')} {other}"
            )
    arrays = starting_weights(bundle)
    weights = {name: torch.from_numpy(np.array(each)) for name, each in arrays.items()}
    shared_words = _shared(words, bundle.vocabulary.words)
    shared_labels = _shared(labels, bundle.labels)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            rows = {"embedding": shared_words, "output": shared_labels}.get(name.split(".")[0])
            if rows is None and name in weights:  # a guess of encodings is in no bundle
                parameter.copy_(weights[name])
            elif rows is not None:
                parameter[rows[0]] = weights[name][rows[1]]
    return len(shared_words[0]), len(shared_labels[0])


def _shared(own: Sequence[str], other: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the places in both lists of what stands in both."""
    places = {each: place for place, each in enumerate(other)}
    pairs = [(place, places[each]) for place, each in enumerate(own) if each in places]
    return [own_ for own_, _ in pairs], [other_ for _, other_ in pairs]


def _from_graph(found: dict[str, NDArray[Any]], config: ModelConfig) -> Arrays:
    """Undo :func:`training.graph.build_graph` and :func:`training.quantise.quantise_lstms`."""
    weights: Arrays = {
        "attention": found["attention.weight"][:, 0],
        "output.weight": found["output.weight"],
        "output.bias": found["output.bias"],
    }
    if "embedding.weight" in found:
        weights["embedding.weight"] = found["embedding.weight"]
    else:
        weights["embedding.weight"] = found["embedding.int8"] * found["embedding.scale"]
    for layer, inputs in (("lstm_1", config.embedding_size), ("lstm_2", 2 * config.units)):
        w, r, b = _layer(found, layer, units=config.units, inputs=inputs)
        for index, direction in enumerate(("ahead", "back")):
            bias_ih, bias_hh = np.split(b[index], 2)
            arrays = {"weight_ih": w[index], "weight_hh": r[index]}
            arrays |= {"bias_ih": bias_ih, "bias_hh": bias_hh}
            for part, array in arrays.items():
                weights[f"{layer}.{direction}.{part}_l0"] = restore_gates(array)
    return {name: np.ascontiguousarray(each, np.float32) for name, each in weights.items()}


def _layer(
    found: dict[str, NDArray[Any]], layer: str, *, units: int, inputs: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return W [2, 4 U, in], R [2, 4 U, U] and B [2, 8 U] of a layer in ONNX's order."""
    if f"{layer}.W" in found:
        return found[f"{layer}.W"], found[f"{layer}.R"], found[f"{layer}.B"]

    def columns(name: str, width: int) -> NDArray[Any]:
        """Int8 [2, in + 2, 4 (U + 2)] to [2, 4 U, in], without what fixes the scales."""
        scaled = found[f"{layer}.states.{name}"] * found[f"{layer}.states.{name}_scale"][:, None]
        wide = scaled.transpose(0, 2, 1).reshape(2, 4, units + 2, width + 2)
        return wide[:, :, :units, :width].reshape(2, 4 * units, width)

    biases = found[f"{layer}.states.B"].reshape(2, 2, 4, units + 2)[..., :units]
    return columns("W", inputs), columns("R", units), biases.reshape(2, 8 * units)


def _checked(weights: Arrays, config: ModelConfig, source: str) -> Arrays:
    with torch.device("meta"):
        expected = {name: tuple(p.shape) for name, p in Network(config).named_parameters()}
    found = {name: array.shape for name, array in weights.items()}
    if found != expected:
        wrong = sorted(n for n in found.keys() | expected.keys() if found.get(n) != expected.get(n))
        raise BundleError(f"{source} does not fit its config.json: {', '.join(wrong)}")
    return weights
