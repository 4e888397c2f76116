"""What a build did, for programs (JSON) and for people (Markdown, or tables in a terminal)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepmoji.corpus.layout import FORMAT_VERSION
from deepmoji.corpus.settings import RULES, STEPS, CorpusSettings
from deepmoji.corpus.tally import Tally
from deepmoji.errors import InputError

_SAMPLE_LENGTH = 100
_BARS = 40
_LEAKS = {
    "inputs": "checked",
    "emoji": "with an emoji left",
    "variation_selector": "with a variation selector left",
    "joiner": "with a joiner left",
    "skin_tone": "with a skin tone left",
    "in_two_splits": "in more than one split",
}


@dataclass(frozen=True)
class Table:
    """A titled table of texts; columns after the first are numbers if ``numbers`` is set."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numbers: bool = True


def make_report(
    *,
    settings: CorpusSettings,
    described: Mapping[str, Any],
    inputs: Sequence[Mapping[str, Any]],
    tally: Tally,
    figures: Mapping[str, Any],
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the report of a build as plain JSON values.

    Args:
        settings: of the build.
        described: the same, with digests for what they name.
        inputs: file and bytes of each file of posts.
        tally: what the stages counted.
        figures: what the assembly counted.
        run: the rest.

    Everything but ``run`` (seconds, memory, machine) depends on posts and settings alone.
    """
    rules = {
        rule: {
            "drops": drops,
            "applied": settings.applies(rule),
            "dropped": tally.dropped[rule],
            "samples": [text for _, text in tally.samples.get(rule, [])],
        }
        for rule, drops in STEPS.items()
        if rule in RULES or settings.applies(rule)
    }
    return {
        "format_version": FORMAT_VERSION,
        "settings": dict(described),
        "inputs": list(inputs),
        "posts": tally.posts,
        "kept": tally.kept,
        "rules": rules,
        "unreadable": {
            "rows": tally.unreadable,
            "examples": [
                {"file": name, "row": row or None, "problem": what}
                for name, row, what in tally.problems
            ],
            "files": [{"file": name, "problem": why} for name, why in tally.broken],
        },
        **figures,
        "run": dict(run),
    }


def tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of a report, in the order in which they are read."""
    yield Table("Posts", ("", "posts", "share"), list(_post_rows(report)))
    pairs = report["pairs"]
    splits = [
        (name, f"{pairs[name]:,}", _set(pairs, name, "balanced"), _set(pairs, name, "natural"))
        for name in ("train", "validation", "test")
    ]
    yield Table("Pairs", ("split", "pairs", "balanced set", "natural set"), splits)
    per_emoji = [
        (emoji, *(f"{counts[name]:,}" for name in ("train", "validation", "test")))
        for emoji, counts in report["pairs_per_emoji"].items()
    ]
    yield Table("Pairs for each emoji", ("emoji", "train", "validation", "test"), per_emoji)
    if "leaks" in report:  # older reports have none
        yield Table("Leak check", ("", "inputs"), list(_leak_rows(report["leaks"])))
    lengths = list(_length_rows(report["length_histogram"]))
    yield Table("Words in a training text", ("words", "pairs", ""), lengths, numbers=False)
    facts = [(name, str(value)) for name, value in _facts(report)]
    yield Table("Facts", ("", ""), facts, numbers=False)
    unreadable = report["unreadable"]
    if unreadable["files"] or unreadable["examples"]:
        yield Table(
            f"Unreadable: {len(unreadable['files'])} files, {unreadable['rows']:,} rows",
            ("file", "row", "problem"),
            [
                (each["file"], str(each.get("row") or ""), each["problem"])
                for each in (*unreadable["files"], *unreadable["examples"])
            ],
            numbers=False,
        )


def check_report(report: Any, path: Path) -> None:
    """Try whether a report that was read can be shown.

    Raises:
        InputError: if it is not what :func:`make_report` makes.
    """
    try:
        to_markdown(report)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not the report of a corpus; build the corpus again, with --overwrite"
        ) from error


def samples(report: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield the rules that dropped something, each with a few posts in one line each."""
    for name, rule in report["rules"].items():
        if rule["samples"]:
            yield f"{name}: {rule['drops']}", [_one_line(text) for text in rule["samples"]]


def to_markdown(report: Mapping[str, Any]) -> str:
    """Return the report as a Markdown page."""
    lines = ["# Corpus report", ""]
    for table in tables(report):
        align = "--:" if table.numbers else "---"
        lines += [f"## {table.title}", ""]
        lines += [_line(table.header), _line(["---", *[align] * (len(table.header) - 1)])]
        lines += [*map(_line, table.rows), ""]
    lines += ["## Samples of dropped posts", ""]
    for title, texts in samples(report):
        lines += [f"**{title}**", "", *(f"- {_escape(text)}" for text in texts), ""]
    return "\n".join(lines)


def _post_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    total = report["posts"]

    def row(name: str, count: int) -> tuple[str, str, str]:
        return name, f"{count:,}", f"{count / total:.1%}" if total else ""

    yield row("in", total)
    for name, rule in report["rules"].items():
        off = "" if rule["applied"] else " (off)"
        yield row(f"dropped by {name}{off}", rule["dropped"])
    yield row("kept", report["kept"])


def leaks(report: Mapping[str, Any]) -> int:
    """Return how many times the leak check found something."""
    return sum(count for name, count in report.get("leaks", {}).items() if name != "inputs")


def _leak_rows(leaks: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for name, title in _LEAKS.items():
        yield title, f"{leaks[name]:,}"


def _length_rows(histogram: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    counts = {int(length): count for length, count in histogram.items()}
    width = 5
    bins: dict[int, int] = {}
    for length, count in counts.items():
        start = min(max(length - 1, 0) // width, 20) * width + 1
        bins[start] = bins.get(start, 0) + count
    most = max(bins.values(), default=1)
    for start, count in sorted(bins.items()):
        name = f"{start} to {start + width - 1}" if start < 20 * width else f"{start} and more"
        yield name, f"{count:,}", "█" * round(count / most * _BARS)


def _facts(report: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    run, settings = report["run"], report["settings"]
    yield "vocabulary", f"{report['vocabulary_size']:,} words"
    for name, share in report["unknown_share"].items():
        yield f"unknown words, {name}", f"{share:.2%}"
    yield f"training texts cut at {settings['max_tokens']} words", f"{report['cut_share']:.2%}"
    yield "duplicate pairs left out", f"{report['pairs']['duplicates']:,}"
    yield "near copies of test pairs left out", f"{report['pairs']['near_copies_dropped']:,}"
    yield "input", f"{len(report['inputs'])} files, {_megabytes(report['inputs'])} MB"
    for name, value in settings.items():
        yield f"setting {name}", value
    yield "seconds", run["seconds"]
    yield "peak memory, GB", run["peak_memory_gb"]
    yield "workers", run["workers"]
    if "machines" in run:
        yield "machines", run["machines"]
    if run["files_done_before"]:
        yield "files done by an earlier, interrupted run", run["files_done_before"]


def _megabytes(inputs: Sequence[Mapping[str, Any]]) -> str:
    return f"{sum(each['bytes'] for each in inputs) / 1e6:,.1f}"


def _set(pairs: Mapping[str, int], split: str, name: str) -> str:
    count = pairs.get(f"{split}_{name}")
    return "" if count is None else f"{count:,}"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SAMPLE_LENGTH else f"{line[: _SAMPLE_LENGTH - 1]}…"


def _escape(text: str) -> str:
    for character in "\\`*_[]<>|#":
        text = text.replace(character, f"\\{character}")
    return text


def _line(cells: Sequence[str]) -> str:
    escaped = [" ".join(cell.split()).replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"
