"""The tables of the shipped model beside the first one that was."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deepmoji.benchmark.wording import figure, measure_name, percent, system_name
from scripts.blocks import table
from scripts.currency import is_current

Results = Mapping[str, Any]
Report = Mapping[str, Any]

EMOJI = {
    "natural_top1": "emojis as they occur, top-1",
    "natural_top5": "emojis as they occur, top-5",
    "balanced_top1": "every emoji as often, top-1",
    "balanced_top5": "every emoji as often, top-5",
}
SYSTEMS = ("last", "encodings-tfidf", "encodings-trees", "chain-thaw")
TITLES = {"paper": "the paper's 7", "tweeteval": "TweetEval"}
SUITES = tuple(TITLES)
NEEDED = (
    *("emoji", *(f"benchmark-{suite}" for suite in SUITES)),
    *("before-emoji", *(f"before-{suite}" for suite in SUITES)),
)
NOTHING: Report = {"tasks": {}, "systems": {}, "averages": {}}
NONE = "–"


def before_and_now(results: Results) -> str:
    """Everything that was measured of both models."""
    before, now = (results[name]["systems"] for name in ("before-emoji", "emoji"))
    known = is_current(results["emoji"])
    emojis = [
        (
            words,
            percent(before["shipped"][measure]),
            percent(now["shipped"][measure]) if known else NONE,
            f"{now['shipped'][measure] / now['fastText'][measure]:.2f}" if known else NONE,
        )
        for measure, words in EMOJI.items()
    ]
    transfer = [
        row
        for suite in SUITES
        for row in _transfer(suite, results[f"before-{suite}"], results[f"benchmark-{suite}"])
    ]
    systems = [system_name(system) for system in SYSTEMS]
    return "\n\n".join(
        (
            table(("", "first model", "this model", "times fastText"), emojis, "lrrr"),
            table(("set", "measure", *systems), transfer, "ll" + "r" * len(systems)),
        )
    )


def _transfer(suite: str, before: Report, now: Report) -> Iterator[Sequence[str]]:
    if not is_current(now):
        now = NOTHING  # that was measured is of this model
    for name, task in before["tasks"].items():
        measure = task["measure"]
        entries = [
            {system: entry["measures"][measure] for system, entry in each["systems"].items()}
            for each in (task, now["tasks"].get(name, NOTHING))
        ]
        yield (name, measure_name(measure), *_pairs(*entries))
    means = [report["averages"].get("systems", {}) for report in (before, now)]
    yield (f"**mean, {TITLES[suite]}**", "", *_pairs(*means))


def _pairs(before: Report, now: Report) -> Iterator[str]:
    """Yield what each system got from both models."""
    for system in SYSTEMS:
        cells = [figure(each[system]) if system in each else NONE for each in (before, now)]
        yield NONE if cells == [NONE, NONE] else " → ".join(cells)
