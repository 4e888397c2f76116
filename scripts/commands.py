"""Write docs/commands.md, the command reference, from the command line's own help.

`python -m scripts.commands` writes it; with `--check` it only says whether it is current.
"""

import os
import subprocess
import sys

from scripts.blocks import ROOT, update

REFERENCE = ROOT / "docs" / "commands.md"
NOTE = "<!-- Generated from the help texts by `make readme`; change those. -->"


def render() -> str:
    """The reference as Markdown, made by typer itself."""
    command = [sys.executable, "-m", "typer", "deepmoji.cli", "utils", "docs", "--name", "deepmoji"]
    # Defaults and widths must not depend on who runs this.
    environment = os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, env=environment
    )
    if run.returncode:
        raise SystemExit(f"cannot make the command reference:\n{run.stderr}")
    return f"{NOTE}\n\n{run.stdout.strip()}\n"


if __name__ == "__main__":
    sys.exit(update(REFERENCE, render(), check="--check" in sys.argv))
