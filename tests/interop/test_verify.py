"""`verify`: who is the original, and who is not."""

from types import SimpleNamespace

import numpy as np
import pytest

from deepmoji.interop.verify import MEAN_FEATURES, SENTENCES, verify
from deepmoji.labels import EMOJIS


class Speaker:
    """Answers as it is told to."""

    def __init__(self, answers, means, precision="fp32"):
        self.answers, self.means = answers, means
        self.bundle = SimpleNamespace(training={"precision": precision})

    def predict(self, texts, top):
        return [
            SimpleNamespace(text=text, top=[(EMOJIS[k], 0.1) for k in self.answers[text][:top]])
            for text in texts
        ]

    def encode(self, texts):
        spread = np.linspace(-0.3, 0.3, len(texts))[:, None]
        return np.array([[*self.means, 1.0, 2.0]]) + spread


def test_the_originals_answers_are_the_original():
    verdict = verify(Speaker(SENTENCES, np.array(MEAN_FEATURES) + 0.0004))
    assert verdict.is_original
    assert verdict.feature_difference == pytest.approx(0.0004)
    assert verdict.to_dict()["answers"][0]["agrees"]


def test_one_other_emoji_or_one_other_feature_is_not():
    text = "This is shit"
    swapped = SENTENCES | {text: (32, 55, 27, 1, 37)}
    verdict = verify(Speaker(swapped, MEAN_FEATURES))
    assert not verdict.is_original
    assert [answer.text for answer in verdict.answers if not answer.agrees] == [text]
    shifted = (*MEAN_FEATURES[:4], MEAN_FEATURES[4] + 0.001)
    assert not verify(Speaker(SENTENCES, shifted)).is_original
    assert verify(Speaker(SENTENCES, shifted, precision="int8")).is_original


def test_the_shipped_model_is_not_the_original():
    import deepmoji

    verdict = verify(deepmoji.load())
    assert not verdict.is_original
    assert len(verdict.answers) == 7
    assert len(verdict.mean_features) == 5
