"""Probabilities that mean what they say: temperature and prior, folded into the last layer."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from deepmoji.bundle import Bundle
from deepmoji.config import MAX_TOKENS
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.errors import InputError
from deepmoji.evaluation.metrics import Priors, calibration_error, emoji_accuracies, emoji_intervals
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN, Vocabulary
from deepmoji.training.loop import log_probabilities
from deepmoji.training.network import Network

_HOTTEST = 4.0  # a temperature beyond this, or below its inverse, comes from too few posts
_PRECISION = 1e-9
_ROUNDING = 1e-7  # of priors: they are stored with eight decimals

Floats = NDArray[np.floating[Any]]


def prior_shift(priors: Priors) -> NDArray[np.float64]:
    """Return log natural - log seen, float64 [C]: what turns the one prior into the other.

    A model that saw the classes y with frequencies s(y) in training says q(y|x) ~ p(x|y) s(y).
    Among posts where they occur with n(y), the answer is p(y|x) ~ q(y|x) n(y) / s(y) (Saerens et
    al., Adjusting the Outputs of a Classifier to New a Priori Probabilities, Neural Computation
    2002). Zero for classes that training never saw.
    """
    if np.allclose(priors.seen, priors.natural, rtol=0, atol=_ROUNDING):
        return np.zeros(len(priors.seen))
    known = (priors.seen > 0) & (priors.natural > 0)
    seen, natural = (np.where(known, each, 1.0) for each in (priors.seen, priors.natural))
    return np.log(natural) - np.log(seen)


def calibrated(log_scores: Floats, temperature: float, shift: Floats) -> NDArray[np.float64]:
    """Return log-probabilities [rows, C]: log softmax(log_scores / temperature + shift)."""
    logits = log_scores / temperature + shift
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def log_loss(log_scores: Floats, labels: NDArray[np.int64]) -> float | None:
    """Return the mean negative log-likelihood, nats; None without rows."""
    own = log_scores[np.arange(len(labels)), labels]
    return float(-own.mean()) if len(labels) else None


def fit_temperature(log_scores: Floats, labels: NDArray[np.int64], shift: Floats) -> float:
    """Return the temperature with the least loss (Guo et al., 2017, section 4.2).

    The loss is convex in the temperature's inverse, so between 1/4 and 4 its slope is halved in on
    to where it is nothing. The loss itself is flat there, and what rounds differently from run to
    run would decide.

    Args:
        log_scores: a model's log-probabilities, or logits, [rows, C].
        labels: int64 [rows], at least one.
        shift: of :func:`prior_shift`, added after the division.
    """
    scores = log_scores.astype(np.float64)
    wanted = scores[np.arange(len(labels)), labels].mean()

    def slope(inverse: float) -> float:
        shares = np.exp(calibrated(scores, 1 / inverse, shift))
        return float((shares * scores).sum(axis=1).mean() - wanted)

    low, high = 1 / _HOTTEST, _HOTTEST
    while high - low > _PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return round(2 / (low + high), 6)


@torch.no_grad()
def fold(network: Network, temperature: float, shift: Floats) -> None:
    """Make a network's logits z say z / temperature + shift, by its last layer's numbers."""
    layer = network.output
    layer.weight.div_(temperature)
    layer.bias.div_(temperature).add_(torch.from_numpy(shift).to(layer.bias))


def calibrate(
    network: Network, *, validation: Shard, test: Shard, priors: Priors
) -> dict[str, Any]:
    """Calibrate a network to posts as they occur, and mark it on the test split.

    Temperature and shift are fitted on the natural set of the validation split alone. From then on
    the network speaks with the natural prior.

    Args:
        network: changed in place.
        validation: with at least one natural row.
        test: may be empty.
        priors: how often training drew the classes, and how often they occur.

    Returns:
        the parts ``prior``, ``calibration`` and ``scores`` of the bundle's record.

    Raises:
        InputError: if the validation split has no natural rows.
    """
    natural = _natural(validation)
    if not natural.any():
        raise InputError(
            "the corpus has no validation posts as they occur to calibrate on; "
            "build it with a larger --natural"
        )
    before = {"validation": _scores(network, validation), "test": _scores(network, test)}
    shift = prior_shift(priors)
    temperature = fit_temperature(before["validation"][natural], validation.labels[natural], shift)
    fold(network, temperature, shift)
    after = {name: calibrated(each, temperature, shift) for name, each in before.items()}
    record: dict[str, Any] = {
        "temperature": temperature,
        "prior_corrected": bool(shift.any()),
        "sampling_prior": _rounded(priors.seen),
    }
    for name, split in (("validation", validation), ("test", test)):
        rows = _natural(split)
        labels = split.labels[rows]
        record[name] = {
            "rows": len(labels),
            "before": _marks(before[name][rows], labels),
            "after": _marks(after[name][rows], labels),
        }
    now = Priors(seen=priors.natural, natural=priors.natural)
    return {
        "prior": _rounded(priors.natural),
        "calibration": record,
        "scores": {"this model": _accuracies(after["test"], test, now)} if len(test) else {},
    }


def calibrate_bundle(network: Network, bundle: Bundle, corpus: CorpusFolder) -> dict[str, Any]:
    """Calibrate the network of a bundle that was made without: see :func:`calibrate`.

    Args:
        network: with the bundle's weights, changed in place.
        bundle: says how often training drew each class.
        corpus: the one that it was trained on.

    Raises:
        InputError: if the bundle is calibrated already, does not say how often it saw each class,
            or has other classes than the corpus; or if the corpus has no pairs to calibrate on.
    """
    if "calibration" in bundle.training:
        raise InputError(
            f"{bundle.folder} is calibrated already, which is done once; leave out --calibrate"
        )
    if bundle.labels != corpus.labels:
        raise InputError(
            f"{bundle.folder} has other classes than {corpus.path}; calibrate it on the corpus "
            "that it was trained on"
        )
    seen = bundle.training.get("prior")
    if not isinstance(seen, list) or len(cast("list[Any]", seen)) != len(bundle.labels):
        raise InputError(
            f"{bundle.folder} does not say how often it saw each emoji (prior in training.json), "
            "which calibration takes"
        )
    counts = corpus.count_train()
    priors = Priors(
        seen=np.asarray(cast("list[float]", seen), np.float64),
        natural=counts / max(1, counts.sum()),
    )
    splits = {
        name: _reread(corpus.read_split(name), bundle.vocabulary) for name in ("validation", "test")
    }
    return calibrate(network, **splits, priors=priors)


def _reread(split: Shard, vocabulary: Vocabulary) -> Shard:
    """Return a split with the ids that a model's own vocabulary gives its texts."""
    rows = [vocabulary.ids(tokenize(text)) or [UNKNOWN] for text in split.texts or ()]
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    ids = np.fromiter(chain.from_iterable(rows), np.uint32, count=offsets[-1])
    return replace(split, ids=ids, offsets=offsets)


def _natural(split: Shard) -> NDArray[np.bool_]:
    if split.natural is None:
        raise InputError("a model is calibrated on validation pairs, not on training pairs")
    return split.natural


def _scores(network: Network, split: Shard) -> NDArray[np.float32]:
    classes, device = network.config.classes, torch.device("cpu")
    return log_probabilities(network, split, classes=classes, max_tokens=MAX_TOKENS, device=device)


def _accuracies(scores: Floats, split: Shard, priors: Priors) -> dict[str, Any]:
    sets: Any = {"balanced": split.balanced, "natural": split.natural, "priors": priors}
    log_scores = scores.astype(np.float32)
    return {
        **emoji_accuracies(log_scores, split.labels, **sets),
        **emoji_intervals(log_scores, split.labels, **sets),
    }


def _marks(log_scores: Floats, labels: NDArray[np.int64]) -> Mapping[str, float | None]:
    error = calibration_error(np.exp(log_scores), labels)
    return {"calibration_error": error, "loss": log_loss(log_scores, labels)}


def _rounded(prior: Floats) -> list[float]:
    return [round(float(share), 8) for share in prior]
