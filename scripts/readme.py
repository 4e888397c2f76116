"""Fill the generated parts of README.md and of pages in docs/ from benchmarks/results/*.json.

`python -m scripts.readme` writes them; with `--check` it only says whether they are current. Where
a result file is missing, the page says so and the exit code is 1.
"""

import ast
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scripts import figures, model_figures, scale_figures, study_figures, transfer_figures
from scripts.blocks import ROOT, fill, update
from scripts.currency import is_current

README = ROOT / "README.md"
TRAINING = ROOT / "docs" / "training.md"
SERVE = ROOT / "docs" / "serve.md"
PREDICT = ROOT / "docs" / "predict.md"
IMPORT = ROOT / "docs" / "import.md"
SCALE = ROOT / "docs" / "scale.md"
SCORE = ROOT / "docs" / "score.md"
BENCHMARK = ROOT / "docs" / "benchmark.md"
RESULTS = ROOT / "benchmarks" / "results"

Results = Mapping[str, Any]


def tree(_results: Results) -> str:
    """The repository, a line for each source file: the first line of its docstring."""
    lines = []
    for folder, note in TOP.items():
        if not (ROOT / folder).exists():
            continue
        lines.append(f"{folder:<26}{note}".rstrip())
        if folder == "src/deepmoji/":
            lines += _source_lines()
    return "\n".join(["```", *lines, "```"])


TOP = {
    "src/deepmoji/": "",
    "tests/": "mirrors src; test_architecture.py and test_budgets.py hold the rules",
    "examples/": "short scripts, each executed by a test",
    "runs/": "the recipes of the shipped models, from posts to bundle",
    "benchmarks/": "measurements; results/*.json: every number on this page",
    "docs/": "architecture.md for contributors, commands.md the command reference",
    "scripts/": "makes the generated parts of the documentation",
    "pyproject.toml": "the package, its dependencies and extras, the settings of all checks",
    "constraints.txt": "the exact versions that make and CI install",
    "constraints-stores.txt": "those of the object stores of some tests",
    "Makefile": "demo, test, check, bench and the rest",
}


def _source_lines() -> list[str]:
    package = ROOT / "src" / "deepmoji"
    lines = []
    for path in sorted(package.rglob("*.py"), key=_reading_order):
        inner = path.relative_to(package)
        depth = len(inner.parts) - 1
        name = f"{inner.parent.name}/" if path.name == "__init__.py" and depth else path.name
        indent = "    " * (depth + (name == path.name))
        lines.append(f"{indent + name:<26}{_first_line(path)}".rstrip())
    return lines


def _reading_order(path: Path) -> tuple[str, ...]:
    return tuple("" if part == "__init__.py" else part for part in path.parts)


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].partition(". ")[0].rstrip(".")


Blocks = Mapping[str, tuple[tuple[str, ...], Callable[[Results], str]]]

# Each generated part, the result files it needs, and what makes it.
BLOCKS: Blocks = {
    "sentences": (("sentences",), figures.sentences),
    "quality": (("emoji", "corpus"), figures.quality),
    "transfer": (("benchmark-paper",), transfer_figures.paper_table),
    "tweeteval": (("benchmark-tweeteval",), transfer_figures.tweeteval_table),
    "curve": (("benchmark-curve",), transfer_figures.curve_table),
    "study": (("study",), study_figures.study),
    "emojis": (("emojis", "projection"), study_figures.emojis),
    "speed": (("tokenizer", "corpus", "training_speed", "inference"), figures.speed),
    "small": (("small", "emoji"), figures.small),
    "parity": (("golden", "interop"), figures.parity),
    "tree": ((), tree),
}
TELL_THEMSELVES = {"models"}  # parts that show an earlier model's figures as such
PAGES: Mapping[Path, Blocks] = {
    README: BLOCKS,
    PREDICT: {"long_texts": (("long",), figures.long_texts)},
    IMPORT: {"agreement": (("interop",), figures.agreement)},
    SERVE: {"serving": ((), figures.serving)},
    TRAINING: {"training_speed": (("training_speed",), figures.training_speed)},
    # Takes hours to measure, on a machine with nothing else to do: the page can stand without.
    SCALE: {
        "scale_rates": ((), scale_figures.rates),
        "scale_needs": ((), scale_figures.needs),
        "scale_shuffles": ((), scale_figures.shuffles),
        "faults": ((), scale_figures.faults),
    },
    SCORE: {"scoring": ((), scale_figures.scoring)},
    BENCHMARK: {"models": (model_figures.NEEDED, model_figures.before_and_now)},
}


def render(document: str, results: Results, blocks: Blocks = BLOCKS) -> str:
    """A page with its generated parts made from these results."""
    contents = {}
    for name, (needed, make) in blocks.items():
        missing = [each for each in needed if each not in results]
        contents[name] = _not_measured(missing) if missing else make(results)
        known = [results[each] for each in needed if each in results]
        if name not in TELL_THEMSELVES and not all(map(is_current, known)):
            contents[name] += f"\n\n{EARLIER}"
    return fill(document, contents)


EARLIER = "**What starts from the model was measured with an earlier one than ships now.**"


def read_results() -> dict[str, Any]:
    """Every result file's content by its name."""
    paths = sorted(RESULTS.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def missing_results(results: Results) -> list[str]:
    """The result files that some generated part needs and that are not there."""
    needed = {each for page in PAGES.values() for names, _ in page.values() for each in names}
    return sorted(needed - results.keys())


def _not_measured(missing: list[str]) -> str:
    commands = ", ".join(f"`python -m benchmarks.{name}`" for name in missing)
    return f"*Not measured yet: {commands}.*"


def main() -> int:
    results, stale = read_results(), 0
    for page, blocks in PAGES.items():
        content = render(page.read_text(encoding="utf-8"), results, blocks)
        stale |= update(page, content, check="--check" in sys.argv)
    if missing := missing_results(results):
        names = ", ".join(f"benchmarks/results/{name}.json" for name in missing)
        print(f"the documentation lacks figures: there is no {names}", file=sys.stderr)
        return 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
