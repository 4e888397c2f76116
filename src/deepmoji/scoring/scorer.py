"""Texts to the arrays that become columns; what worker processes run, without pyarrow."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.bundle import Bundle
from deepmoji.inference.engine import WINDOW, Array
from deepmoji.inference.reading import Reader
from deepmoji.scoring.settings import ScoreSettings
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN

# Texts handed to a worker at a time: what the engine sorts by length at a time.
SLICE = WINDOW


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What the model says about some texts; None is what was not asked for.

    Attributes:
        unknown_share: float32 [n], of the words that were read.
        truncated: bool [n], whether a text has more words than were read.
        windows: int32 [n], in how many each was read, if windows were asked for.
        top: int32 [n, k], numbers of the most probable labels, the most probable first.
        probabilities: float32 [n, k], of these labels.
        held: bool [n, classes], which labels hold, where they do not exclude each other.
        scores: float32 [n, classes], of all labels.
        features: float32 [n, features], the encodings.
    """

    unknown_share: Array
    truncated: NDArray[np.bool_]
    windows: NDArray[np.int32] | None
    top: NDArray[np.int32]
    probabilities: Array
    held: NDArray[np.bool_] | None
    scores: Array | None
    features: Array | None


class Scorer:
    """A model that gives what a run was asked for, on one thread.

    Args:
        settings: of the run.

    Raises:
        BundleError: if the model cannot be used.
        InputError: if the stride is longer than what it reads at a time.
    """

    def __init__(self, settings: ScoreSettings) -> None:
        self.bundle = Bundle.open(settings.folder)
        self.settings = settings
        self._limits = limits_of(self.bundle)
        self._reading = settings.reading(self.bundle.max_tokens)
        self._reader = Reader(self.bundle, self._reading, threads=1)

    def score(self, texts: Sequence[str]) -> Scored:
        """Score texts; one without a word is read as one unknown word."""
        reading = self._reading
        words = [tokenize(text) for text in texts]
        ids = [self.bundle.vocabulary.ids(each[: reading.limit]) or [UNKNOWN] for each in words]
        outputs = ("probabilities", "features") if self.settings.encode else ("probabilities",)
        blocks = list(self._reader.blocks(ids, outputs, WINDOW))
        arrays = [np.concatenate(each) for each in zip(*blocks, strict=True)]
        scores = arrays[0]
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self.settings.top]
        return Scored(
            unknown_share=np.array([each.count(UNKNOWN) / len(each) for each in ids], np.float32),
            truncated=np.array([reading.is_truncated(len(each)) for each in words], np.bool_),
            windows=np.array([len(reading.starts(len(each))) for each in ids], np.int32)
            if self.settings.in_windows
            else None,
            top=order.astype(np.int32),
            probabilities=np.take_along_axis(scores, order, axis=1),
            held=None if self._limits is None else scores >= self._limits,
            scores=scores if self.settings.scores else None,
            features=arrays[1] if self.settings.encode else None,
        )


def limits_of(bundle: Bundle) -> Array | None:
    """Return from which probability each label holds; None where exactly one always does."""
    if bundle.thresholds is None and bundle.config.outputs == "softmax":
        return None
    limits: Any = bundle.thresholds or 0.5
    return np.broadcast_to(np.asarray(limits, np.float32), (len(bundle.labels),))


def model_name(folder: Path) -> str:
    """Return how a person would name the model of a folder."""
    return "shipped" if folder == ScoreSettings().folder else folder.resolve().name
