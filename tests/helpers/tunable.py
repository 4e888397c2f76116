"""A tiny model that can be tuned, and texts whose label follows from one of their words."""

import random
from pathlib import Path

import pytest
import torch

from deepmoji.bundle import Bundle, Contents
from deepmoji.config import Gates, ModelConfig
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.training.export import save_network
from deepmoji.training.network import Network
from deepmoji.transfer.finetune import finetune
from deepmoji.transfer.options import UNUSED

CUES = {"anger": ("furious", "traffic"), "fear": ("scared", "dark"), "joy": ("happy", "sunny")}
FILLERS = ("the", "my", "today", "really", "this", "was", "so", "we", "what", "it", "is", "here")
# Settings with which a tiny model learns in a second.
FAST = {
    "epochs": 4,
    "epoch_size": 64,
    "batch_size": 16,
    "patience": 2,
    "new_learning_rate": 0.02,
    "learning_rate": 0.01,
    "device": "cpu",
    "precision": "32-true",
}


def make_tunable(folder: Path, *, gates: Gates = "sigmoid", seed: int = 0) -> Bundle:
    """Write a bundle of a tiny network with random weights, which it holds."""
    words = [*FILLERS, *(cue for cues in CUES.values() for cue in cues[:1])]
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *words])
    config = ModelConfig(
        vocabulary_size=len(vocabulary), embedding_size=8, units=6, classes=4, gates=gates
    )
    torch.manual_seed(seed)
    contents = Contents(config=config, vocabulary=vocabulary, labels=tuple("abcd"), max_tokens=20)
    return save_network(Network(config), folder, contents=contents, training={})


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A tunable model, for whoever imports it: made once for a file of tests."""
    return make_tunable(tmp_path_factory.mktemp("bundles") / "base").folder


def fast(method="chain-thaw"):
    """The settings of :data:`FAST` that a method has a use for."""
    return {name: value for name, value in FAST.items() if name not in UNUSED.get(method, {})}


def tune(base, texts, labels, **changes):
    """Tune a tiny model fast, with the settings that a test is about changed."""
    settings = fast(changes.get("method", "chain-thaw"))
    return finetune((texts, labels), base=base, **(settings | changes))


def make_texts(count: int, labels: tuple[str, ...] = tuple(CUES), seed: int = 0):
    """Return texts of 3 to 9 words and their labels, by turns; no two texts are the same."""
    draw = random.Random(seed)
    texts, names = [], []
    for number in range(count):
        name = labels[number % len(labels)]
        words = draw.choices(FILLERS, k=draw.randint(2, 8))
        words.insert(draw.randrange(len(words) + 1), draw.choice(CUES[name]))
        texts.append(f"{' '.join(words)} word{chr(97 + number % 26)}{chr(97 + number // 26)}")
        names.append(name)
    return texts, names
