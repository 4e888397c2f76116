"""Human agreement on the shared rated tweets: chance, fastText, one human, the tuned model.

python -m benchmarks.study [MODEL] [--method last|chain-thaw]     # the shipped model by default
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.record import ROOT, shared, write
from deepmoji.bundle import SHIPPED, model_folder

PLOT = ROOT / "docs" / "images" / "study"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study")
    parser.add_argument("model", nargs="?", default="shipped")
    parser.add_argument("--method", action="append", choices=("last", "chain-thaw"))
    options = parser.parse_args()
    ratings = shared("studies", "tweet_ratings.parquet")
    methods = [part for method in options.method or ["last"] for part in ("--method", method)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.json"
        command = [sys.executable, "-m", "deepmoji", "study", str(ratings), "--scale", "-4", "4"]
        command += ["--model", options.model, *methods, "--out", str(out), "--plot", str(PLOT)]
        subprocess.run(command, check=True)
        result = json.loads(out.read_text(encoding="utf-8"))
    model = SHIPPED if options.model == "shipped" else model_folder(options.model)
    write("study", {"data": "studies/tweet_ratings.parquet", **result}, model=model)


if __name__ == "__main__":
    main()
