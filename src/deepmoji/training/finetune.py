"""Fine-tuning of a network: labelled ids in, tuned weights out (paper, section 3.3)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepmoji.config import FineTuneConfig, Kind, Method, ModelConfig
from deepmoji.training.examples import Examples, class_weights
from deepmoji.training.hardware import Hardware, fix_threads
from deepmoji.training.network import Network
from deepmoji.training.thaw import METHODS, Recipe
from deepmoji.training.tuner import Report, Settings, Tuner
from deepmoji.training.tuning import TuningCheckpoint

Ids = Sequence[Sequence[int]]
Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is to be learnt: texts as ids of the model's vocabulary, and which classes hold."""

    kind: Kind
    train: Ids
    train_targets: NDArray[np.float32]  # [n, C], one for each class that holds
    validation: Ids
    validation_targets: NDArray[np.float32]

    def targets(self, given: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the network is to say: of two classes, only whether it is the second."""
        return np.ascontiguousarray(given[:, 1:] if self.kind == "binary" else given)


@dataclass(frozen=True, kw_only=True)
class Start:
    """What tuning starts from."""

    config: ModelConfig
    weights: Arrays  # by the names of the network's parameters
    new_words: int = 0  # ids from config.vocabulary_size on, which get random rows


@dataclass(frozen=True, kw_only=True)
class Course:
    """How it is done."""

    method: Method
    config: FineTuneConfig
    max_tokens: int  # texts are cut there
    batch_size: int
    seed: int
    hardware: Hardware
    folder: Path | None = None  # of the checkpoint, if the run is to be kept

    @property
    def recipe(self) -> Recipe:
        """The method's stages."""
        return METHODS[self.method]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A tuned network, as a bundle holds it."""

    config: ModelConfig
    weights: dict[str, NDArray[np.float32]]
    history: list[dict[str, Any]]  # of each epoch: stage, losses, seconds


def tune(
    start: Start,
    lesson: Lesson,
    course: Course,
    *,
    report: Report,
    kind: type[Network] = Network,
) -> tuple[Outcome, Network]:
    """Tune a network on a lesson.

    Only the rows of the embedding that the lesson's texts need are trained and kept in memory; a
    word that training texts lack keeps its row.

    Args:
        start: configuration and weights to start from.
        lesson: the texts and classes.
        course: method, settings and seed.
        report: told of progress.
        kind: the network; another one has no pretrained weights.

    Returns:
        the outcome, and the network, whose embedding has a row for each word of the vocabulary.

    Raises:
        InputError: if the checkpoint's folder holds another run.
        DeepmojiError: if training fails: a loss that is no number, a full disk.
    """
    device = torch.device(course.hardware.kind)
    fix_threads()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(course.seed)
        table = _table(start, course.recipe)
        used, learnable = _used_words(lesson, course.max_tokens, len(table))
        network = _network(start, lesson, course, words=len(used), kind=kind)
        with torch.no_grad():
            network.embedding.weight.copy_(table[used])
        places = torch.zeros(len(table), dtype=torch.int64)
        places[used] = torch.arange(len(used))
        tuner = Tuner(
            network.to(device),
            train=_examples(lesson, "train", course, places).to(device),
            validation=_examples(lesson, "validation", course, places).to(device),
            settings=Settings(
                config=course.config,
                batch_size=course.batch_size,
                seed=course.seed,
                precision=_precision(course.hardware),
                learnable_words=learnable.to(device),
            ),
            checkpoint=_checkpoint(start, lesson, course),
            report=report,
        )
        history = tuner.run(course.recipe)
    network.cpu().eval()
    with torch.no_grad():
        table[used] = network.embedding.weight
        network.embedding = torch.nn.Embedding.from_pretrained(table)
    network.config = replace(network.config, vocabulary_size=len(table))
    config, weights = _as_stored(network, lesson.kind)
    return Outcome(config=config, weights=weights, history=history), network


def _network(
    start: Start, lesson: Lesson, course: Course, *, words: int, kind: type[Network]
) -> Network:
    classes = lesson.targets(lesson.train_targets).shape[1]
    config = replace(
        start.config,
        vocabulary_size=words,
        classes=classes,
        outputs="softmax" if lesson.kind == "single" else "sigmoid",
    )
    dropouts = {
        "embedding_dropout": course.config.embedding_dropout,
        "final_dropout": course.config.final_dropout,
    }
    if not course.recipe.is_pretrained:
        return kind(config, **dropouts)
    with torch.device("meta"):  # orthogonal weights take seconds, and would be overwritten
        network = kind(config, **dropouts)
    network.to_empty(device="cpu")
    network.initialise(("output.",))
    body = {name: torch.from_numpy(np.array(each)) for name, each in start.weights.items()}
    own = network.state_dict()
    own |= {name: each for name, each in body.items() if not name.startswith(("output.", "embed"))}
    network.load_state_dict(own)
    return network


def _table(start: Start, recipe: Recipe) -> Tensor:
    """Return the embedding's rows, those of new words random and as wide as the others."""
    size = (start.config.vocabulary_size + start.new_words, start.config.embedding_size)
    if not recipe.is_pretrained:
        return torch.empty(size).uniform_(-0.5, 0.5)
    old = torch.from_numpy(np.array(start.weights["embedding.weight"]))
    spread = float(old.std()) * 3**0.5  # of a uniform distribution with the same deviation
    new = torch.empty(start.new_words, size[1]).uniform_(-spread, spread)
    return torch.cat([old, new])


def _used_words(lesson: Lesson, max_tokens: int, words: int) -> tuple[Tensor, Tensor]:
    """Return the ids of all texts in order, int64 [V], and which of them training texts hold."""
    in_train, everywhere = np.zeros(words, np.bool_), np.zeros(words, np.bool_)
    everywhere[[0, 1]] = True  # padding; and a text without words is an unknown one
    for ids, seen in ((lesson.train, in_train), (lesson.validation, everywhere)):
        for row in ids:
            seen[list(row[:max_tokens])] = True
    everywhere |= in_train
    used = np.flatnonzero(everywhere)
    return torch.from_numpy(used), torch.from_numpy(in_train[used])


def _examples(lesson: Lesson, part: str, course: Course, places: Tensor) -> Examples:
    ids: Ids = getattr(lesson, part)
    targets = lesson.targets(getattr(lesson, f"{part}_targets"))
    columns = 1 if lesson.kind == "single" else targets.shape[1]
    weights = np.ones((len(targets), columns), np.float32)
    if course.config.class_weights and part == "train":
        weights = class_weights(targets, "softmax" if lesson.kind == "single" else "sigmoid")
    examples = Examples.of(ids, targets, max_tokens=course.max_tokens, weights=weights)
    return replace(examples, ids=places[examples.ids])


def _precision(hardware: Hardware) -> torch.dtype:
    return torch.bfloat16 if hardware.arithmetic == "bf16-mixed" else torch.float32


def _as_stored(network: Network, kind: Kind) -> tuple[ModelConfig, dict[str, NDArray[np.float32]]]:
    """Return configuration and weights as a bundle holds them.

    One sigmoid for two classes is the softmax over the logits 0 and z.
    """
    weights = {n: p.detach().numpy().copy() for n, p in network.named_parameters()}
    if kind != "binary":
        return network.config, weights
    for name in ("output.weight", "output.bias"):
        weights[name] = np.concatenate([np.zeros_like(weights[name]), weights[name]])
    return replace(network.config, classes=2, outputs="softmax"), weights


def _checkpoint(start: Start, lesson: Lesson, course: Course) -> TuningCheckpoint | None:
    if course.folder is None:
        return None
    data = hashlib.sha256(lesson.kind.encode())
    for ids, targets in (
        (lesson.train, lesson.train_targets),
        (lesson.validation, lesson.validation_targets),
    ):
        data.update(repr([list(row) for row in ids]).encode())
        data.update(targets.tobytes())
    model = hashlib.sha256()
    for name in sorted(start.weights):
        model.update(np.ascontiguousarray(start.weights[name]).data)
    fingerprint = {
        "data": data.hexdigest(),
        "base model": model.hexdigest(),
        "settings": course.config.to_dict()
        | {"method": course.method, "max_tokens": course.max_tokens, "seed": course.seed},
        "arithmetic": course.hardware.described,
    }
    return TuningCheckpoint(course.folder, fingerprint)
