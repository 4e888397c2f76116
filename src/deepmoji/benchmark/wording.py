"""Figures and names of reports as people read them."""

from collections.abc import Mapping
from typing import Any

MEASURE_NAMES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "positive_f1": "F1 of the positive class",
    "class_average_f1": "class-average F1",
    "macro_recall": "macro-averaged recall",
    "stance_f1": "F1 of against and favor",
}
SYSTEM_NAMES: Mapping[str, str] = {
    "constant": "constant",
    "vader": "VADER",
    "tfidf": "TF-IDF",
    "fasttext": "fastText",
    "plain-lstm": "plain LSTM",
    "encodings-trees": "encodings + trees",
    "minilm": "MiniLM",
    "encodings-tfidf": "encodings + TF-IDF",
    "last-ovr": "last per class",
    "chain-thaw-ovr": "chain-thaw per class",
}


def measure_name(name: str) -> str:
    """Return how a measure is called in text."""
    return MEASURE_NAMES.get(name, name)


def system_name(name: str) -> str:
    """Return how a system is called in text."""
    return SYSTEM_NAMES.get(name, name)


def percent(value: float) -> str:
    """Return a share in percent.

    >>> percent(0.3721), percent(1)
    ('37.2', '100.0')
    """
    return f"{100 * value:.1f}"


def published_percent(entry: Mapping[str, Any]) -> str:
    """Return a published figure in percent, as exactly as it was published.

    >>> published_percent({"value": 0.37, "decimals": 0})
    '37'

    Args:
        entry: ``published.Published.to_dict()``.
    """
    return f"{100 * entry['value']:.{entry['decimals']}f}"


def figure(entry: Mapping[str, Any] | None) -> str:
    """Return mean and deviation in percent, ``61.2 ±1.3``; the mean alone of a single run."""
    if entry is None:
        return ""
    deviation = entry["deviation"]
    return percent(entry["mean"]) + ("" if deviation is None else f" ±{100 * deviation:.1f}")


def p_value(entry: Mapping[str, float] | None) -> str:
    """Return a p value, ``<.001`` where it is less; nothing where there is none."""
    if entry is None:
        return ""
    return "<.001" if entry["p"] < 0.001 else f"{entry['p']:.3f}".removeprefix("0")
