"""The README's table of the shipped model beside the one that was shipped before it."""

from collections.abc import Iterator, Mapping
from typing import Any

from deepmoji.benchmark.wording import figure, measure_name, percent, system_name
from scripts.blocks import table

Results = Mapping[str, Any]

EMOJI = {
    "natural_top1": "emojis as they occur, top-1",
    "natural_top5": "emojis as they occur, top-5",
    "balanced_top1": "every emoji as often, top-1",
    "balanced_top5": "every emoji as often, top-5",
}
SYSTEMS = ("last", "encodings-trees", "chain-thaw")
SUITES = ("paper", "tweeteval")
NONE = "–"


def before_and_now(results: Results) -> str:
    """Everything that was measured of both models."""
    emoji, before = (results[name]["systems"] for name in ("emoji", "before-emoji"))
    rows = [
        (
            words,
            "",
            "",
            percent(before["shipped"][measure]),
            f"{percent(emoji['shipped'][measure])} "
            f"({emoji['shipped'][measure] / emoji['fastText'][measure]:.2f} times fastText)",
        )
        for measure, words in EMOJI.items()
    ]
    for suite in SUITES:
        rows += _transfer(results[f"before-{suite}"], results[f"benchmark-{suite}"])
    return table(("", "", "measure", "model before", "this model"), rows, "lllrr")


def _transfer(before: Results, now: Results) -> Iterator[tuple[str, ...]]:
    for name, task in now["tasks"].items():
        old = before["tasks"].get(name, {"systems": {}})
        for system in SYSTEMS:
            pair = [each["systems"].get(system) for each in (old, task)]
            if any(pair):
                measure = task["measure"]
                cells = (figure(each["measures"][measure]) if each else NONE for each in pair)
                yield (name, system_name(system), measure_name(measure), *cells)
    for system in SYSTEMS:
        pair = [each["averages"].get("systems", {}).get(system) for each in (before, now)]
        if all(pair):
            yield ("**mean**", system_name(system), "", *(figure(each) for each in pair))
