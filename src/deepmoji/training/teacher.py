"""Learning from another model's answers besides the labels (Hinton et al., 2015)."""

import shutil
import time
from collections.abc import Sequence
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
from deepmoji.training.copies import Copies
from deepmoji.training.hardware import Hardware
from deepmoji.training.loop import Progress, Report, answer
from deepmoji.training.network import Network
from deepmoji.training.pinned import copy_to
from deepmoji.training.weights import adopt

_TINY = 1e-12  # stands for a class that never occurs
_REPORT_SECONDS = 2.0


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
    """The loss of a run with a teacher.

    Args:
        answers: the teacher's.
        seen: how often this run draws each class, float [C]. Where the teacher saw other
            frequencies, its answers are corrected by their ratio.
        config: weight and temperature.
    """

    def __init__(
        self, answers: Answers, *, seen: NDArray[np.float64], config: PretrainConfig
    ) -> None:
        self._answers: NDArray[np.float16] = np.load(answers.path, mmap_mode="r")
        self._weight, self._temperature = config.teacher_weight, config.temperature
        shift = np.zeros(len(seen))
        if answers.prior is not None:
            ratio = np.maximum(seen, _TINY) / np.maximum(answers.prior, _TINY)
            shift = np.where(answers.prior > 0, np.log(ratio), 0.0)
        self._shift = torch.from_numpy(shift.astype(np.float32))

    def __call__(self, loss: Tensor, logits: Tensor, rows: NDArray[np.int64]) -> Tensor:
        """Return (1 - w) loss + w T^2 KL(teacher || student), both at temperature T.

        Args:
            loss: of the labels, summed over the rows.
            logits: of the student, float [B, C].
            rows: which rows they are of, int64 [B].
        """
        answers = torch.from_numpy(self._answers[rows].astype(np.float32)) + self._shift
        heat = self._temperature
        teacher = torch.log_softmax(copy_to(logits.device, answers) / heat, dim=-1)
        student = torch.log_softmax(logits / heat, dim=-1)
        divergence = nn.functional.kl_div(student, teacher, reduction="sum", log_target=True)
        return (1 - self._weight) * loss + self._weight * heat**2 * divergence


def teacher_prior(bundle: Bundle, labels: Sequence[str]) -> NDArray[np.float64] | None:
    """Return how often a teacher saw each of the labels, float [C], or None if it does not say."""
    prior: Any = bundle.training.get("prior")
    if not isinstance(prior, list) or len(cast("list[Any]", prior)) != len(bundle.labels):
        return None
    shares = dict(zip(bundle.labels, cast("list[float]", prior), strict=True))
    return np.array([shares[label] for label in labels], dtype=np.float64)


def teacher_network(bundle: Bundle, *, words: Sequence[str], labels: Sequence[str]) -> Network:
    """Return a teacher that reads ids of these words and answers in the order of these labels.

    Raises:
        InputError: if it has other words, lacks a label, or its classes do not exclude each other.
        BundleError: if its weights cannot be read.
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
    network = Network(replace(bundle.config, vocabulary_size=len(words), classes=len(labels)))
    adopt(network, bundle, words=words, labels=labels)
    return network


def write_answers(
    path: Path,
    teacher: Network,
    rows: Shard,
    *,
    max_tokens: int,
    hardware: Hardware,
    report: Report,
) -> None:
    """Ask a teacher about every row, each text once, and write what :class:`Answers` names.

    Args:
        path: the file; it is there whole or not at all.
        teacher: as :func:`teacher_network` makes it.
        rows: what a run trains on.
        max_tokens: where texts are cut.
        hardware: whose device and precision it runs with.
        report: told of progress, as the stage "teacher", with the teacher's loss on the labels.

    Raises:
        DeepmojiError: if the disk has no room for them.
    """
    shape = (len(rows), teacher.config.classes)
    _check_room(path, bytes_=2 * shape[0] * shape[1])
    device = torch.device(hardware.kind)
    copies = Copies.among(rows)
    clock = _Clock(len(copies.first), report)
    arithmetic = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=hardware.arithmetic == "bf16-mixed"
    )
    with atomic_path(path) as temporary, arithmetic:
        file = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)
        texts = take(rows, copies.first)
        for asked, scores in answer(
            teacher.to(device), texts, max_tokens=max_tokens, device=device
        ):
            places, which = copies.of(asked)
            file[places] = scores[which]
            clock.tick(len(asked), -float(scores[which, rows.labels[places]].mean()))
        file.flush()
        del file
    if device.type == "cuda":
        torch.cuda.empty_cache()  # it is the training processes' turn


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
