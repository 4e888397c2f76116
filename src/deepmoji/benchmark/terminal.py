"""Reports as tables in the terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from deepmoji.benchmark.published import LEAK_FREE
from deepmoji.benchmark.wording import figure, measure_name, p_value, percent

Report = Mapping[str, Any]


def tables(report: Report) -> Iterator[Table]:
    """Yield what a person wants to see of a report: a table a task, then the averages.

    Args:
        report: of ``report.suite_report`` or ``report.curve_report``.
    """
    make = _curve if report["suite"] == "curve" else _standings
    for name, task in report["tasks"].items():
        yield make(name, task)
    if report.get("averages"):
        yield _averages(report)


def _standings(name: str, task: Report) -> Table:
    texts = task["texts"]
    table = Table(
        title=f"{name}: {measure_name(task['measure'])} in %, {texts['test']:,} test texts",
        title_justify="left",
        caption=_caption(task),
        caption_justify="left",
    )
    columns = ("", "figure", "floor", "accuracy", "macro-F1", "seeds", "seconds", "p")
    for column in columns:
        table.add_column(column, justify="left" if not column else "right")
    floor, against = percent(task["floor"]), (task["compared"] or {}).get("against", {})
    for system, entry in task["systems"].items():
        measures = entry["measures"]
        table.add_row(
            system,
            figure(measures[task["measure"]]),
            floor,
            figure(measures.get("accuracy")),
            figure(measures.get("macro_f1")),
            str(len(entry["seeds"])),
            f"{entry['seconds']:,.1f}",
            p_value(against.get(system)),
        )
        if LEAK_FREE in entry:
            lower = percent(task[LEAK_FREE]["floor"])
            table.add_row("  rows without U+FE0F", figure(entry[LEAK_FREE]), lower)
    table.add_section()
    for each in task["published"]:
        named = f"{each['system']} (published)"
        own = each["measure"] == task["measure"]
        value = percent(each["value"])
        shown = value if own else f"{value} {measure_name(each['measure'])}"
        table.add_row(named, shown, floor if own else "", style="dim")
    return table


def _caption(task: Report) -> str:
    texts = task["texts"]
    lines = [
        f"{texts['train']:,} texts to train, {texts['validation']:,} to validate; "
        f"{texts['test_also_in_train_or_validation']:,} of the test texts stand there too.",
        f"The floor is the best constant answer: {task['floor_answer']}.",
    ]
    if task["compared"]:
        lines.append("p: that chain-thaw differs so much by chance, by approximate randomisation.")
    splits = sorted({each["split"] for each in task["published"]} - {"public"})
    if splits:
        lines.append(f"Published figures are on other splits: {'; '.join(splits)}.")
    return "\n".join(lines)


def _averages(report: Report) -> Table:
    averages = report["averages"]
    table = Table(
        title=f"{report['suite']}: mean over the suite in %",
        title_justify="left",
        caption=f"Of {', '.join(averages['tasks'])}; stance counts once.",
        caption_justify="left",
    )
    table.add_column("")
    table.add_column("mean", justify="right")
    for system, entry in averages["systems"].items():
        table.add_row(system, figure(entry))
    table.add_section()
    for system, value in report["published_averages"].items():
        table.add_row(f"{system} (published)", percent(value), style="dim")
    return table


def _curve(name: str, task: Report) -> Table:
    table = Table(
        title=f"{name}: accuracy in % by the number of training texts",
        title_justify="left",
        caption=f"The floor is {percent(task['floors']['accuracy'])}.",
        caption_justify="left",
    )
    sizes = sorted({point["texts"] for points in task["systems"].values() for point in points})
    table.add_column("")
    for size in sizes:
        table.add_column(f"{size:,}", justify="right")
    for system, points in task["systems"].items():
        found = {point["texts"]: figure(point["measures"]["accuracy"]) for point in points}
        table.add_row(system, *(found.get(size, "") for size in sizes))
    return table
