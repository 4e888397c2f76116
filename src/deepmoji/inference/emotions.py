"""From emojis to emotions: a table that can be edited, and what it makes of probabilities."""

import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from deepmoji.errors import InputError
from deepmoji.inference.engine import Array
from deepmoji.labels import NAMES, bare

DEFAULT = Path(__file__).with_name("emotions.toml")
_SECTIONS = ("valence", "emojis")
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class EmotionTable:
    """Which emotions each emoji stands for, and how pleasant each emotion is.

    Attributes:
        valence: of each emotion, from -1, unpleasant, to 1, in the order of results.
        weights: of emotions by emoji; those of an emoji sum to 1.
        source: where it comes from, for messages.
    """

    valence: Mapping[str, float]
    weights: Mapping[str, Mapping[str, float]]
    source: str = "the table"

    @classmethod
    def read(cls, path: str | os.PathLike[str] | None = None) -> "EmotionTable":
        """Read a TOML file; the package's own by default.

        Section ``valence`` has a number for each emotion, section ``emojis`` the name of an emotion
        for each emoji, or a table of names and weights.

        Raises:
            InputError: if the file cannot be read or something in it is wrong; it says what.
        """
        source = Path(DEFAULT if path is None else path)
        try:
            content = tomllib.loads(source.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(f"cannot read {source}: {error.strerror}") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError(f"{source} is not a TOML file: {error}") from error
        return cls.of(content, source=str(source))

    @classmethod
    def of(cls, content: Mapping[str, Any], source: str = "the table") -> "EmotionTable":
        """Take the content of such a file.

        Raises:
            InputError: if something in it is wrong.
        """
        unknown = sorted(set(content) - set(_SECTIONS))
        if unknown or not all(content.get(name) for name in _SECTIONS):
            found = ", ".join(f"[{name}]" for name in content) or "none"
            raise InputError(
                f"{source} has to have the sections [valence] and [emojis], not {found}"
            )
        valence = {
            emotion: _number(value, -1, 1, f"{source}: the valence of {emotion}")
            for emotion, value in _section(content, "valence", source).items()
        }
        weights: dict[str, dict[str, float]] = {}
        for written, value in _section(content, "emojis", source).items():
            emoji = bare(written)
            if emoji in weights:
                raise InputError(f"{source}: {emoji} stands there twice")
            weights[emoji] = _weights(value, valence, f"{source}: {emoji}")
        return cls(valence=valence, weights=weights, source=source)

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names of the emotions, in the order of results."""
        return tuple(self.valence)

    def weights_of(self, labels: Sequence[str]) -> Array:
        """Return the weights of labels, float32 [C, E].

        Raises:
            InputError: if a label is not in the table, or the table has an emoji that is neither a
                label nor one of the 64.
        """
        plain = [bare(label) for label in labels]  # as the table has them
        if missing := [label for label in plain if label not in self.weights]:
            raise InputError(
                f"{self.source} lacks {_some(missing)}; every label of the model needs a line "
                'there, as in: "😂" = "amusement"'
            )
        if strange := [each for each in self.weights if each not in {*plain, *NAMES}]:
            raise InputError(
                f"{self.source} has {_some(strange)}, which the model does not know; "
                "`deepmoji info` lists its labels"
            )
        rows = [[self.weights[label].get(name, 0.0) for name in self.valence] for label in plain]
        return np.array(rows, np.float32).reshape(len(labels), len(self.valence))


@dataclass(frozen=True, kw_only=True)
class EmotionScores:
    """The emotions of n texts.

    Attributes:
        emotions: their names.
        shares: of each text's emotions, which sum to 1; float32 [n, E].
        valence: of each text, from -1, unpleasant, to 1; float32 [n].
    """

    emotions: tuple[str, ...]
    shares: Array
    valence: Array

    def __len__(self) -> int:
        return len(self.shares)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return plain values for each text, the strongest emotion first, for JSON."""
        order = np.argsort(-self.shares, axis=1, kind="stable")
        return [
            {
                "emotions": [
                    {"emotion": self.emotions[k], "share": round(float(shares[k]), 6)}
                    for k in ranked
                ],
                "valence": round(float(valence), 6),
            }
            for ranked, shares, valence in zip(order, self.shares, self.valence, strict=True)
        ]


def emotions_of(
    probabilities: Array, labels: Sequence[str], table: EmotionTable | None = None
) -> EmotionScores:
    """Turn the probabilities of emojis into those of emotions, and their mean valence.

    Args:
        probabilities: of n texts, [n, C], as ``Predictor.scores`` gives them.
        labels: the emojis, C of them.
        table: the package's own by default.

    Raises:
        InputError: if the table lacks a label or has a strange one, or there are not as many
            labels as columns.
    """
    table = table or EmotionTable.read()
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels):
        raise InputError(
            f"probabilities of shape {list(probabilities.shape)} for {len(labels)} labels; they "
            "have to be [n, labels]"
        )
    weights = table.weights_of(labels)
    # Of models whose labels do not exclude each other they do not sum to 1.
    totals = np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    shares = ((probabilities / totals) @ weights).astype(np.float32)
    valence = shares @ np.array(list(table.valence.values()), np.float32)
    return EmotionScores(emotions=table.emotions, shares=shares, valence=valence)


def _section(content: Mapping[str, Any], name: str, source: str) -> dict[str, Any]:
    section: Any = content[name]
    if not isinstance(section, dict):
        raise InputError(f"{source}: [{name}] has to be a section, not {section!r}")
    return cast("dict[str, Any]", section)


def _weights(value: object, valence: Mapping[str, float], what: str) -> dict[str, float]:
    if isinstance(value, str):
        value = {value: 1.0}
    if not isinstance(value, dict) or not value:
        raise InputError(
            f"{what} has to have the name of an emotion, or names with weights, not {value!r}"
        )
    named = cast("dict[str, object]", value)
    if strange := [name for name in named if name not in valence]:
        raise InputError(
            f"{what} names the emotion {strange[0]!r}, which has no valence; there are "
            f"{', '.join(valence)}"
        )
    weights = {
        name: _number(each, 0, math.inf, f"{what}: the weight of {name}")
        for name, each in named.items()
    }
    total = sum(weights.values())
    if not 0 < total < math.inf:
        raise InputError(f"{what}: one of its weights has to be more than 0")
    return {name: each / total for name, each in weights.items()}


def _number(value: object, least: float, most: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{what} has to be a number, not {value!r}")
    if not (math.isfinite(value) and least <= value <= most):
        limits = f"from {least:g} to {most:g}" if most < math.inf else f"of {least:g} or more"
        raise InputError(f"{what} has to be a number {limits}, not {value!r}")
    return float(value)


def _some(names: Sequence[str]) -> str:
    listed = " ".join(names[:_SHOWN])
    return f"{listed} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else listed
