"""What is chosen before a run: one frozen record a stage, checked when it is made."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, cast

from deepmoji.errors import InputError

_COUNTABLE = 1 << 31  # what no run comes near, and every library can count to
MAX_SEED = 1 << 23  # seeds of single steps are made from it, and torch takes 63 bits
MAX_TOKENS = 128  # where a pretrained model cuts: an LSTM reads on past what it was trained with
ORIGINAL_TOKENS = 30  # where the original's examples cut texts
Gates = Literal["sigmoid", "hard_sigmoid"]
Outputs = Literal["softmax", "sigmoid"]
Kind = Literal["binary", "single", "multi"]  # one of two classes, one of many, any number of them
Method = Literal["new", "full", "last", "chain-thaw", "gradual"]


class _Record:
    """Conversion from and to plain values, for the JSON files beside a model."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(cast("Any", self))

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Make a record from plain values.

        Raises:
            InputError: if a field is missing, unknown or has an impossible value.
        """
        names = {field.name for field in fields(cast("Any", cls))}
        if not isinstance(values, dict) or set(cast("dict[str, Any]", values)) != names:
            raise InputError(
                f"{cls.__name__} needs exactly the fields {sorted(names)}; got {values}"
            )
        return cls(**cast("dict[str, Any]", values))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _check(*, ok: bool, message: str) -> None:
    if not ok:
        raise InputError(message)


@dataclass(frozen=True, kw_only=True)
class ModelConfig(_Record):
    """The sizes of the network (paper, section 3.2) and the gates of its LSTMs."""

    vocabulary_size: int = 50_000
    embedding_size: int = 256
    units: int = 512  # of each direction of each layer
    classes: int = 64
    gates: Gates = "sigmoid"
    outputs: Outputs = "softmax"  # sigmoid: classes that do not exclude each other

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "embedding_size", "units", "classes"):
            value = getattr(self, name)
            _check(
                ok=type(value) is int and value > 0,
                message=f"{name} has to be a positive whole number, not {value!r}",
            )
        _check(
            ok=self.gates in ("sigmoid", "hard_sigmoid"),
            message=f"gates has to be 'sigmoid' or 'hard_sigmoid', not {self.gates!r}",
        )
        _check(
            ok=self.outputs in ("softmax", "sigmoid"),
            message=f"outputs has to be 'softmax' or 'sigmoid', not {self.outputs!r}",
        )

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """Make a record from plain values; ``outputs`` may be missing, as in older bundles.

        Raises:
            InputError: if a field is missing, unknown or has an impossible value.
        """
        if isinstance(values, dict):
            values = {"outputs": "softmax"} | cast("dict[str, Any]", values)
        return super().from_dict(values)

    @property
    def features(self) -> int:
        """Size of the text encoding: both layers, both directions, and the embedding."""
        return 4 * self.units + self.embedding_size


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(_Record):
    """How a model is pretrained on emojis."""

    epochs: float = 1.0  # passes over as many pairs as the training split holds
    batch_size: int = 256  # pairs a step, over all processes
    learning_rate: float = 1e-3  # peak
    warmup: int = 200  # steps with a rising rate
    decay: float = 0.4  # share of the steps, at the end, in which the rate falls to nothing
    clip_norm: float = 1.0
    embedding_l2: float = 1e-6
    weight_decay: float = 0.0  # decoupled (AdamW's), of the matrices of LSTMs and last layer
    embedding_range: float = 0.5  # embedding rows start uniform in +- this
    embedding_dropout: float = 0.1  # of whole channels of a text
    word_dropout: float = 0.0  # share of words that become unknown, in training
    final_dropout: float = 0.5
    label_smoothing: float = 0.0
    average: float = 0.0  # decay of a moving average of the weights, which is kept instead; 0: none
    teacher_weight: float = 0.5  # of a teacher's answers in the loss; the labels have the rest
    temperature: float = 2.0  # at which a teacher is compared with
    encodings_weight: float = 1.0  # of another model's encodings in the loss, beside the labels
    balance: float = 0.0  # emojis are drawn by frequency ** (1 - balance): 0 natural, 1 balanced
    pairs: int = 0  # to train on, chosen by the seed; 0: all
    words: int = 0  # that the model knows, the first (most frequent) of the corpus's; 0: all
    soft_labels: bool = False  # a text once with all its emojis, not once for each of them
    max_tokens: int = 48  # texts are cut there in training
    streams: int = 16  # parts of the corpus that every step takes the same share of
    evaluate_every: int = 500  # steps
    checkpoint_every: int = 100  # steps
    checkpoints: int = 3  # that are kept
    patience: int = 10  # evaluations without a better validation loss before it stops
    seed: int = 0

    def __post_init__(self) -> None:
        counts = ("evaluate_every", "checkpoint_every", "checkpoints", "patience")
        for name in ("batch_size", "max_tokens", "streams", *counts):
            value = getattr(self, name)
            _check(
                ok=type(value) is int and value > 0,
                message=f"{name} has to be a positive whole number, not {value!r}",
            )
        for name in ("pairs", "words"):
            _check_count(name, getattr(self, name), least=0)
        _check(
            ok=not (self.words and self.soft_labels),
            message="words does not go with soft_labels: texts that differ in rare words alone "
            "would become copies of each other",
        )
        for name in ("epochs", "learning_rate", "clip_norm", "embedding_range", "temperature"):
            value = getattr(self, name)
            _check(
                ok=_is_number(value) and value > 0,
                message=f"{name} has to be a positive number, not {value!r}",
            )
        shares = ("embedding_dropout", "word_dropout", "final_dropout", "label_smoothing")
        for name in ("decay", *shares, "average"):
            value = getattr(self, name)
            _check(ok=0 <= value < 1, message=f"{name} has to be in [0, 1), not {value!r}")
        _check(
            ok=type(self.soft_labels) is bool,
            message=f"soft_labels has to be True or False, not {self.soft_labels!r}",
        )
        _check(
            ok=_is_number(self.teacher_weight) and 0 <= self.teacher_weight <= 1,
            message=f"teacher_weight has to be from 0 to 1, not {self.teacher_weight!r}",
        )
        for name in ("warmup", "embedding_l2", "weight_decay", "encodings_weight"):
            value = getattr(self, name)
            _check(
                ok=_is_number(value) and value >= 0,
                message=f"{name} must not be negative, not {value!r}",
            )
        _check(
            ok=self.learning_rate * self.weight_decay < 1,
            message=f"weight_decay has to be below 1 / learning_rate, not {self.weight_decay!r}",
        )
        _check(
            ok=type(self.seed) is int and 0 <= self.seed < MAX_SEED,
            message=f"seed has to be a whole number from 0 to {MAX_SEED - 1}, not {self.seed!r}",
        )
        _check(
            ok=0 <= self.balance <= 1,
            message=f"balance has to be from 0 (natural) to 1 (balanced), not {self.balance!r}",
        )


@dataclass(frozen=True, kw_only=True)
class FineTuneConfig(_Record):
    """How a model is tuned on labelled texts; the defaults are the paper's, or its code's."""

    epochs: int = 1000  # at the most, in each stage
    epoch_size: int = 5000  # texts of an epoch, drawn with replacement
    batch_size: int = 0  # 0: 250, or 50 where a fifth of the texts has more than 100 tokens
    patience: int = 5  # epochs without a better validation loss before a stage ends
    new_learning_rate: float = 1e-3  # of layers that start at random
    learning_rate: float = 1e-4  # of pretrained layers
    clip_norm: float = 1.0
    embedding_l2: float = 1e-6  # on the words of the training texts
    embedding_dropout: float = 0.25  # of whole channels of a text
    final_dropout: float = 0.5
    extend: int = 10_000  # most words added to the vocabulary
    max_tokens: int = 0  # 0: what the base reads, or more where four of five texts need it
    class_weights: bool = False  # rare classes count as much as frequent ones
    validation_share: float = 0.1  # of the training texts, where no validation texts are given

    def __post_init__(self) -> None:
        for name in ("epochs", "epoch_size", "patience"):
            _check_count(name, getattr(self, name), least=1)
        for name in ("batch_size", "extend", "max_tokens"):
            _check_count(name, getattr(self, name), least=0)
        for name in ("learning_rate", "new_learning_rate", "clip_norm"):
            value = getattr(self, name)
            _check(
                ok=_is_number(value) and value > 0,
                message=f"{name} has to be a positive number, not {value!r}",
            )
        _check(
            ok=_is_number(self.embedding_l2) and self.embedding_l2 >= 0,
            message=f"embedding_l2 must not be negative, not {self.embedding_l2!r}",
        )
        for name in ("embedding_dropout", "final_dropout"):
            value = getattr(self, name)
            _check(
                ok=_is_number(value) and 0 <= value < 1,
                message=f"{name} has to be in [0, 1), not {value!r}",
            )
        _check(
            ok=_is_number(self.validation_share) and 0 < self.validation_share < 1,
            message=f"validation_share has to be between 0 and 1, not {self.validation_share!r}",
        )
        _check(
            ok=type(self.class_weights) is bool,
            message=f"class_weights has to be True or False, not {self.class_weights!r}",
        )

    def batch(self, tokens: int) -> int:
        """Return the texts of a step, where four of five texts have up to so many tokens."""
        return self.batch_size or (50 if tokens > 100 else 250)


def _check_count(name: str, value: object, *, least: int) -> None:
    ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
    _check(ok=ok, message=f"{name} has to be a whole number of {least} or more, not {value!r}")
    fits = isinstance(value, int) and value < _COUNTABLE
    _check(ok=fits, message=f"{name} has to be less than {_COUNTABLE:,}, not {value!r}")


def check_seed(seed: object) -> None:
    """Make sure that a seed can be used.

    Raises:
        InputError: if it is no whole number from 0 to 8,388,607.
    """
    _check(
        ok=type(seed) is int and 0 <= seed < MAX_SEED,
        message=f"seed has to be a whole number from 0 to {MAX_SEED - 1}, not {seed!r}",
    )
