"""The systems that can be compared, by the names that the command line knows."""

from collections.abc import Iterable, Mapping

from deepmoji.benchmark.system import System
from deepmoji.benchmark.systems.combined import EncodingsTfIdf
from deepmoji.benchmark.systems.constant import Constant
from deepmoji.benchmark.systems.fasttext import FastTextSystem
from deepmoji.benchmark.systems.minilm import MiniLM
from deepmoji.benchmark.systems.plain import PlainLstm
from deepmoji.benchmark.systems.tfidf import TfIdf
from deepmoji.benchmark.systems.transfer import OneVersusRest, Transfer
from deepmoji.benchmark.systems.trees import EncodingsTrees
from deepmoji.benchmark.systems.vader import Vader

_CHEAPEST_FIRST: tuple[System, ...] = (
    Constant(),
    Vader(),
    TfIdf(),
    FastTextSystem(),
    MiniLM(),
    EncodingsTfIdf(),
    Transfer(method="last"),
    OneVersusRest(method="last"),
    EncodingsTrees(),
    PlainLstm(),
    Transfer(method="new"),
    Transfer(method="full"),
    Transfer(method="gradual"),
    Transfer(method="chain-thaw"),
    OneVersusRest(method="chain-thaw"),
)
SYSTEMS: Mapping[str, System] = {system.name: system for system in _CHEAPEST_FIRST}

# As they stand in tables: the floor, baselines, then DeepMoji's methods.
BASELINES = ("constant", "vader", "tfidf", "fasttext", "plain-lstm", "encodings-trees", "minilm")
OURS = (
    "new", "full", "last", "last-ovr", "encodings-tfidf", "gradual", "chain-thaw", "chain-thaw-ovr",
)  # fmt: skip


def in_order(names: Iterable[str]) -> list[str]:
    """Return names of systems as they stand in tables; others, of tests, come last."""
    order = [*BASELINES, *OURS]
    return sorted(names, key=lambda name: (order.index(name) if name in order else 99, name))
