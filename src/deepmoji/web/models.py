"""The models that a server offers, by name."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from deepmoji.errors import InputError
from deepmoji.inference.emotions import EmotionTable
from deepmoji.inference.engine import Array
from deepmoji.inference.prediction import Prediction
from deepmoji.inference.predictor import Predictor
from deepmoji.inference.projection import Projection
from deepmoji.inference.reading import LongTexts
from deepmoji.interop.loading import load
from deepmoji.labels import NAMES, bare
from deepmoji.text.tokenizer import tokenize

DEFAULT = "default"
_LONGEST_NAME = 64


@dataclass(frozen=True, eq=False)
class Offered:
    """A model and what can be asked of it; each method answers rows with rows.

    Attributes:
        name: what requests call it.
        predictor: that answers.
        table: of emotions, if it has all of the model's labels.
    """

    name: str
    predictor: Predictor
    table: EmotionTable | None = None

    @cached_property
    def projection(self) -> Projection | None:
        """What reduces encodings, if the model has it.

        Raises:
            BundleError: if it is damaged.
        """
        bundle = self.predictor.bundle
        if not bundle.projection.is_file():
            return None
        return Projection.load(bundle.projection, bundle.config.features)

    @property
    def reducible(self) -> int:
        """To how many numbers encodings can be reduced, 0 if they cannot."""
        return 0 if self.projection is None else len(self.projection)

    @property
    def reads_windows(self) -> bool:
        """Whether long texts are read whole, which takes as long as many texts."""
        return self.predictor.reading.long_texts != "cut"

    def reads(self, text: str, *, occluded: bool) -> int:
        """Return how often the model reads a text, at most: once for each window. Takes its time.

        Args:
            text: the text.
            occluded: then once more for each of its words.
        """
        reading = self.predictor.reading
        words = len(text)  # at most, of ASCII: one character of others may be eighteen letters
        if not text.isascii() or (reading.limit is None and words > reading.max_tokens):
            words = len(tokenize(text))
        if reading.limit is not None:
            words = min(words, reading.limit)
        return len(reading.starts(words)) * (1 + (words if occluded else 0))

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return predictions with all labels, so that requests for few and for many go together."""
        return self.predictor.predict(texts, top=len(self.predictor.labels))

    def explain(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the same with the occlusion of each word."""
        return self.predictor.predict(texts, top=len(self.predictor.labels), explain="occlusion")

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        """Return encodings as plain numbers, made here to keep the event loop free."""
        return _plain(self.predictor.encode(texts))

    def reduce(self, texts: Sequence[str]) -> list[list[float]]:
        """Return encodings reduced as little as the projection can: fewer numbers begin alike."""
        if self.projection is None:
            raise AssertionError(f"{self.name} has no projection")
        encodings = self.predictor.encode(texts)
        return _plain(self.projection.reduce(encodings, len(self.projection)))

    def feel(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Return the emotions of texts, the strongest first, and their valence."""
        if self.table is None:
            raise AssertionError(f"{self.name} has no emotions")
        return self.predictor.emotions(texts, self.table).to_dicts()


class Models:
    """The offered models. ``default`` is the one that is called so, or else the first.

    Args:
        predictors: by name.
        table: from emojis to emotions; the package's own by default. Models with labels that it
            does not have answer no question for emotions.

    Raises:
        InputError: if there are none, or a name cannot be one, or a table is given that fits none.
        BundleError: if the projection of one is damaged.
    """

    def __init__(
        self, predictors: Mapping[str, Predictor], table: EmotionTable | None = None
    ) -> None:
        if not predictors:
            raise InputError("there is no model to serve")
        for name in predictors:
            if not name.isprintable() or not 0 < len(name.strip()) <= _LONGEST_NAME:
                raise InputError(f"{name!r} is no name for a model; give NAME=FOLDER")
        self._offered: dict[str, Offered] = {}
        known = table or EmotionTable.read()
        unfit: list[InputError] = []
        for name, each in predictors.items():
            try:
                known.weights_of(each.labels)
            except InputError as error:
                unfit.append(error)
                self._offered[name] = Offered(name, each)
            else:
                self._offered[name] = Offered(name, each, known)
        if table is not None and len(unfit) == len(predictors):
            raise unfit[0]
        # Read now: what is wrong with one is told before anyone asks.
        self.reducible = max(each.reducible for each in self._offered.values())
        self.default = DEFAULT if DEFAULT in predictors else next(iter(predictors))

    @property
    def names(self) -> list[str]:
        """What a request may name."""
        return list(dict.fromkeys([*self._offered, DEFAULT]))

    def names_of(self, holds: Callable[[Offered], bool]) -> list[str]:
        """Return the names of the models for which something holds."""
        named = ((name, self.get(name)) for name in self.names)
        return [name for name, model in named if model is not None and holds(model)]

    def get(self, name: str) -> Offered | None:
        """Return the model of this name, or None."""
        return self._offered.get(self.default if name == DEFAULT else name)

    def described(self) -> list[dict[str, Any]]:
        """Return what users of the models have to know, as plain values."""
        return [
            {
                "name": each.name,
                "default": each.name == self.default,
                "labels": [
                    {"label": label, "name": name_of(label)} for label in each.predictor.labels
                ],
                "features": each.predictor.bundle.config.features,
                "max_tokens": each.predictor.max_tokens,
                "long_texts": each.predictor.reading.long_texts,
                "reducible": each.reducible,
                "emotions": [] if each.table is None else list(each.table.emotions),
                "exclusive": each.predictor.bundle.config.outputs == "softmax",
            }
            for each in self._offered.values()
        ]


def load_models(
    given: Sequence[str],
    *,
    threads: int | None = None,
    table: Path | None = None,
    long_texts: LongTexts = "cut",
    stride: int | None = None,
) -> Models:
    """Load models.

    Args:
        given: ``NAME=SOURCE`` each, or a source alone, which is then called as its last part; what
            :func:`deepmoji.load` takes is a source. The shipped model if there are none.
        threads: how many threads a batch may take; all cores by default.
        table: a TOML file from emojis to emotions; the package's own by default.
        long_texts: what becomes of texts that are longer than a model reads.
        stride: of windows, half of what a model reads by default.

    Raises:
        InputError: if two have the same name, a name cannot be one, or the table, ``long_texts`` or
            ``stride`` cannot be used.
        BundleError: if a model cannot be used.
    """
    load_one = partial(load, threads=threads, long_texts=long_texts, stride=stride)
    predictors: dict[str, Predictor] = {}
    for each in given:
        name, separator, source = each.partition("=")
        if not separator:
            name, source = Path(each).name, each
        if not source:
            raise InputError(f"--model {each}: where is it? Give NAME=FOLDER")
        if name in predictors:
            raise InputError(f"two models are called {name!r}; give other names with NAME=FOLDER")
        predictors[name] = load_one(source)
    return Models(
        predictors or {DEFAULT: load_one(None)},
        None if table is None else EmotionTable.read(table),
    )


def _plain(rows: Array) -> list[list[float]]:
    return [[round(value, 6) for value in row] for row in rows.tolist()]


def name_of(label: str) -> str | None:
    """Return what an emoji is called, None for a label that is a word itself."""
    if label in NAMES:
        return NAMES[label]
    name = bare(label)
    is_symbol = len(name) == 1 and unicodedata.category(name).startswith("S")
    return unicodedata.name(name, "").lower() or None if is_symbol else None
