"""Learning from other models' answers besides the labels (Hinton et al., 2015)."""

import math
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepmoji.bundle import Bundle
from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import Shard, take
from deepmoji.errors import DeepmojiError, InputError
from deepmoji.files import atomic_path
from deepmoji.inference.engine import Engine
from deepmoji.training.copies import Copies
from deepmoji.training.hardware import Hardware
from deepmoji.training.loop import Progress, Report, answer
from deepmoji.training.network import Network
from deepmoji.training.pinned import copy_to
from deepmoji.training.weights import adopt

_TINY = 1e-12  # stands for a class that never occurs
_REPORT_SECONDS = 2.0
_WINDOW = 1024  # texts asked about at once

Answered = tuple[NDArray[np.int64], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a teacher says of every row that a run trains on.

    Attributes:
        path: log-probabilities float16 [rows, C], natural, as NumPy's file.
        prior: how often the teacher saw each class in its training, float [C]; None: unknown.
    """

    path: Path
    prior: NDArray[np.float64] | None


class Distillation:
    """The loss of a run with one teacher, or with several, of whose answers it takes the mean.

    Args:
        answers: each teacher's.
        seen: how often this run draws each class, float [C]. Where a teacher saw other
            frequencies, its answers are corrected by their ratio.
        config: weight and temperature.
    """

    def __init__(
        self, answers: Sequence[Answers], *, seen: NDArray[np.float64], config: PretrainConfig
    ) -> None:
        self._answers: list[NDArray[np.float16]] = [
            np.load(each.path, mmap_mode="r") for each in answers
        ]
        self._shifts = [_shift(each.prior, seen) for each in answers]
        self._weight, self._temperature = config.teacher_weight, config.temperature

    def __call__(self, loss: Tensor, logits: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """Return (1 - w) loss + w T^2 KL(teacher || student), both at temperature T.

        Args:
            loss: of the labels, summed over the rows.
            logits: of the student, float [B, C].
            rows: which rows they are of, int64 [B].
        """
        heat = self._temperature
        teacher = copy_to(logits.device, self._mean(rows))
        student = torch.log_softmax(logits / heat, dim=-1)
        divergence = nn.functional.kl_div(student, teacher, reduction="sum", log_target=True)
        return (1 - self._weight) * loss + self._weight * heat**2 * divergence

    def _mean(self, rows: NDArray[np.int64]) -> Tensor:
        """Return the logarithm of the teachers' mean probabilities at T, float [B, C]."""
        each = [
            torch.log_softmax(
                (torch.from_numpy(answers[rows].astype(np.float32)) + shift) / self._temperature,
                dim=-1,
            )
            for answers, shift in zip(self._answers, self._shifts, strict=True)
        ]
        return torch.logsumexp(torch.stack(each), dim=0) - math.log(len(each))


def _shift(prior: NDArray[np.float64] | None, seen: NDArray[np.float64]) -> Tensor:
    """Return what turns a teacher's logits into those of one that saw these frequencies."""
    shift = np.zeros(len(seen))
    if prior is not None:
        ratio = np.maximum(seen, _TINY) / np.maximum(prior, _TINY)
        shift = np.where(prior > 0, np.log(ratio), 0.0)
    return torch.from_numpy(shift.astype(np.float32))


def teacher_prior(bundle: Bundle, labels: Sequence[str]) -> NDArray[np.float64] | None:
    """Return how often a teacher saw each of the labels, float [C], or None if it does not say."""
    prior: Any = bundle.training.get("prior")
    if not isinstance(prior, list) or len(cast("list[Any]", prior)) != len(bundle.labels):
        return None
    if not set(labels) <= set(bundle.labels):
        return None  # it is no teacher, and refused for it
    shares = dict(zip(bundle.labels, cast("list[float]", prior), strict=True))
    return np.array([shares[label] for label in labels], dtype=np.float64)


def check_teacher(bundle: Bundle, *, words: Sequence[str], labels: Sequence[str]) -> None:
    """Refuse a teacher that cannot answer.

    Raises:
        InputError: if it has other words, lacks a label, or its classes do not exclude each other.
    """
    missing = [label for label in labels if label not in bundle.labels]
    if missing:
        raise InputError(
            f"the teacher {bundle.folder} does not know {', '.join(missing[:5])}; "
            "take a model of the corpus's emojis"
        )
    if bundle.config.outputs != "softmax":
        raise InputError(f"the teacher {bundle.folder} has no emoji that excludes another")
    if strange := set(words) ^ set(bundle.vocabulary.words):
        raise InputError(
            f"the teacher {bundle.folder} has another vocabulary than the corpus: {len(strange)} "
            f"words are in one of them alone, {min(strange)!r} among them; take a model that was "
            "trained on a corpus of the same vocabulary"
        )


def teacher_network(bundle: Bundle, *, words: Sequence[str], labels: Sequence[str]) -> Network:
    """Return a teacher that reads ids of these words and answers in the order of these labels.

    Raises:
        InputError: as :func:`check_teacher`.
        BundleError: if its weights cannot be read.
    """
    check_teacher(bundle, words=words, labels=labels)
    network = Network(replace(bundle.config, vocabulary_size=len(words), classes=len(labels)))
    adopt(network, bundle, words=words, labels=labels)
    return network


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """A model that is asked about the rows of a corpus.

    Attributes:
        bundle: the model; :func:`check_teacher` holds.
        words: of the corpus.
        labels: of the corpus.
    """

    bundle: Bundle
    words: Sequence[str]
    labels: Sequence[str]

    def __post_init__(self) -> None:
        check_teacher(self.bundle, words=self.words, labels=self.labels)

    def answer(self, pairs: Shard, *, max_tokens: int, hardware: Hardware) -> Iterator[Answered]:
        """Give some rows and their natural log-probabilities float32 [n, C], short texts first.

        On a CPU they come from the graph that the model is used with, which is faster there than
        the network if it is of int8: 2,300 texts a second of the default model on two cores, as
        `deepmoji pretrain` told it.

        Args:
            pairs: the rows.
            max_tokens: where texts are cut.
            hardware: whose device it runs on; the network with its precision.

        Raises:
            BundleError: if weights or graph cannot be read; at once, not at the first answer.
        """
        if hardware.kind == "cpu":
            return self._from_graph(Engine(self.bundle), pairs, max_tokens)
        network = teacher_network(self.bundle, words=self.words, labels=self.labels)
        return _from_network(network, pairs, max_tokens, hardware)

    def _from_graph(self, engine: Engine, pairs: Shard, max_tokens: int) -> Iterator[Answered]:
        places = {word: place for place, word in enumerate(self.bundle.vocabulary.words)}
        own = np.array([places[word] for word in self.words])
        columns = [self.bundle.labels.index(label) for label in self.labels]
        order = np.argsort(np.minimum(pairs.lengths, max_tokens), kind="stable")
        windows = [order[first : first + _WINDOW] for first in range(0, len(order), _WINDOW)]
        starts, ends = pairs.offsets[:-1], pairs.offsets[1:]
        cut = np.minimum(ends, starts + max_tokens)
        texts = ([own[pairs.ids[starts[k] : cut[k]]].tolist() for k in rows] for rows in windows)
        found = engine.run(texts, ["probabilities"])
        for rows, (probabilities,) in zip(windows, found, strict=True):
            # Labels that the corpus lacks are left out.
            scores = np.maximum(probabilities[:, columns], np.finfo(np.float32).tiny)
            yield rows, np.log(scores / scores.sum(axis=1, keepdims=True))


def _from_network(
    network: Network, pairs: Shard, max_tokens: int, hardware: Hardware
) -> Iterator[Answered]:
    device = torch.device(hardware.kind)
    is_mixed = hardware.arithmetic == "bf16-mixed"
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_mixed):
        yield from answer(network.to(device), pairs, max_tokens=max_tokens, device=device)
    if device.type == "cuda":
        torch.cuda.empty_cache()  # it is the training processes' turn


def write_answers(
    path: Path,
    teacher: Teacher,
    rows: Shard,
    *,
    max_tokens: int,
    hardware: Hardware,
    report: Report,
) -> None:
    """Ask a teacher about every row, each text once, and write what :class:`Answers` names.

    Args:
        path: the file; it is there whole or not at all.
        teacher: whom to ask.
        rows: what a run trains on.
        max_tokens: where texts are cut.
        hardware: as of :meth:`Teacher.answer`.
        report: told of progress, as the stage "teacher", with the teacher's loss on the labels.

    Raises:
        DeepmojiError: if the disk has no room for them.
        BundleError: if the teacher cannot be read.
    """
    shape = (len(rows), len(teacher.labels))
    _check_room(path, bytes_=2 * shape[0] * shape[1])
    copies = Copies.among(rows)
    clock = _Clock(len(copies.first), report)
    texts = take(rows, copies.first)
    found = teacher.answer(texts, max_tokens=max_tokens, hardware=hardware)
    with atomic_path(path) as temporary:
        file = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        for asked, scores in found:
            places, which = copies.of(asked)
            file[places] = scores[which]
            clock.tick(len(asked), -float(scores[which, rows.labels[places]].mean()))
        file.flush()
        del file


def _check_room(path: Path, *, bytes_: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < bytes_:  # writing to a mapped file would end the process without a word
        raise DeepmojiError(
            f"the teacher's answers take {bytes_ / 1e6:,.0f} MB in {path.parent}, "
            f"where {free / 1e6:,.0f} MB are free; make room and start again"
        )


class _Clock:
    """Tells how many texts have been asked about."""

    def __init__(self, texts: int, report: Report) -> None:
        self._texts, self._report = texts, report
        self._done, self._losses = 0, list[float]()
        self._started = self._reported = time.monotonic()

    def tick(self, texts: int, loss: float) -> None:
        self._done += texts
        self._losses.append(loss)
        now = time.monotonic()
        if self._done < self._texts and now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        rate = self._done / max(1e-9, now - self._started)
        self._report(
            Progress(
                step=self._done,
                steps=self._texts,
                loss=sum(self._losses) / len(self._losses),
                texts_per_second=rate,
                seconds_left=(self._texts - self._done) / rate,
                stage="teacher",
            )
        )
