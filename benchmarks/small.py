"""The small model that ships beside the default one: what it saves, and what it loses.

python -m benchmarks.small

Size; milliseconds of one text alone, the models in turn; texts a second of a long list; how often
both name the same emoji first; and accuracy of logistic regression on their encodings, on texts to
learn from, as `benchmarks.projection` measures it. Emoji accuracy is `benchmarks.emoji`'s.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.inference import real_texts
from benchmarks.projection import FOLDS, SEED, accuracy, texts_to_learn
from benchmarks.record import write
from deepmoji.benchmark.job import Base
from deepmoji.bundle import MODELS, Bundle
from deepmoji.inference.predictor import Predictor, load

NAMES = ("default", "small")
ALONE = 2_000  # texts, one a call
TURN = 100  # of them, before it is the other model's turn
TOGETHER = 10_000  # texts in one call
ROUNDS = 5

Models = Mapping[str, Predictor]


def main() -> None:
    models = {name: load(MODELS / name) for name in NAMES}
    texts = real_texts(TOGETHER)
    milliseconds, rates = alone(models, texts[:ALONE]), together(models, texts)
    first = [model.scores(texts).argmax(axis=1) for model in models.values()]
    write(
        "small",
        {
            "models": {
                name: {
                    "model_sha256": Base.of(model.bundle.folder).digest,
                    **sizes(model.bundle),
                    "milliseconds_alone": milliseconds[name],
                    "texts_per_second": rates[name],
                    "accuracy": encodings_accuracy(model),
                }
                for name, model in models.items()
            },
            "texts_alone": ALONE,
            "texts_together": TOGETHER,
            "rounds": ROUNDS,
            "threads": {name: model.threads for name, model in models.items()},
            "same_top1": round(float((first[0] == first[1]).mean()), 4),
            "folds": FOLDS,
            "seed": SEED,
        },
    )


def sizes(bundle: Bundle) -> dict[str, Any]:
    config = bundle.config
    return {
        "folder_mb": round(sum(path.stat().st_size for path in bundle.folder.iterdir()) / 1e6, 1),
        "words": config.vocabulary_size,
        "embedding_size": config.embedding_size,
        "units": config.units,
        "features": config.features,
    }


def alone(models: Models, texts: Sequence[str]) -> dict[str, float]:
    """Return the median milliseconds of one text, tokenising included.

    A program has one model: by turns of a hundred texts, as each call of one would push the other
    out of the processor's cache.
    """
    taken: dict[str, list[float]] = {name: [] for name in models}
    for start in range(0, len(texts), TURN):
        for name, model in models.items():
            for text in texts[start : start + TURN]:
                started = time.perf_counter()
                model.scores([text])
                taken[name].append(1000 * (time.perf_counter() - started))
    return {name: round(statistics.median(each), 3) for name, each in taken.items()}


def together(models: Models, texts: Sequence[str]) -> dict[str, float]:
    """Return the median texts a second of a list, tokenising included."""
    rates: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(ROUNDS):
        for name, model in models.items():
            started = time.perf_counter()
            model.scores(texts)
            rates[name].append(len(texts) / (time.perf_counter() - started))
    return {name: round(statistics.median(each)) for name, each in rates.items()}


def encodings_accuracy(model: Predictor) -> dict[str, float]:
    return {name: accuracy(model.encode(texts), labels) for name, texts, labels in texts_to_learn()}


if __name__ == "__main__":
    main()
