"""What fine-tuning takes besides the data, and which of it a method has a use for."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypedDict

import numpy as np

from deepmoji.config import FineTuneConfig, Method, check_seed
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import Labelled, Source
from deepmoji.transfer.words import Reading

METHODS: tuple[Method, ...] = ("new", "full", "last", "chain-thaw", "gradual")

# What a method never looks at: whoever sets it expects something that does not happen.
UNUSED: Mapping[Method, Mapping[str, str]] = {
    "last": dict.fromkeys(
        ("learning_rate", "embedding_l2", "embedding_dropout", "extend"),
        "only a new last layer learns, with new_learning_rate, on encodings that stay as they are",
    ),
    "full": {"new_learning_rate": "all layers learn with learning_rate"},
    "new": {"learning_rate": "all layers start at random and learn with new_learning_rate"},
    "gradual": {"learning_rate": "rates fall from new_learning_rate, from layer to layer"},
}


class Options(TypedDict, total=False):
    """What :func:`transfer.finetune.finetune` takes besides.

    The data, where to compute, and the settings.
    """

    test: Source | Labelled  # measured when all is done; decides nothing
    text_column: str | None  # of files
    label_column: str | None
    multi_label: bool | None  # whether several labels may hold; by default if that occurs
    classes: Sequence[object] | None  # their order; by default that of numbers or the alphabet
    words: Reading | None  # a text's words, of texts that were cut before; deepmoji.tokenize
    folder: str | os.PathLike[str] | None  # where the unfinished run is kept, to go on from
    device: str  # auto, cpu, cuda or mps
    precision: str  # auto (the faster one), bf16-mixed or 32-true
    epochs: int  # this and the following: see config.FineTuneConfig
    epoch_size: int
    batch_size: int
    patience: int
    new_learning_rate: float
    learning_rate: float
    clip_norm: float
    embedding_l2: float
    embedding_dropout: float
    final_dropout: float
    extend: int
    max_tokens: int
    class_weights: bool
    validation_share: float


def check(method: str, seed: int, options: Mapping[str, Any], *, validates: bool) -> FineTuneConfig:
    """Return the settings among the options.

    Args:
        method: of tuning.
        seed: a number.
        options: see :class:`Options`.
        validates: whether validation texts are given.

    Raises:
        InputError: if the method is none of ours, an option is unknown, impossible, or one that
            would change nothing.
    """
    if method not in METHODS:
        raise InputError(f"method has to be one of {', '.join(METHODS)}, not {method!r}")
    check_seed(seed)
    known = Options.__annotations__
    if unknown := sorted(set(options) - set(known)):
        raise InputError(f"finetune has no option {unknown[0]!r}; it has {', '.join(known)}")
    several = own(options.get("multi_label"))
    if several is not None and type(several) is not bool:
        raise InputError(f"multi_label has to be True, False or None, not {several!r}")
    words: Callable[..., object] | None = options.get("words")
    if words is not None and not callable(words):
        raise InputError(f"words has to be a function from a text to its words, not {words!r}")
    names = {each.name for each in fields(FineTuneConfig)}
    config = FineTuneConfig(
        **{name: own(value) for name, value in options.items() if name in names}
    )
    _check_use(method, config)
    if validates and config.validation_share != FineTuneConfig.validation_share:
        raise InputError(
            "validation_share is the part of the training texts that is held out where no "
            "validation texts are given; here they are given: leave one of the two out"
        )
    return config


def own(value: Any) -> Any:
    """Return Python's own for a number of NumPy's, as a grid of settings holds."""
    return value.item() if isinstance(value, np.generic) else value


def _check_use(method: Method, config: FineTuneConfig) -> None:
    for name, why in UNUSED.get(method, {}).items():
        if getattr(config, name) != getattr(FineTuneConfig, name):
            raise InputError(
                f"{name} changes nothing with the method {method}: {why}; leave it out, or take "
                "another method"
            )
