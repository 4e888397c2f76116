"""`python -m benchmarks`: measure anew what takes minutes, then print every result as a table.

python -m benchmarks                      # all quick measurements, then the tables
python -m benchmarks tokenizer inference  # these only, slow ones too when named
python -m benchmarks --print              # only the tables of what was measured before
"""

import argparse
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.tables import print_results, read_results

FOLDER = Path(__file__).resolve().parent
# Tens of minutes on all cores, and most need a corpus: only when named. What they gave before is
# in results/.
SLOW = {
    *(
        "corpus",
        "emoji",
        "emojis",
        "faults",
        "long",
        "projection",
        "sampling",
        "scale",
        "score",
        "serve",
        "small",
        "study",
    ),
    "training_speed",
}
HELPERS = {"__init__", "__main__", "arithmetic", "record", "subjects", "tables"}


def main() -> int:
    scripts = sorted({path.stem for path in FOLDER.glob("*.py")} - HELPERS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure and show.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(scripts)}")
    parser.add_argument("--print", action="store_true", help="measure nothing")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(scripts)):
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(scripts)}")
    names = options.names or [name for name in scripts if name not in SLOW]
    failed = [] if options.print else [name for name in names if not _measure(name)]
    print_results(read_results(), Console())
    if failed:
        print(f"not measured anew, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _measure(name: str) -> bool:
    print(f"measuring: python -m benchmarks.{name}", file=sys.stderr)
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    return subprocess.run(command, cwd=FOLDER.parent, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
