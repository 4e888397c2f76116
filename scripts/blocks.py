"""Generated documentation: the parts of a Markdown file between two markers, and whole files.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(document: str, contents: Mapping[str, str]) -> str:
    """The document with the content of each generated part replaced.

    Raises:
        ValueError: if the document has a part that nothing generates, or lacks one.
    """
    names = sorted(match[2] for match in _BLOCK.finditer(document))
    if names != sorted(contents):
        raise ValueError(f"generated parts in the document: {names}, made: {sorted(contents)}")
    return _BLOCK.sub(lambda match: f"{match[1]}{contents[match[2]].strip()}\n{match[3]}", document)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """A Markdown table; `align` has a letter for each column, `r` for right."""
    rule = ["--:" if each == "r" else "---" for each in align.ljust(len(header), "l")]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def update(path: Path, content: str, *, check: bool) -> int:
    """Write a generated file, or with `check` only compare; the exit code: 1 if it was stale."""
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return 0
    if check:
        print(f"{path.name} is out of date; run: make readme", file=sys.stderr)
        return 1
    path.write_text(content, encoding="utf-8")
    return 0
