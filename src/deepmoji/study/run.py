"""The study of human agreement (Felbo et al., 2017) on any rated texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.benchmark.systems import SYSTEMS
from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.config import check_seed
from deepmoji.errors import InputError
from deepmoji.study.agreement import ROUNDS, agreements, human_details
from deepmoji.study.folds import Report, answer_held_out
from deepmoji.study.raters import Draws
from deepmoji.study.ratings import NEAR_NEUTRAL, Rated, read_ratings

# Felbo et al., EMNLP 2017: 7,347 tweets, ten raters each.
PUBLISHED = {"chance": 0.501, "fasttext": 0.710, "human": 0.761, "deepmoji": 0.824}
FOLDS, REPEATS = 5, 1000
DEFAULT_SYSTEMS = ("constant", "fasttext", "last")


def study(
    ratings: Rated | str | Path,
    *,
    systems: Sequence[str] = DEFAULT_SYSTEMS,
    base: str | Path | None = None,
    folds: int = FOLDS,
    repeats: int = REPEATS,
    seed: int = 0,
    report: Report | None = None,
) -> dict[str, Any]:
    """Compare how often a rater, chance and systems agree with the other raters.

    For each text one rater at random is the human, the mean of the others the truth; texts whose
    truth is near neutral do not count. Systems answer by cross-validation, each text once.

    Args:
        ratings: the rated texts, or a file (see :func:`study.ratings.read_ratings`).
        systems: names of the benchmark's systems: ``fasttext``, ``minilm``, ``last``,
            ``chain-thaw`` and others.
        base: the bundle that transfer starts from, or the name of a shipped one; the shipped one
            by default.
        folds: of the cross-validation.
        repeats: how often raters are drawn.
        seed: of folds, systems, raters and bootstrap.
        report: called with a system, a fold and the number of folds before each fit.

    Returns:
        the protocol and the figures, plain values.

    Raises:
        InputError: if the ratings, a system or a number cannot be used.
        BundleError: if the base cannot be used.
        MissingDependency: if a system needs a library that is not installed.
    """
    check_seed(seed)
    if repeats < 1:
        raise InputError(f"repeats has to be 1 or more, not {repeats}")
    if unknown := [name for name in systems if name not in SYSTEMS]:
        raise InputError(f"there is no system {unknown[0]!r}; there are {', '.join(SYSTEMS)}")
    # Opened now: the systems that need it come after others, which take minutes.
    folder = None if base is None else Bundle.open(base).folder
    rated = ratings if isinstance(ratings, Rated) else read_ratings(ratings)
    draws = Draws.of(rated, repeats, seed)
    answers, sizes = answer_held_out(
        rated,
        systems,
        base=folder,
        folds=folds,
        seed=seed,
        report=report or _ignore,
    )
    found = agreements(draws, {name: own[np.newaxis] for name, own in answers.items()}, seed=seed)
    found["human"] |= human_details(draws)
    return {
        "base": _name(folder),
        "seed": seed,
        "folds": folds,
        "repeats": repeats,
        "bootstrap_rounds": ROUNDS,
        "texts": _texts(rated, draws),
        "scale": _scale(rated),
        "fold_sizes": sizes,
        "systems": found,
        "published": {"on": "7,347 other tweets, 10 raters each", "agreement": PUBLISHED},
    }


def _texts(rated: Rated, draws: Draws) -> dict[str, Any]:
    signs = rated.scale.sign(rated.means)
    counted = draws.counted.sum(axis=1)
    return {
        "all": len(rated),
        "raters": {
            "least": int(rated.counts.min()),
            "median": float(np.median(rated.counts)),
            "most": int(rated.counts.max()),
        },
        "near_neutral_by_all_ratings": int((signs == 0).sum()),
        "positive_by_all_ratings": int((signs > 0).sum()),
        "negative_by_all_ratings": int((signs < 0).sum()),
        "counted_on_average": round(float(counted.mean()), 1),
    }


def _scale(rated: Rated) -> dict[str, Any]:
    scale = rated.scale
    dropped: NDArray[Any] = np.array([-1, 1]) * scale.margin + scale.middle
    return {
        "low": scale.low,
        "high": scale.high,
        "near_neutral_share_of_width": NEAR_NEUTRAL,
        "near_neutral": [round(float(each), 6) for each in dropped],
    }


def _name(base: Path | None) -> str:
    """Return what the base is called in results: its folder's name, not where that lies."""
    if base is None or base.resolve() == SHIPPED.resolve():
        return "shipped"
    return base.absolute().name


def _ignore(system: str, fold: int, folds: int) -> None:
    """Show nothing."""
