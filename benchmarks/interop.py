"""How far imported weight files are from the original's own numbers (shared data)."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import shared, write
from deepmoji.inference.predictor import Predictor, load
from deepmoji.interop.bundles import import_weights
from deepmoji.training.export import export

FILES = {"keras": "deepmoji_keras.hdf5", "torchmoji": "torchmoji.bin"}
SUFFIXES = {"hard_sigmoid": "", "sigmoid": "_sigmoid"}


def differences(moji: Predictor, texts: list[str], expected: Any, suffix: str) -> dict[str, float]:
    """The largest differences of probabilities, features and attention."""
    attention = np.zeros(expected["attention"].shape)
    for row, prediction in enumerate(moji.predict(texts)):
        attention[row, : len(prediction.words)] = [word.weight for word in prediction.words]
    found = {
        "probabilities": moji.scores(texts),
        "features": moji.encode(texts),
        "attention": attention,
    }
    return {
        name: float(np.abs(array - expected[name + suffix]).max()) for name, array in found.items()
    }


def main() -> None:
    golden = shared("golden", "model")
    texts = json.loads((golden / "texts.json").read_text("utf-8"))
    expected = np.load(golden / "expected.npz")
    rows: list[dict[str, Any]] = []
    for kind, name in FILES.items():
        for gates, suffix in SUFFIXES.items():
            with tempfile.TemporaryDirectory() as folder:
                made, small = Path(folder) / "fp32", Path(folder) / "int8"
                import_weights(
                    golden / name, made, vocabulary=golden / "vocabulary.json", gates=gates
                )
                export(made, small, precision="int8", texts=texts)
                for bundle in (made, small):
                    apart = differences(load(bundle), texts, expected, suffix)
                    row = {"format": kind, "gates": gates, "precision": bundle.name}
                    rows.append(row | {key: float(f"{value:.1e}") for key, value in apart.items()})
    write("interop", {"texts": len(texts), "rows": rows})


if __name__ == "__main__":
    main()
