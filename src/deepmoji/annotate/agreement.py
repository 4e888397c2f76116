"""How far raters agree: Krippendorff's alpha, by the krippendorff library."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import krippendorff
import numpy as np

from deepmoji.annotate.scales import Answer, Scale


def alpha(scale: Scale, ratings: Iterable[tuple[int, Answer]]) -> float | None:
    """Return Krippendorff's alpha: 1 where all agree, 0 where answers fall as by chance.

    On the nine points the distance of two answers is the square of their difference (interval);
    labels and emojis are the same or not (nominal). Of several labels a text, each is counted as
    given or not, and the mean over the labels is returned. Don't know counts as no answer.

    Args:
        scale: of the answers.
        ratings: (item, answer) for each answer.

    Returns:
        None where it is not defined: no item has two answers, or all answers are the same.

    Source: Krippendorff, Content Analysis, 2004, chapter 11.
    """
    by_item: defaultdict[int, list[tuple[str, ...]]] = defaultdict(list)
    for item, answer in ratings:
        if answer is not None:
            by_item[item].append(answer)
    answers = list(by_item.values())
    if not scale.multi:
        rows = [Counter(values[0] for values in item) for item in answers]
        counts = [[row[value] for value in scale.values] for row in rows]
        return _alpha(counts, interval=scale.kind == "nine")
    each = [
        _alpha([[_with(label, item), len(item) - _with(label, item)] for item in answers])
        for label in scale.values
    ]
    defined = [value for value in each if value is not None]
    return sum(defined) / len(defined) if defined else None


def _with(label: str, answers: list[tuple[str, ...]]) -> int:
    return sum(label in values for values in answers)


def _alpha(counts: list[list[int]], *, interval: bool = False) -> float | None:
    """Return alpha of counts [items, answers]."""
    table = np.array([row for row in counts if sum(row) > 1], dtype=np.int64)
    if table.size == 0 or (table.sum(axis=0) > 0).sum() < 2:
        return None
    domain = list(range(1, len(counts[0]) + 1))
    level = "interval" if interval else "nominal"
    return float(
        krippendorff.alpha(value_counts=table, value_domain=domain, level_of_measurement=level)
    )
