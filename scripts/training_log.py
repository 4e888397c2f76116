"""Write docs/training-log.md: what was expected of each pretraining experiment, and what came out.

`python -m scripts.training_log` writes it; with `--check` it only says whether it is current.
"""

import json
import sys
from collections.abc import Mapping
from statistics import mean
from typing import Any

from runs.settings import Experiment, names, read
from scripts import scaling
from scripts.blocks import ROOT, table, update

PAGE = ROOT / "docs" / "training-log.md"
RESULT = ROOT / "benchmarks" / "results" / "pretraining.json"
MEASURES = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5", "transfer_mean")
INTRODUCTION = """<!-- Made by `make readme` from runs/experiments/ and benchmarks/results/. -->

# Training log

Every lever that was pulled to make the model better, also in vain. An experiment is a file in
[runs/experiments](../runs/experiments): its settings and its prediction were written before the
run, the outcome after it. `python -m runs.experiment NAME` runs it.

Figures are in %, of the validation split: emoji accuracy on posts as they occur (natural) and
averaged over the 64 emojis (balanced, with what training saw divided out), top-1 and top-5; and
`transfer`, the mean validation score of a new last layer on the paper's eight data sets, which have
50 to 495 validation texts each: differences of a point say little. In brackets the difference from
the experiment that it is compared with. Where figures were not kept, those that are known stand in
the outcome. Seconds are those of the machine that stands in the result file, mostly with other work
beside. Experiments on the levers are small (128 units, 100,000 pairs): what helps there need not
help a large model that has seen everything."""


def render(rows: list[dict[str, Any]]) -> str:
    """The page, from the rows of the result file."""
    experiments = [read(name) for name in names()]
    by_name = {
        each.name: [row for row in rows if row["experiment"] == each.name] for each in experiments
    }
    levers = dict.fromkeys(["reference", "full size", *sorted(each.lever for each in experiments)])
    sections = [INTRODUCTION]
    for lever in levers:
        mine = [each for each in experiments if each.lever == lever]
        sections += [f"## {lever.capitalize()}", _table(mine, by_name)]
        sections += ["\n".join(_words(each) for each in mine)]
        if lever == scaling.LEVER and (more := scaling.section(scaling.points(rows, experiments))):
            sections.append(more)
    return "\n\n".join(sections) + "\n"


def _table(experiments: list[Experiment], rows: Mapping[str, list[dict[str, Any]]]) -> str:
    lines = [
        [
            each.name,
            _cost(each, rows[each.name]),
            *(_cell(measure, rows[each.name], rows.get(each.like, [])) for measure in MEASURES),
        ]
        for each in experiments
    ]
    header = ["experiment", "texts, seconds", "natural top-1", "top-5", "balanced top-1", "top-5"]
    return table([*header, "transfer"], lines, "lrrrrrr")


def _cost(experiment: Experiment, rows: list[dict[str, Any]]) -> str:
    if not rows:  # what was run outside the runner stands in its outcome alone
        return "figures not kept" if experiment.outcome else "not run"
    many = f" ({len(rows)} seeds)" if len(rows) > 1 else ""
    return f"{rows[0]['texts']:,}, {mean(row['seconds'] for row in rows):,.0f}{many}"


def _cell(measure: str, rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    values = [100 * row[measure] for row in rows if measure in row]
    if not values:
        return "-"
    before = [100 * row[measure] for row in others if measure in row]
    difference = f" ({mean(values) - mean(before):+.1f})" if before else ""
    spread = f" +- {(max(values) - min(values)) / 2:.1f}" if len(values) > 1 else ""
    return f"{mean(values):.1f}{spread}{difference}"


def _words(experiment: Experiment) -> str:
    outcome = f" Outcome: {experiment.outcome}" if experiment.outcome else ""
    return (
        f"- **{experiment.name}**: {experiment.change}. "
        f"Prediction: {experiment.prediction}{outcome}"
    )


def read_rows() -> list[dict[str, Any]]:
    """The rows of the result file; none if nothing has been run."""
    return json.loads(RESULT.read_text(encoding="utf-8"))["rows"] if RESULT.exists() else []


def main() -> int:
    """Write the page and its plot, or with `--check` compare the page."""
    rows, check = read_rows(), "--check" in sys.argv
    if not check:
        scaling.plot(scaling.points(rows, [read(name) for name in names()]))
    return update(PAGE, render(rows), check=check)


if __name__ == "__main__":
    sys.exit(main())
