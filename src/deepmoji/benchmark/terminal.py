"""Reports as tables in the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from deepmoji.benchmark.published import GROUPS, LEAK_FREE
from deepmoji.benchmark.wording import figure, measure_name, p_value, percent, published_percent

Report = Mapping[str, Any]


def tables(report: Report) -> Iterator[Table]:
    """Yield what a person wants to see of a report: tables of each task, then the averages.

    Args:
        report: of ``report.suite_report`` or ``report.curve_report``.
    """
    for name, task in report["tasks"].items():
        if report["suite"] == "curve":
            yield _curve(name, task)
        else:
            yield _standings(name, task)
            if task["published"]:
                yield _published(f"{name}: published, not measured here", task)
    if report.get("averages"):
        yield _averages(report)
    for name, figures in report.get("not_public", {}).items():
        task = {"measure": figures[0]["measure"], "floor": None, "published": figures}
        yield _published(f"{name}: published; its texts are not public", task)


def _table(title: str, columns: Sequence[str], caption: str | None = None) -> Table:
    table = Table(
        title=title,
        caption=f"{caption}\n" if caption else None,  # a blank line before the next table
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in columns:
        words = column in ("system", "measure", "split")
        table.add_column(column, justify="left" if words else "right", no_wrap=column != "split")
    return table


def _standings(name: str, task: Report) -> Table:
    title = f"{name}: {measure_name(task['measure'])}, {task['texts']['test']:,} test texts, in %"
    # With several labels the class-average F1 is the macro-F1.
    same = {task["measure"], "macro_f1" if task["kind"] == "multi" else ""}
    others = [name for name in ("accuracy", "macro_f1") if name not in same]
    columns = ("figure", "floor", *map(measure_name, others), "runs", "seconds", "p")
    table = _table(title, ("system", *columns), _caption(task))
    floor, against = percent(task["floor"]), (task["compared"] or {}).get("against", {})
    for system, entry in task["systems"].items():
        measures = entry["measures"]
        table.add_row(
            system,
            figure(measures[task["measure"]]),
            floor,
            *(figure(measures.get(name)) for name in others),
            str(len(entry["seeds"])),
            f"{entry['seconds']:,.1f}",
            p_value(against.get(system)),
        )
        if LEAK_FREE in entry:
            lower = percent(task[LEAK_FREE]["floor"])
            table.add_row("  without U+FE0F", figure(entry[LEAK_FREE]), lower)
    return table


def _caption(task: Report) -> str:
    texts = task["texts"]
    lines = [
        f"{texts['train']:,} texts to train, {texts['validation']:,} to validate; "
        f"{texts['test_also_in_train_or_validation']:,} of the test texts stand there too.",
        f"The floor is the best constant answer: {task['floor_answer']}.",
    ]
    if task["compared"]:
        lines.append(
            "p: that chain-thaw differs as much by chance (approximate randomisation, "
            f"seed {task['compared']['seed']} of both)."
        )
    return "\n".join(lines)


def _published(title: str, task: Report) -> Table:
    table = _table(title, ("system", "figure", "floor", "measure", "split"))
    floor: float | None = task["floor"]
    for each in task["published"]:
        own = each["measure"] == task["measure"]
        table.add_row(
            each["system"],
            published_percent(each),
            percent(floor) if own and floor is not None else "",
            measure_name(each["measure"]),
            each["split"],
        )
    return table


def _averages(report: Report) -> Table:
    averages = report["averages"]
    caption = f"Of {', '.join(averages['tasks'])}."
    if any(task in GROUPS for task in averages["tasks"]):
        caption += " Sets of stance count as one."
    table = _table(f"{report['suite']}: mean over the suite, in %", ("system", "mean"), caption)
    table.add_row("floor", percent(averages["floor"]))
    for system, entry in averages["systems"].items():
        table.add_row(system, figure(entry))
    table.add_section()
    for system, value in report["published_averages"].items():
        table.add_row(f"{system} (published)", percent(value))
    return table


def _curve(name: str, task: Report) -> Table:
    sizes = sorted({point["texts"] for points in task["systems"].values() for point in points})
    table = _table(
        f"{name}: accuracy by the number of training texts, in %",
        ("system", *(f"{size:,}" for size in sizes)),
        f"The floor is {percent(task['floors']['accuracy'])}.",
    )
    for system, points in task["systems"].items():
        found = {point["texts"]: figure(point["measures"]["accuracy"]) for point in points}
        table.add_row(system, *(found.get(size, "") for size in sizes))
    return table
