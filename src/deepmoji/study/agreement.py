"""Shares of agreement with intervals, over texts and raters."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError
from deepmoji.study.raters import Draws

DIGITS = 5
ROUNDS = 2000
HUMAN, CHANCE = "human", "chance"


def agreements(
    draws: Draws,
    answers: Mapping[str, NDArray[np.int8]],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> dict[str, Any]:
    """Return how often chance, one human and each system agree with the other raters.

    Intervals are the 2.5 and 97.5 percentiles over rounds that draw n texts with replacement and,
    for all of them, one of the R draws of raters: what another sample of texts and raters of the
    same kind might have given. A round in which no text counts is drawn again. All systems see the
    same rounds, so that differences are paired.

    Args:
        draws: of raters, R for each of n texts.
        answers: of each system, 1 or -1, int8 [K, n] from K cross-validations; draw r is answered
            by cross-validation r mod K.
        rounds: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        by system ``agreement``, ``low`` and ``high``; but for the human also ``minus_human``, the
        same three of the difference.

    Raises:
        InputError: if in some draw no text counts, all being near neutral.
    """
    repeats = len(draws.truth)
    right = {CHANCE: draws.right(draws.coin)}
    for name, given in answers.items():
        right[name] = draws.right(given[np.arange(repeats) % len(given)])
    right[HUMAN] = draws.right(draws.human)
    counted = draws.counted
    if not counted.any(axis=1).all():
        raise InputError("all texts are near neutral: there is nothing to agree on")
    found = {name: _share(each, counted) for name, each in right.items()}
    sampled = _bootstrap(right, counted, rounds, seed)
    results: dict[str, Any] = {}
    for name in right:
        results[name] = _interval("agreement", found[name], sampled[name])
        if name != HUMAN:
            results[name]["minus_human"] = _interval(
                "difference", found[name] - found[HUMAN], sampled[name] - sampled[HUMAN]
            )
    return results


def human_details(draws: Draws) -> dict[str, float | None]:
    """Return what the drawn raters' neutral answers do to their agreement.

    Returns:
        ``neutral``, the share of the texts that count where the drawn rater took no side, and the
        agreement if those answers were wrong, or left out: None if the rater never took a side.
    """
    counted = draws.counted
    decided = counted & (draws.human != 0)
    right = (draws.human == draws.truth) & decided
    some = decided.any(axis=1)  # a draw in which nobody took a side says nothing of those who do
    without = round(_share(right[some], decided[some]), DIGITS) if some.any() else None
    return {
        "neutral": round(float((counted & ~decided).sum() / counted.sum()), DIGITS),
        "agreement_if_neutral_is_wrong": round(_share(right, counted), DIGITS),
        "agreement_without_neutral": without,
    }


def _share(right: NDArray[Any], counted: NDArray[np.bool_]) -> float:
    """Return the mean over draws of the share of the texts that count."""
    return float(((right * counted).sum(axis=1) / counted.sum(axis=1)).mean())


def _bootstrap(
    right: Mapping[str, NDArray[Any]], counted: NDArray[np.bool_], rounds: int, seed: int
) -> dict[str, NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    repeats, texts = counted.shape
    found = {name: np.empty(rounds) for name in right}
    for place in range(rounds):
        drawn, times = 0, np.zeros(texts, np.int64)
        while not times.any():  # ends: in every draw some text counts
            drawn = random.integers(0, repeats)
            times = np.bincount(random.integers(0, texts, texts), minlength=texts) * counted[drawn]
        for name, each in right.items():
            found[name][place] = each[drawn] @ times / times.sum()
    return found


def _interval(name: str, value: float, sampled: NDArray[np.float64]) -> dict[str, Any]:
    low, high = np.quantile(sampled, (0.025, 0.975))
    return {
        name: round(value, DIGITS),
        "low": round(float(low), DIGITS),
        "high": round(float(high), DIGITS),
    }
