"""Whether a model is the original: its answers to seven sentences, from its own tests."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deepmoji.inference.predictor import Predictor
from deepmoji.labels import EMOJIS

# The five most probable emojis of the published weights, as class numbers.
SENTENCES: dict[str, tuple[int, ...]] = {
    "I love mom's cooking": (36, 4, 8, 16, 47),
    "I love how you never reply back..": (1, 19, 55, 25, 46),
    "I love cruising with my homies": (31, 6, 30, 15, 13),
    "I love messing with yo mind!!": (54, 44, 9, 50, 49),
    "I love you and now you're just gone..": (46, 5, 27, 35, 34),
    "This is shit": (55, 32, 27, 1, 37),
    "This is the shit": (48, 11, 6, 31, 9),
}
# The first five features, averaged over the seven, to three decimals.
MEAN_FEATURES = (-0.023, 0.021, -0.037, -0.001, -0.005)
_ROUNDING = 0.0005
_INT8 = 0.005  # what 8 bits may add


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says of one of the sentences."""

    text: str
    expected: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the five are the same, in the same order."""
        return self.found == self.expected


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a model answers as the original does.

    Attributes:
        answers: to each sentence.
        mean_features: the first five features, averaged over the sentences.
        feature_difference: the largest from the original's; as those have three decimals, 0.0005
            is none.
        is_original: five emojis of seven sentences and five features agree.
    """

    answers: tuple[Answer, ...]
    mean_features: tuple[float, ...]
    feature_difference: float
    is_original: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        values = asdict(self)
        for answer, plain in zip(self.answers, values["answers"], strict=True):
            plain["agrees"] = answer.agrees
        return values


def verify(predictor: Predictor) -> Verdict:
    """Ask a model what the original's own tests ask, and compare.

    Args:
        predictor: a model; one that is not of the 64 emojis is not the original.
    """
    texts = list(SENTENCES)
    answers = tuple(
        Answer(
            text=prediction.text,
            expected=tuple(EMOJIS[k] for k in SENTENCES[prediction.text]),
            found=tuple(label for label, _ in prediction.top),
        )
        for prediction in predictor.predict(texts, top=5)
    )
    means = predictor.encode(texts)[:, : len(MEAN_FEATURES)].mean(axis=0)
    expected = np.resize(np.array(MEAN_FEATURES), means.shape)
    difference = float(np.abs(means - expected).max())
    is_int8 = predictor.bundle.training.get("precision") == "int8"
    close = difference <= _ROUNDING + (_INT8 if is_int8 else 1e-5)
    return Verdict(
        answers=answers,
        mean_features=tuple(round(float(each), 4) for each in means),
        feature_difference=round(difference, 6),
        is_original=close and all(answer.agrees for answer in answers),
    )
