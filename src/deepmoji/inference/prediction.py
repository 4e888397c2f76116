"""What a model says about one text."""

from dataclasses import dataclass
from typing import Literal

Explain = Literal["attention", "occlusion"]


@dataclass(frozen=True, kw_only=True)
class Word:
    """A piece of the input that the model read as one word."""

    text: str  # as it stands in the input: prediction.text[start:end]
    start: int
    end: int
    weight: float  # attention, 0 to 1; the weights of a text's words sum to 1
    # If asked for: log p(top label) with the word minus without it (`inference.occlusion`).
    occlusion: float | None = None


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The most probable labels of a text, and the words that mattered."""

    text: str  # as given
    top: tuple[tuple[str, float], ...]  # (label, probability), the most probable first
    labels: tuple[str, ...]  # that hold: the most probable one, or those above their thresholds
    words: tuple[Word, ...]  # those that were read; none in an empty text
    unknown_share: float  # of these words, how many the model does not know; 1.0 if there are none
    truncated: bool  # the text has more words than were read
    windows: int = 1  # in how many the text was read; more than one only if windows were asked for
