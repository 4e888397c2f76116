"""Emoji prediction on posts kept from training: prior, fastText on the same pairs, the models.

python -m benchmarks.emoji CORPUS [MODEL...]     # the shipped model by default
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.record import write
from deepmoji.bundle import SHIPPED


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.emoji")
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("runs/default/corpus"))
    parser.add_argument("models", type=Path, nargs="*")
    options = parser.parse_args()
    models = [part for model in options.models for part in ("--model", str(model))]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.json"
        command = [sys.executable, "-m", "deepmoji", "evaluate", str(options.corpus), *models]
        subprocess.run([*command, "--baseline", "--out", str(out)], check=True)
        result = json.loads(out.read_text(encoding="utf-8"))
    write("emoji", result, model=options.models[0] if options.models else SHIPPED)


if __name__ == "__main__":
    main()
