"""The README's tables about transfer, from what `deepmoji benchmark report` and `curve` wrote."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from deepmoji.benchmark.wording import figure, measure_name, percent, published_percent, system_name
from scripts.blocks import table

Results = Mapping[str, Any]
Report = Mapping[str, Any]

BASELINES = ("vader", "tfidf", "fasttext", "plain-lstm", "encodings-trees", "minilm")
TUNED = ("last", "encodings-tfidf", "gradual", "chain-thaw")
METHODS = ("new", "full", "last", "gradual", "chain-thaw", "last-ovr", "chain-thaw-ovr")
PUBLISHED = ("new", "full", "last", "chain-thaw")
TWEETEVAL = ("fastText", "LSTM", "BERTweet")
LEAK_FREE = "public, rows without U+FE0F"
SURE = 0.05
NONE = "–"
UNTESTED = "°"


def paper_table(results: Results) -> str:
    """The paper's sets: our methods beside the baselines, then beside the paper's figures."""
    report = results["benchmark-paper"]
    systems = _present(report, (*BASELINES, *TUNED))
    header = ("set", "measure", "floor", *map(system_name, systems), "published: chain-thaw")
    rows = [
        (*_row(name, task, systems), _published(task, "chain-thaw"))
        for name, task in report["tasks"].items()
    ]
    rows += [
        (name, measure_name(figures[0]["measure"]), NONE, *[NONE] * len(systems), _value(figures))
        for name, figures in report["not_public"].items()
    ]
    if report["averages"]:
        published = percent(report["published_averages"]["chain-thaw"])
        rows.append((*_mean_row(report, systems), published))
    rows.append((*_seconds_row(report, systems), ""))
    parts = [
        f"In %, mean ± standard deviation over {_runs(report)}. {_legend(report, systems)}",
        table(header, rows, "ll" + "r" * (len(header) - 2)),
        "The same methods, here / in the paper:",
        _beside_paper(report),
        " ".join(_notes(report)),
    ]
    return "\n\n".join(parts)


def tweeteval_table(results: Results) -> str:
    """TweetEval: our methods beside the baselines and three published systems."""
    report = results["benchmark-tweeteval"]
    systems = _present(report, (*BASELINES, *TUNED))
    header = (
        "task", "measure", "floor", *map(system_name, systems),
        *(f"published: {name}" for name in TWEETEVAL),
    )  # fmt: skip
    rows: list[Sequence[str]] = []
    grouped = {task: name for name, group in report["groups"].items() for task in group["tasks"]}
    for name, task in report["tasks"].items():
        if name not in grouped:
            rows.append((*_row(name, task, systems), *(_published(task, n) for n in TWEETEVAL)))
        if LEAK_FREE in task:
            rows.append((*_leak_free_row(name, task, systems), *[NONE] * len(TWEETEVAL)))
    for name, group in report["groups"].items():
        label = f"{name}, mean of {len(group['tasks'])}"
        cells = _cells(group["systems"], systems)
        measure = measure_name(group["measure"])
        published = (_published(group, n) for n in TWEETEVAL)
        rows.append((label, measure, percent(group["floor"]), *cells, *published))
    if report["averages"]:
        published = (percent(report["published_averages"][name]) for name in TWEETEVAL)
        rows.append((*_mean_row(report, systems), *published))
    rows.append((*_seconds_row(report, systems), *[""] * len(TWEETEVAL)))
    parts = [
        f"In %, mean ± standard deviation over {_runs(report)}. {_legend(report, systems)}",
        table(header, rows, "ll" + "r" * (len(header) - 2)),
        " ".join(_notes(report)),
    ]
    return "\n\n".join(parts)


def curve_table(results: Results) -> str:
    """Accuracy by the number of training texts."""
    report = results["benchmark-curve"]
    tasks = report["tasks"].items()
    sizes: list[Any] = []
    for _, task in tasks:
        for points in task["systems"].values():
            sizes += [point["size"] for point in points if point["size"] not in sizes]
    sizes.sort(key=lambda size: (size == "all", size if size != "all" else 0))
    rows = []
    for name, task in tasks:
        found = {
            system: {point["size"]: point["measures"]["accuracy"] for point in points}
            for system, points in task["systems"].items()
        }
        best = {size: _best([each.get(size) for each in found.values()]) for size in sizes}
        for system, points in found.items():
            cells = (_cell(points.get(size), best[size]) for size in sizes)
            rows.append((name, percent(task["floors"]["accuracy"]), system_name(system), *cells))
    shown = (f"{size:,}" if size != "all" else "all" for size in sizes)
    every = ", ".join(f"{name} {task['texts']['train']:,}" for name, task in tasks)
    header = table(("set", "floor", "", *shown), rows, "lrl" + "r" * len(sizes))
    runs = max(
        len(point["seeds"])
        for _, task in tasks
        for points in task["systems"].values()
        for point in points
    )
    return (
        f"Accuracy in %, by the number of training texts (all: {every}); mean ± standard deviation "
        f"over up to {runs} draws of the texts (a figure without ± is of one), **bold** the best."
        f"\n\n{header}"
    )


def _legend(report: Report, systems: Sequence[str]) -> str:
    parts = ["The floor is the best constant answer", "**bold** is the best that was measured here"]
    marks = {mark for task in report["tasks"].values() for mark in _marks(task, systems).values()}
    if "*" in marks:
        parts.append(
            "`*` differs from chain-thaw by more than chance (approximate randomisation on the "
            "same test texts, the first seed of both, p < 0.05)"
        )
    if UNTESTED in marks:
        parts.append(f"`{UNTESTED}` was not tested for that")
    return "; ".join([*parts, "published figures were measured by others."])


def _marks(task: Report, systems: Sequence[str]) -> dict[str, str]:
    """By system, what stands behind its figure; nothing where there is nothing to compare with."""
    if "chain-thaw" not in task["systems"]:
        return {}
    against = (task["compared"] or {}).get("against", {})
    found: dict[str, str] = {}
    for system in systems:
        if system != "chain-thaw" and system in task["systems"]:
            tested = against.get(system)
            found[system] = UNTESTED if tested is None else "*" if tested["p"] < SURE else ""
    return found


def _row(name: str, task: Report, systems: Sequence[str]) -> list[str]:
    entries = {
        system: entry["measures"][task["measure"]] for system, entry in task["systems"].items()
    }
    cells = _cells(entries, systems, _marks(task, systems))
    return [name, measure_name(task["measure"]), percent(task["floor"]), *cells]


def _leak_free_row(name: str, task: Report, systems: Sequence[str]) -> list[str]:
    kept = task[LEAK_FREE]
    entries = {system: entry[LEAK_FREE] for system, entry in task["systems"].items()}
    label = f"{name}, {kept['rows']:,} rows without U+FE0F"
    return [label, measure_name(task["measure"]), percent(kept["floor"]), *_cells(entries, systems)]


def _mean_row(report: Report, systems: Sequence[str]) -> list[str]:
    means = report["averages"]
    count = len({_group(report, task) for task in means["tasks"]})
    label = f"mean of {count}"
    return [label, "", percent(means["floor"]), *_cells(means["systems"], systems)]


def _group(report: Report, task: str) -> str:
    groups = report["groups"].items()
    return next((name for name, group in groups if task in group["tasks"]), task)


def _seconds_row(report: Report, systems: Sequence[str]) -> list[str]:
    """Seconds over the same sets for all; a system that has few of the sets is left out."""
    tasks = report["tasks"]
    having = {
        system: {name for name, task in tasks.items() if system in task["systems"]}
        for system in systems
    }
    wide = [system for system in systems if 2 * len(having[system]) > len(tasks)]
    common = set(tasks).intersection(*(having[system] for system in wide))
    cells: list[str] = []
    for system in systems:
        found = [tasks[name]["systems"][system]["seconds"] for name in common if system in wide]
        cells.append(f"{sum(found) / len(found):,.0f}" if found else NONE)
    return [f"seconds a set (mean of {len(common)}), beside other work", "", "", *cells]


def _beside_paper(report: Report) -> str:
    methods = _present(report, METHODS)
    rows = []
    for name, task in report["tasks"].items():
        cells = []
        for method in methods:
            entry = task["systems"].get(method)
            own = figure(entry["measures"][task["measure"]]) if entry else NONE
            cells.append(f"{own} / {_published(task, method)}" if method in PUBLISHED else own)
        rows.append((name, percent(task["floor"]), *cells))
    return table(("set", "floor", *map(system_name, methods)), rows, "l" + "r" * (len(methods) + 1))


def _notes(report: Report) -> Iterator[str]:
    """What a reader has to know to read the figures right."""
    splits: dict[str, list[str]] = {}
    for name, task in report["tasks"].items():
        for each in task["published"]:
            if each["system"] in (*PUBLISHED, *TWEETEVAL) and each["split"] != "public":
                splits.setdefault(each["split"], []).append(name)
    for split, names in splits.items():
        listed = ", ".join(dict.fromkeys(names))
        yield f"Published figures of {listed} are on another split: {split}."
    differing = {
        name: each["measure"]
        for name, task in report["tasks"].items()
        for each in task["published"]
        if each["system"] in (*PUBLISHED, *TWEETEVAL) and each["measure"] != task["measure"]
    }
    for measure in sorted(set(differing.values())):
        listed = ", ".join(name for name, each in differing.items() if each == measure)
        yield f"Published figures of {listed} are in another measure: {measure_name(measure)}."
    for name, task in report["tasks"].items():
        leaky = [each for each in task["published"] if each["split"] == LEAK_FREE]
        for each in leaky:
            yield (
                f"The published predictions of {each['system'].partition(',')[0]} for {name} get "
                f"{_published(task, each['system'])} on all rows and "
                f"{published_percent(each)} on those without U+FE0F, the rest of an emoji "
                "that was cut out."
            )
    for name in report["not_public"]:
        yield f"The texts of {name} are not public."
    if _repeated(report):
        yield f"Test texts that stand in train or validation too: {_repeated(report)}."
    for name, task in report["tasks"].items():
        if "divided" in task["note"]:
            yield f"{name}: {task['note']}."
    yield f"Settings of every system were chosen by {report['selection']}, none on test."


def _repeated(report: Report) -> str:
    counts = {
        name: task["texts"]["test_also_in_train_or_validation"]
        for name, task in report["tasks"].items()
    }
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)


def _present(report: Report, systems: Sequence[str]) -> list[str]:
    tasks = report["tasks"].values()
    return [system for system in systems if any(system in task["systems"] for task in tasks)]


def _cells(
    entries: Mapping[str, Report],
    systems: Sequence[str],
    marks: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    best = _best([entries.get(system) for system in systems])
    return [_cell(entries.get(system), best) + marks.get(system, "") for system in systems]


def _cell(entry: Report | None, best: float) -> str:
    if entry is None:
        return NONE
    return f"**{figure(entry)}**" if entry["mean"] == best else figure(entry)


def _best(entries: Iterable[Report | None]) -> float:
    return max((entry["mean"] for entry in entries if entry), default=0.0)


def _published(task: Report, system: str) -> str:
    found = [each for each in task["published"] if each["system"] == system]
    return published_percent(found[0]) if found else NONE


def _value(figures: Iterable[Report]) -> str:
    return published_percent(next(each for each in figures if each["system"] == "chain-thaw"))


def _runs(report: Report) -> str:
    counts = {
        len(entry["seeds"])
        for task in report["tasks"].values()
        for entry in task["systems"].values()
    }
    most = max(counts)
    return f"up to {most} runs (one of what knows no chance)" if most > 1 else "one run"
