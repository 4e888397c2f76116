"""How far raters agree: Krippendorff's alpha, by the krippendorff library."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import krippendorff

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
    answers = [values for values in by_item.values() if len(values) > 1]
    if scale.multi:
        each = [_binary([_given(label, item) for item in answers]) for label in scale.values]
        defined = [value for value in each if value is not None]
        return sum(defined) / len(defined) if defined else None
    counts = [Counter(values[0] for values in item) for item in answers]
    if len({value for item in counts for value in item}) < 2:
        return None
    if scale.kind != "nine":
        return _nominal(scale, counts)
    table = [[item[value] for value in scale.values] for item in counts]
    points = [int(value) for value in scale.values]
    return float(
        krippendorff.alpha(value_counts=table, value_domain=points, level_of_measurement="interval")
    )


def _nominal(scale: Scale, counts: list[Counter[str]]) -> float:
    """Return alpha of answers that are the same or not, from that of each value against the rest.

    That is the same number: disagreement, seen and expected, is the sum over the values. The
    library's own way for all values at once takes memory for items x values x values, gigabytes
    where emojis are chosen.
    """
    total = sum(item.total() for item in counts)
    weighted = weights = 0.0
    for value in scale.values:
        given = sum(item[value] for item in counts)
        binary = _binary([(item[value], item.total() - item[value]) for item in counts])
        if binary is not None:
            weighted += given * (total - given) * binary
            weights += given * (total - given)
    return weighted / weights


def _given(label: str, answers: list[tuple[str, ...]]) -> tuple[int, int]:
    """Count the answers with a label and those without."""
    given = sum(label in values for values in answers)
    return given, len(answers) - given


def _binary(counts: list[tuple[int, int]]) -> float | None:
    """Return alpha of yes and no, None if only one of them was ever said."""
    if not any(yes for yes, _ in counts) or not any(no for _, no in counts):
        return None
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))
