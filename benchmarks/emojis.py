"""The map of emojis, its pictures, and whether the emotions of texts follow what people say.

python -m benchmarks.emojis CORPUS     # the shipped model, on the corpus' balanced test set
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

import deepmoji
from benchmarks.record import ROOT, shared, write
from deepmoji.bundle import SHIPPED
from deepmoji.study.ratings import read_ratings

PLOT = ROOT / "docs" / "images" / "emojis"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emojis")
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("runs/default/corpus"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "map.json"
        command = [sys.executable, "-m", "deepmoji", "emojis", "map", "--out", str(out)]
        command += ["--corpus", str(options.corpus), "--plot", str(PLOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = json.loads(out.read_text(encoding="utf-8"))
    sys.argv[1:] = ["CORPUS"]  # where it lies on this machine is nobody's business
    result = {"corpus": "balanced test set", **compact(found), "valence": valence()}
    write("emojis", result, model=SHIPPED)


def compact(found: dict[str, object]) -> dict[str, object]:
    """What people read of a map; the correlations are in the file that the command writes."""
    return {name: each for name, each in found.items() if name not in {"correlations", "mean"}}


def valence() -> dict[str, object]:
    """How the valence that the default table gives follows ratings that nothing here was fitted to.

    The sign is compared where the mean rating is not near neutral.
    """
    rated = read_ratings(shared("studies", "tweet_ratings.parquet"), (-4, 4))
    emotions = deepmoji.load().emotions(rated.texts)
    signs = rated.scale.sign(rated.means)
    counted = signs != 0
    return {
        "data": "studies/tweet_ratings.parquet",
        "texts": len(rated),
        "spearman": round(float(spearmanr(emotions.valence, rated.means)[0]), 4),
        "sign_agreement": round(
            float((np.sign(emotions.valence) == signs)[counted].mean()),
            4,
        ),
    }


if __name__ == "__main__":
    main()
