"""`deepmoji benchmark`: systems side by side on public data sets, and how they stand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from deepmoji.benchmark.suites import SUITES, Suite, default_data
from deepmoji.errors import DeepmojiError, InputError, require

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Compare ways of learning from few labels, on public data sets.",
)

# Of `deepmoji.benchmark.systems`, which to import takes the libraries of an extra.
METHODS = (
    "constant", "vader", "tfidf", "fasttext", "minilm", "encodings-tfidf", "last", "last-ovr",
    "encodings-trees", "plain-lstm", "new", "full", "gradual", "chain-thaw", "chain-thaw-ovr",
)  # fmt: skip
_CURVE_METHODS = ("tfidf", "minilm", "last", "chain-thaw")
_CURVE_TASKS: dict[Suite, tuple[str, ...]] = {
    "paper": ("SS-Youtube", "PsychExp", "SCv2-GEN"),
    "tweeteval": ("emotion", "irony", "hate"),
}

_Suite = Annotated[Suite, typer.Option(help="The sets of DeepMoji's paper, or TweetEval.")]
_Data = Annotated[
    Path | None,
    typer.Option(
        help="The folder of the data sets (docs/benchmark.md).  "
        r"\[default: benchmarks in DEEPMOJI_SHARED, or benchmarks-data]",
    ),
]
_Out = Annotated[Path, typer.Option(help="Where the answers are kept.")]
_Tasks = Annotated[
    list[str] | None,
    typer.Option(
        help="Data sets, separated by commas; may be repeated. "
        + " ".join(
            f"Of {suite}: {', '.join(each.name for each in sets)}."
            for suite, sets in SUITES.items()
        ),
        metavar="NAMES",
        show_default=False,
    ),
]
_Methods = Annotated[
    list[str] | None,
    typer.Option(
        help=f"Systems, separated by commas; may be repeated. Of {', '.join(METHODS)}.",
        metavar="NAMES",
        show_default=False,
    ),
]
_Seeds = Annotated[int, typer.Option(help="How many, from 0 on.", min=1)]
_FirstSeed = Annotated[
    int, typer.Option(help="The first of them, where another machine has those before.", min=0)
]
_Base = Annotated[
    Path | None,
    typer.Option(
        help=r"The model that transfer starts from, or a shipped one's name.  \[default: default]"
    ),
]
_Processes = Annotated[
    int | None, typer.Option(help="Cells side by side, one thread each; by default all cores.")
]
_Results = Annotated[Path | None, typer.Option(help="Write the results there, as JSON.")]
_Plot = Annotated[Path | None, typer.Option(help="Write a plot, as this with .png and .svg.")]
_OUT = Path("runs/benchmark")


@app.command("run")
def run_command(
    suite: _Suite,
    tasks: _Tasks = None,
    methods: _Methods = None,
    seeds: _Seeds = 5,
    first_seed: _FirstSeed = 0,
    data: _Data = None,
    out: _Out = _OUT,
    base: _Base = None,
    processes: _Processes = None,
) -> None:
    """Fit systems, all by default, and keep their answers. Stopped and run again, it goes on.

    Example: [bold]deepmoji benchmark run --suite paper --methods tfidf,last --seeds 1[/bold]
    """
    _require()
    from deepmoji.benchmark.job import Base, plan
    from deepmoji.benchmark.tasks import load_tasks

    systems = _systems(methods)
    loaded = load_tasks(suite, data or default_data(), _names(tasks))
    for task in loaded:
        if task.note:
            typer.echo(f"{task.name}: {task.note}", err=True)
    jobs = plan(loaded, systems, seeds=seeds, first_seed=first_seed, base=Base.of(base))
    if not jobs:
        raise InputError(
            f"nothing is to be computed from seed {first_seed} on: a system that knows no chance "
            "has seed 0 alone, and VADER is for sets of sentiment"
        )
    _run(jobs, out, processes)
    typer.echo(f"Next: deepmoji benchmark report --suite {suite} --out {out}")


@app.command("report")
def report_command(
    suite: _Suite,
    data: _Data = None,
    out: _Out = _OUT,
    results: _Results = None,
    plot: _Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Mark the answers that are kept: every measure, beside published figures.

    Example: [bold]deepmoji benchmark report --suite paper --plot scores[/bold]
    """
    _require()
    from deepmoji.benchmark.earlier import left_out, read_earlier
    from deepmoji.benchmark.report import suite_report
    from deepmoji.benchmark.tasks import load_tasks, published_sets

    before = read_earlier(results, suite)
    told: Any = before.get("tasks", {})
    sets = [each.name for each in published_sets(suite)]
    answered = [name for name in sets if (out / suite / name).is_dir()]
    if not answered:
        raise InputError(
            f"{out} holds no answers to {suite}; run: deepmoji benchmark run --suite {suite} "
            f"--out {out}"
        )
    names = [name for name in sets if name in answered or name in told]
    report = suite_report(load_tasks(suite, data or default_data(), names), out, before)
    for name, systems in report["taken_over"].items():
        typer.echo(f"{name}: with figures of {results}: {', '.join(systems)}", err=True)
    for name, systems in left_out(before, report).items():
        seeds = "; ".join(f"{each} {', '.join(map(str, lost))}" for each, lost in systems.items())
        typer.echo(
            f"{name}: figures of {results} that are of other data, of other settings or of another "
            f"pretrained model, and no longer count, by seed: {seeds}",
            err=True,
        )
    _show(report, results=results, plot=plot, as_json=as_json)


@app.command("curve")
def curve_command(
    tasks: _Tasks = None,
    methods: _Methods = None,
    sizes: Annotated[
        str, typer.Option(help="Training texts, separated by commas; all: as many as there are.")
    ] = "10,30,100,300,all",
    suite: _Suite = "paper",
    seeds: _Seeds = 5,
    data: _Data = None,
    out: _Out = _OUT,
    base: _Base = None,
    processes: _Processes = None,
    results: _Results = None,
    plot: _Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit systems on ever more training texts, and draw what each number of texts gives.

    By default tfidf, minilm, last and chain-thaw, on three sets of the suite.

    Example: [bold]deepmoji benchmark curve --tasks SS-Youtube --plot curve[/bold]
    """
    _require()
    from deepmoji.benchmark.curve import CurvePlan, size_named
    from deepmoji.benchmark.earlier import read_earlier
    from deepmoji.benchmark.job import Base
    from deepmoji.benchmark.report import CURVE, curve_report
    from deepmoji.benchmark.tasks import load_tasks

    plan = CurvePlan(
        tasks=load_tasks(suite, data or default_data(), _names(tasks) or _CURVE_TASKS[suite]),
        systems=_systems(methods or _CURVE_METHODS),
        sizes=[size_named(each) for each in _names([sizes]) or []],
        seeds=seeds,
    )
    read_earlier(results, CURVE)  # nothing else is to be overwritten
    for name, large in plan.too_large().items():
        listed = ", ".join(f"{size:,}" for size in large)
        typer.echo(f"{name} has too few training texts for: {listed}", err=True)
    jobs = plan.jobs(Base.of(base))
    if not jobs:
        raise InputError("there is nothing to compute: no set has so many training texts")
    _run(jobs, out, processes)
    _show(curve_report(plan.tasks, out), results=results, plot=plot, as_json=as_json)


@app.command("check")
def check_command(suite: _Suite, data: _Data = None) -> None:
    """Say which data sets are there, and what is wrong with those that are not as expected.

    Example: [bold]deepmoji benchmark check --suite tweeteval[/bold]
    """
    _require()
    from deepmoji.benchmark.tasks import load_task, published_sets

    folder = data or default_data()
    wrong = 0
    for published in published_sets(suite):
        try:
            task = load_task(suite, folder, published)
        except InputError as error:
            wrong += 1
            typer.echo(f"{published.name}: {error}")
            continue
        sizes = ", ".join(
            f"{len(split):,} {name}"
            for name, split in (
                ("train", task.train),
                ("validation", task.validation),
                ("test", task.test),
            )
        )
        typer.echo(f"{published.name}: {sizes}{f' ({task.note})' if task.note else ''}")
    if wrong:
        raise InputError(f"{wrong} of the sets of {suite} are not in {folder} as expected")


def _run(jobs: Sequence[Any], out: Path, processes: int | None) -> None:
    from deepmoji.benchmark.runner import run
    from deepmoji.cli.cells import show_cells

    shown = show_cells()
    try:
        failures = run(jobs, out, processes=processes, progress=shown)
    finally:
        shown.close()
    if failures:
        for failure in failures:
            typer.echo(f"{failure.job}: {failure.why} (log: {failure.log})", err=True)
        raise DeepmojiError(
            f"{len(failures)} of {len(jobs)} cells failed; the others are kept, and the same "
            "command tries these again"
        )


def _systems(methods: Sequence[str] | None) -> list[Any]:
    from deepmoji.benchmark.systems import SYSTEMS

    names = _names(methods) or list(SYSTEMS)
    for name in names:
        if name not in SYSTEMS:
            raise InputError(f"there is no method {name!r}; there are {', '.join(SYSTEMS)}")
    return [system for name, system in SYSTEMS.items() if name in names]


def _names(values: Sequence[str] | None) -> list[str] | None:
    """Return the names in options that hold several, separated by commas; None for no option.

    Raises:
        InputError: if an option is given and names nothing, as an unset variable of a shell does.
    """
    if not values:
        return None
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    if not names:
        raise InputError(f"expected names, separated by commas, got {', '.join(values)!r}")
    return list(dict.fromkeys(names))


def _show(report: Any, *, results: Path | None, plot: Path | None, as_json: bool) -> None:
    from deepmoji.files import write_json

    if results is not None:
        write_json(results, report)
    if plot is not None:
        from deepmoji.benchmark.plots import plot_report

        plot_report(report, plot)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        from rich.console import Console

        from deepmoji.benchmark.terminal import tables

        for table in tables(report):
            Console().print(table)


def _require() -> None:
    for module in ("sklearn", "pyarrow"):
        require(module, "eval")
