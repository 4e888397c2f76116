"""``define_deepmoji``: what is to be tuned, with the arguments of 2017."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.bundle import model_folder
from deepmoji.classic.renamed import check_count, refuse_gone, shown
from deepmoji.classic.tokenizer import Known, SentenceTokenizer, as_vocabulary
from deepmoji.errors import InputError
from deepmoji.inference.predictor import load
from deepmoji.text.vocabulary import Vocabulary


class ModelOptions(TypedDict, total=False):
    """What :func:`define_deepmoji` takes besides."""

    vocabulary: SentenceTokenizer | Known | None  # whose ids the texts will be, if they are ids
    extend_embedding: int  # most words to add; by default up to 10,000 of the training texts
    embed_dropout_rate: float  # 0.25 by default, as in 2017
    final_dropout_rate: float  # 0.5
    embed_l2: float  # 1e-6


@dataclass(frozen=True, kw_only=True)
class DeepMoji:
    """A model that is to be tuned; nothing is computed before.

    Attributes:
        nb_classes: how many classes there are to tell apart.
        base: the bundle to start from; None for the shipped model.
        settings: for :func:`deepmoji.finetune`.
        source: of the vocabulary, if the texts will be ids.
    """

    nb_classes: int
    base: Path | None
    settings: Mapping[str, Any]
    source: SentenceTokenizer | Known | None = None

    @property
    def vocabulary(self) -> Vocabulary | None:
        """What ids of texts mean, as it is now; None if that was not said."""
        if isinstance(self.source, SentenceTokenizer):
            return self.source.words
        return None if self.source is None else as_vocabulary(self.source)

    def encode(self, texts: Iterable[str]) -> NDArray[np.float32]:
        """Return the encodings of texts by the model that tuning starts from, float32 [n, F].

        Raises:
            InputError: if a text is not a ``str``.
            BundleError: if the base cannot be used.
        """
        return load(self.base).encode(texts)

    def predict(self, texts: Iterable[str]) -> NoReturn:
        """Say that a model has to be tuned before it knows its classes.

        Raises:
            InputError: always.
        """
        raise InputError(
            f"this model has not learnt its {self.nb_classes} classes yet: "
            "tuned, score = finetune_chainthaw(model, texts, labels), then tuned.scores(texts); "
            "for emojis take deepmoji.load().scores(texts)"
        )


def define_deepmoji(
    nb_classes: int,
    maxlen: int | None = None,
    weight_path: str | os.PathLike[str] | None = None,
    **options: Unpack[ModelOptions],
) -> DeepMoji:
    """Say what is to be tuned; :func:`deepmoji.finetune_chainthaw` does it.

    >>> define_deepmoji(3, maxlen=30).settings
    {'max_tokens': 30}

    Args:
        nb_classes: how many classes there are; 1 and 2 both mean two.
        maxlen: texts are cut there; by default where the base cuts, or later.
        weight_path: the folder of a model; the shipped one by default. (In 2017 no path meant
            random weights: that is ``deepmoji.finetune(…, method="new")``.)
        options: see :class:`ModelOptions`.

    Raises:
        InputError: if an argument makes no sense, or is one of 2017 that makes none any more; a
            ``weight_path`` that is no folder: a weight file has to become one first.
    """
    refuse_gone("define_deepmoji", options, ModelOptions.__annotations__)
    check_count("nb_classes", nb_classes)
    if maxlen is not None:
        check_count("maxlen", maxlen)
    named = {
        "max_tokens": maxlen,
        "extend": options.get("extend_embedding"),
        "embedding_dropout": options.get("embed_dropout_rate"),
        "final_dropout": options.get("final_dropout_rate"),
        "embedding_l2": options.get("embed_l2"),
    }
    return DeepMoji(
        nb_classes=max(nb_classes, 2),
        base=None if weight_path is None else _folder(weight_path),
        settings={name: value for name, value in named.items() if value is not None},
        source=options.get("vocabulary"),
    )


def _folder(weight_path: object) -> Path:
    """Return the folder of a model; what is in it is checked when it is opened."""
    if not isinstance(weight_path, str | os.PathLike):
        raise InputError(
            f"weight_path has to be the path of a model folder, not {shown(weight_path)}"
        )
    folder = model_folder(cast("str | os.PathLike[str]", weight_path))
    if folder.is_file():
        raise InputError(
            f"{folder} is a file; weight_path has to be a model folder: make one of an original "
            f"weight file with deepmoji import {folder} --vocabulary vocabulary.json "
            "--out FOLDER"
        )
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}; weight_path has to be a model folder, or left out for "
            "the model that ships with the package"
        )
    return folder
