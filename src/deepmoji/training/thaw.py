"""The ways to tune a model, as data: which layers learn, in which order, how fast (paper, 3.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from deepmoji.config import Method

Layer = Literal["embedding", "lstm_1", "lstm_2", "attention", "output"]
LAYERS: tuple[Layer, ...] = ("embedding", "lstm_1", "lstm_2", "attention", "output")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of a method: these layers learn, everything else is frozen."""

    layers: tuple[Layer, ...]
    rate: Literal["new", "pretrained"]  # which learning rate of FineTuneConfig
    slower: float = 1.0  # by this factor from each learning layer to the one below it
    cycle: int = 0  # epochs of a one-cycle schedule; 0: a constant rate, until validation says stop

    @property
    def name(self) -> str:
        """What a person reads: the layers, or that it is all of them."""
        return "all layers" if len(self.layers) == len(LAYERS) else " + ".join(self.layers)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A method of tuning."""

    stages: tuple[Stage, ...]
    is_pretrained: bool = True  # otherwise every weight starts at random
    extends: bool = True  # new words of the training texts get rows of their own


METHODS: Mapping[Method, Recipe] = {
    "new": Recipe(is_pretrained=False, stages=(Stage(layers=LAYERS, rate="new"),)),
    "full": Recipe(stages=(Stage(layers=LAYERS, rate="pretrained"),)),
    # Rows that are never trained would be noise.
    "last": Recipe(extends=False, stages=(Stage(layers=("output",), rate="new"),)),
    "chain-thaw": Recipe(
        stages=(
            Stage(layers=("output",), rate="new"),
            Stage(layers=("embedding",), rate="pretrained"),
            Stage(layers=("lstm_1",), rate="pretrained"),
            Stage(layers=("lstm_2",), rate="pretrained"),
            Stage(layers=("attention",), rate="pretrained"),
            Stage(layers=LAYERS, rate="pretrained"),
        )
    ),
    # Gradual unfreezing with discriminative rates (Howard and Ruder, ACL 2018, section 3.2-3.3).
    "gradual": Recipe(
        stages=(
            Stage(layers=("output",), rate="new"),
            Stage(layers=LAYERS[3:], rate="new", slower=2.6, cycle=1),
            Stage(layers=LAYERS[2:], rate="new", slower=2.6, cycle=1),
            Stage(layers=LAYERS[1:], rate="new", slower=2.6, cycle=1),
            Stage(layers=LAYERS, rate="new", slower=2.6, cycle=6),
        )
    ),
}
