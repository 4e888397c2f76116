"""Building the corpus from all shared posts: seconds and peak memory.

python -m benchmarks.corpus              # takes all cores for minutes: let nothing else run
python -m benchmarks.corpus --posts DIR --workers 2
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import daft
import pyarrow as pa

from benchmarks.record import shared, write
from deepmoji.corpus.machine import watch_memory
from deepmoji.machine import available_cores


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus")
    parser.add_argument("--posts", type=Path, help="by default those of the shared data")
    parser.add_argument("--workers", type=int, default=available_cores())
    options = parser.parse_args()
    posts = options.posts or shared("corpus")
    # The tree of processes is watched from outside; this process is counted with it.
    with tempfile.TemporaryDirectory() as folder, watch_memory() as peak:
        begun = time.monotonic()
        report = build(posts, Path(folder) / "corpus", options.workers)
        seconds = time.monotonic() - begun
    result = {
        "versions": {"daft": daft.get_version(), "pyarrow": pa.__version__},
        "workers": options.workers,
        "seconds": round(seconds, 1),
        "peak_memory_gb": round(peak.gigabytes, 2),
        "posts_per_second": round(report["posts"] / seconds),
        "posts": report["posts"],
        "kept": report["kept"],
        "dropped": {name: rule["dropped"] for name, rule in report["rules"].items()},
        "pairs": report["pairs"],
        "unknown_share": report["unknown_share"],
    }
    write("corpus", result)


def build(posts: Path, out: Path, workers: int) -> dict[str, Any]:
    """Run the command as a user does and return its report."""
    command = [sys.executable, "-m", "deepmoji", "corpus", "build", posts, "--out", out, "--json"]
    run = subprocess.run(
        [*map(str, command), "--workers", str(workers)], check=True, stdout=subprocess.PIPE
    )
    return json.loads(run.stdout)


if __name__ == "__main__":
    main()
