"""Foreign weight files to bundles."""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deepmoji.bundle import Bundle, Contents, check_replaceable, write_bundle
from deepmoji.config import ORIGINAL_TOKENS, Gates, ModelConfig
from deepmoji.errors import InputError, require
from deepmoji.interop.foreign import Foreign, read_foreign
from deepmoji.labels import EMOJIS
from deepmoji.text.vocabulary import Vocabulary


def import_weights(
    weights: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    vocabulary: str | os.PathLike[str],
    gates: Gates | None = None,
    labels: Sequence[str] | None = None,
    max_tokens: int = ORIGINAL_TOKENS,
) -> Bundle:
    """Write a bundle, fp32 and ready for fine-tuning, from a weight file of another program.

    >>> import_weights("pytorch_model.bin", "original", vocabulary="vocabulary.json")
    ... # doctest: +SKIP

    Args:
        weights: Keras 2 HDF5, a torchMoji state dict, or deepmoji-onnx's ONNX, in fp32 or fp16.
        out: the bundle's folder.
        vocabulary: the ``vocabulary.json`` that the weights were trained with.
        gates: ``hard_sigmoid`` or ``sigmoid``; needed only where the file cannot tell.
        labels: names of the classes in order; by default the 64 emojis, or numbers from 0 on.
        max_tokens: where longer texts are cut; the original cut at 30.

    Raises:
        InputError: if a file cannot be read or they do not belong together.
        BundleError: if ``out`` holds something that is no bundle.
        MissingDependency: if the library that reads the file is not installed.
    """
    if type(max_tokens) is not int or max_tokens < 1:
        raise InputError(f"max_tokens has to be a whole number of 1 or more, not {max_tokens!r}")
    if not isinstance(vocabulary, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance] - users may not check types
        raise InputError(
            f"vocabulary has to be the path of a vocabulary.json, not a {type(vocabulary).__name__}"
        )
    require("onnx", "interop")
    require("safetensors", "interop")
    check_replaceable(out := Path(out))
    words = Vocabulary.load(Path(vocabulary))
    foreign = read_foreign(Path(weights), gates=gates)
    if len(words) != foreign.config.vocabulary_size:
        raise InputError(
            f"{vocabulary} has {len(words)} words, {weights} was trained with "
            f"{foreign.config.vocabulary_size}; give the vocabulary.json that belongs to it"
        )
    contents = Contents(
        config=foreign.config,
        vocabulary=words,
        labels=_labels(labels, foreign.config),
        max_tokens=max_tokens,
    )
    return _write(out, foreign, contents)


def _write(out: Path, foreign: Foreign, contents: Contents) -> Bundle:
    from deepmoji.training.card import model_card
    from deepmoji.training.graph import build_graph

    onnx: Any = require("onnx", "interop")
    safetensors: Any = require("safetensors.numpy", "interop")
    training = {
        "imported": {
            "file": foreign.path.name,
            "sha256": _sha256(foreign.path),
            "format": foreign.kind,
        },
        "made_with": {name: version(name) for name in ("deepmoji", "onnx")},
        "precision": "fp32",
    }
    with tempfile.TemporaryDirectory() as scratch:
        parts = {"model.onnx": Path(scratch) / "graph", "model.safetensors": Path(scratch) / "w"}
        onnx.save(build_graph(foreign.weights, foreign.config), parts["model.onnx"])
        safetensors.save_file(foreign.weights, parts["model.safetensors"])
        card = model_card(foreign.config, training)
        return write_bundle(out, contents, training=training, card=card, parts=parts)


def _labels(given: Sequence[str] | None, config: ModelConfig) -> tuple[str, ...]:
    if given is None:
        emojis = config.classes == len(EMOJIS)
        return tuple(EMOJIS) if emojis else tuple(map(str, range(config.classes)))
    names = tuple(name.strip() for name in given)
    if len(names) != config.classes:
        raise InputError(
            f"the model has {config.classes} classes; labels names {len(names)}; name each"
        )
    if not all(names):
        raise InputError(f"class {names.index('')} has no name in labels; give each class one")
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"labels names {twice[0]!r} twice; give each class a name of its own")
    return names


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
