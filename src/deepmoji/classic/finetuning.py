"""``finetune_chainthaw``: chain-thaw with the arguments of 2017, on texts or on their ids."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.classic.model import DeepMoji
from deepmoji.classic.renamed import check_count, refuse_gone, shown
from deepmoji.classic.tokenizer import words_of
from deepmoji.errors import InputError
from deepmoji.evaluation.columns import from_pair
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.evaluation.measures import MEASURES
from deepmoji.text.vocabulary import Vocabulary
from deepmoji.transfer.finetune import FineTuned, finetune
from deepmoji.transfer.options import Options

_PARTS = ("training", "validation", "test")
_COUNTS = ("epoch_size", "nb_epochs", "patience")
_LOG = logging.getLogger("deepmoji")


class ChainThawOptions(TypedDict, total=False):
    """What :func:`finetune_chainthaw` takes besides: the names of 2017, and three of today."""

    metric: str  # "acc", or one of evaluation.measures.MEASURES
    epoch_size: int  # texts of an epoch
    nb_epochs: int  # of each stage, at the most
    patience: int  # epochs without a better validation loss before a stage ends
    initial_lr: float  # of the new last layer
    next_lr: float  # of the other layers
    embed_l2: float  # penalty on the embedding
    verbose: int  # progress goes to the logger "deepmoji"; logging.basicConfig shows it
    seed: int
    device: str  # see deepmoji.finetune, as the next
    precision: str


_NAMES = {
    "epoch_size": "epoch_size",
    "nb_epochs": "epochs",
    "patience": "patience",
    "initial_lr": "new_learning_rate",
    "next_lr": "learning_rate",
    "embed_l2": "embedding_l2",
    "device": "device",
    "precision": "precision",
}


def finetune_chainthaw(
    model: DeepMoji,
    texts: Sequence[Any],
    labels: Sequence[Any],
    nb_classes: int | None = None,
    batch_size: int | None = None,
    **options: Unpack[ChainThawOptions],
) -> tuple[FineTuned, float]:
    """Tune a model by chain-thaw and measure it: :func:`deepmoji.finetune` in the words of 2017.

    >>> tuned, accuracy = finetune_chainthaw(model, texts, labels)  # doctest: +SKIP

    Args:
        model: what :func:`deepmoji.define_deepmoji` returns.
        texts: the training, validation and test texts: each a list of strings, or an array of ids
            [n, length] of the SentenceTokenizer that the model was defined with.
        labels: their labels: each n labels, or an array [n, C] of 0 and 1. Numbers go from 0 to
            ``nb_classes - 1``; of other names the training texts have ``nb_classes``.
        nb_classes: as the model was defined.
        batch_size: texts of a step, 1 or more; by default 250, or 50 where texts are long.
        options: see :class:`ChainThawOptions`.

    Returns:
        the tuned model, see :class:`deepmoji.FineTuned`, and the metric on the test texts.
        Thresholds that the metric needs are chosen on the validation texts.

    Raises:
        InputError: if an argument cannot be used, or is one of 2017 that makes no sense any more.
        BundleError: if the base cannot be used.
        MissingDependency: without the ``train`` extra.
    """
    refuse_gone("finetune_chainthaw", options, ChainThawOptions.__annotations__)
    _check_model(model, nb_classes)
    counts: dict[str, object] = {name: value for name, value in options.items() if name in _COUNTS}
    if batch_size is not None:
        counts["batch_size"] = batch_size
    for name, value in counts.items():
        check_count(name, value)
    named_texts = zip(_PARTS, _three(texts, "texts"), strict=True)
    read = [_texts(part, model, name) for name, part in named_texts]
    are_ids = {each.ids for each in read}
    if len(are_ids) > 1:
        raise InputError("some of the texts are strings and some ids; give one of both")
    train, validation, test = (
        from_pair(each.texts, part)
        for each, part in zip(read, _three(labels, "labels"), strict=True)
    )
    classes = _classes(model.nb_classes, train, validation, test)
    metric = _metric(options.get("metric", "acc"), Problem.of(train, classes=classes))
    named = {_NAMES[name]: value for name, value in options.items() if name in _NAMES}
    settings = {**model.settings, **named, "test": test, "classes": classes}
    if batch_size is not None:
        settings["batch_size"] = batch_size
    if are_ids == {True}:
        settings["words"] = str.split
    tuned = finetune(
        train,
        validation,
        base=model.base,
        method="chain-thaw",
        seed=options.get("seed", 0),
        report=_log if options.get("verbose", 0) else None,
        **cast("Options", settings),
    )
    return tuned, float(tuned.report["measures"]["test"][metric])


def _three(parts: object, name: str) -> list[Any]:
    try:
        listed = list(cast("Iterable[Any]", parts))
    except TypeError:
        listed = []
    if len(listed) != len(_PARTS):
        raise InputError(
            f"texts and labels have to be three each, training, validation and test; the {name} "
            f"are {shown(parts)}"
        )
    return listed


@dataclass(frozen=True)
class _Texts:
    """Texts, or the words of ids with spaces between, which ``str.split`` gives back as they are.

    Their own words are no texts: 65 of the original's 50,000 words do not tokenise to themselves
    ("jr." becomes "jr" and "."; "CUSTOM_AT" is lower-cased).
    """

    texts: Sequence[str]
    ids: bool


def _texts(part: Any, model: DeepMoji, name: str) -> _Texts:
    if isinstance(part, str | bytes) or not hasattr(part, "__iter__"):
        raise InputError(f"the {name} texts are a {type(part).__name__}; give a list or an array")
    if isinstance(next(iter(part), ""), str):  # from_pair checks each of them
        return _Texts(part, ids=False)
    try:
        rows = np.asarray(part)
    except ValueError:  # rows of different lengths
        rows = np.empty(0)
    if rows.dtype.kind not in "iu" or rows.ndim != 2:
        raise InputError(
            f"the {name} texts have to be a list of str or an array of ids [n, length]"
        )
    if model.vocabulary is None:
        raise InputError(
            f"the {name} texts are ids; say whose: define_deepmoji(…, vocabulary=tokenizer)"
        )
    return _Texts(_joined(rows, model.vocabulary), ids=True)


def _joined(rows: NDArray[Any], vocabulary: Vocabulary) -> list[str]:
    if spaced := [word for word in vocabulary.words if word.split() != [word]]:
        raise InputError(
            f"the vocabulary has words with white space, {spaced[0]!r}; texts have not"
        )
    return [" ".join(words_of(row, vocabulary)) for row in rows]


def _check_model(model: object, nb_classes: int | None) -> None:
    if not isinstance(model, DeepMoji):
        raise InputError(
            f"expected what define_deepmoji returns, got a {type(model).__name__}; a model folder "
            "is given there: define_deepmoji(nb_classes, weight_path=folder)"
        )
    if nb_classes is not None:
        check_count("nb_classes", nb_classes)
    # One class is a yes or no, as two are.
    if nb_classes not in (None, model.nb_classes) and (nb_classes, model.nb_classes) != (1, 2):
        raise InputError(f"nb_classes is {nb_classes}, but the model has {model.nb_classes}")


def _classes(count: int, *parts: Labelled) -> list[str] | None:
    """Return the classes in order if labels are numbers from 0; also those that no text has."""
    numbers = {str(number): None for number in range(count)}
    every = {name for part in parts for names in part.labels for name in names}
    if not (outside := every - numbers.keys()):
        return list(numbers)
    if all(_is_number(name) for name in every):
        raise InputError(
            f"nb_classes is {count}, so labels that are numbers have to be from 0 to {count - 1}, "
            f"but there are {', '.join(sorted(outside)[:5])}; number the classes from 0, or give "
            "them names"
        )
    found = {name for names in parts[0].labels for name in names}
    if len(found) != count:
        raise InputError(
            f"nb_classes is {count}, but the training texts have {len(found)} labels: "
            f"{', '.join(sorted(found)[:5])}"
        )
    return None


def _is_number(name: str) -> bool:
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False


def _metric(name: str, problem: Problem) -> str:
    """Return the name of a measure, checked before hours of training."""
    known = "accuracy" if name == "acc" else name
    fitting = [each for each, of in MEASURES.items() if problem.kind in of.kinds and of.any_classes]
    if known not in fitting:
        raise InputError(
            f"there is no metric {name!r} for these labels; there are {', '.join(fitting)}"
        )
    return known


def _log(progress: Any) -> None:
    _LOG.info(
        "stage %d/%d %s: epoch %d, loss %.3f",
        progress.stage,
        progress.stages,
        progress.layers,
        progress.epoch,
        progress.train_loss,
    )
