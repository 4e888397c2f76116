"""Write docs/commands.md, the command reference, from the command line's own help.

`python -m scripts.commands` writes it; with `--check` it only says whether it is current.
"""

import html
import os
import re
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
    return f"{NOTE}\n\n{_whole_summaries(_code(run.stdout)).strip()}\n"


def _code(page: str) -> str:
    """Bold text in the help is something to type: code, here."""
    bold = re.compile(r'<span style="font-weight: bold">(.*?)</span>', re.DOTALL)
    return bold.sub(lambda match: f"`{html.unescape(match[1])}`", page)


def _whole_summaries(page: str) -> str:
    """The lists of commands with the whole first paragraph of each command; typer cuts it short."""
    sections = re.split(r"^#+ `(.+)`\n", page, flags=re.MULTILINE)
    named = list(zip(sections[1::2], sections[2::2], strict=True))
    summaries = {name: " ".join(body.strip().split("\n\n")[0].split()) for name, body in named}
    for name, body in named:
        for summary in re.findall(
            r"^\* `[\w-]+`: .*$", body.partition("**Commands**")[2], re.MULTILINE
        ):
            command = summary.split("`")[1]
            page = page.replace(summary, f"* `{command}`: {summaries[f'{name} {command}']}")
    return page


if __name__ == "__main__":
    sys.exit(update(REFERENCE, render(), check="--check" in sys.argv))
