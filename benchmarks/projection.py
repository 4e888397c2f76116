"""What `encode --reduce` costs: logistic regression on fewer numbers, on texts to learn from.

python -m benchmarks.projection     # the shipped model

Accuracy over ten folds of the train and validation texts of three sets of the paper; no test text
is read. The strength of the regularisation is the best of four, at every size.
"""

from collections.abc import Iterator

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

import deepmoji
from benchmarks.record import shared, write
from deepmoji.benchmark.tasks import load_tasks
from deepmoji.bundle import SHIPPED
from deepmoji.inference.projection import Projection

SETS = ("SS-Twitter", "SS-Youtube", "PsychExp")
SIZES = (8, 16, 32, 64)
STRENGTHS = (0.01, 0.1, 1.0, 10.0)
FOLDS, SEED = 10, 0


def main() -> None:
    model = deepmoji.load()
    projection = Projection.of(model.bundle, max(SIZES))
    features = model.bundle.config.features
    rows = []
    for name, texts, labels in texts_to_learn():
        encodings = model.encode(texts)
        row = {"set": name, "texts": len(texts), "all": accuracy(encodings, labels)}
        for size in SIZES:
            row[str(size)] = accuracy(projection.reduce(encodings, size), labels)
        rows.append(row)
    write(
        "projection",
        {
            "numbers": features,
            "fitted_on_texts": projection.texts,
            "variance_kept": {str(size): projection.kept(size) for size in SIZES},
            "folds": FOLDS,
            "seed": SEED,
            "accuracy": rows,
        },
        model=SHIPPED,
    )


def texts_to_learn() -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each set's name, and its train and validation texts with their labels."""
    for task in load_tasks("paper", shared("benchmarks"), SETS):
        texts = [*task.train.texts, *task.validation.texts]
        labels = [names[0] for names in (*task.train.labels, *task.validation.labels)]
        yield task.name, texts, labels


def accuracy(features: np.ndarray, labels: list[str]) -> float:
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    found = [
        cross_val_score(LogisticRegression(C=strength, max_iter=300), features, labels, cv=folds)
        for strength in STRENGTHS
    ]
    return round(max(float(each.mean()) for each in found), 4)


if __name__ == "__main__":
    main()
