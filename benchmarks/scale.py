"""How cost grows with the number of posts: corpus build, scoring and training, cores and Ray nodes.

python -m benchmarks.scale                       # hours; rows that are there already are kept
python -m benchmarks.scale --steps build,score --sizes 10000,100000 --again
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks.record import RESULTS, ROOT, machine, write
from benchmarks.score import copy_posts, resident
from deepmoji.machine import available_cores
from tests.helpers.raycluster import started

SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
# What is measured, each up to so many rows.
STEPS = {
    "build": 3_000_000,
    "score": 3_000_000,
    "train": 3_000_000,
    "build on Ray": 3_000_000,
    "score on Ray": 100_000,
}
_COMMANDS = {"build": ["corpus", "build"], "score": ["score"]}
ON_RAY = " on Ray"  # the cores are nodes with a core each, all on this machine
PART = 100_000  # posts of a file
PLOT = ROOT / "docs" / "images" / "scale.png"
_TRAINED = 30  # steps: what one costs does not change after the first ones
_BATCH = 256
_HELD_OUT = ("--per-emoji", 5, "--natural", 200)  # a little: evaluation is not what is measured
_INTERVAL = 0.2  # seconds
_NEARLY = 0.1  # files of a long run do not end at a round number
_FILES_ON_RAY = 8  # a file is a task


@dataclass(frozen=True, kw_only=True)
class Row:
    """One run: a step on so many rows with so many cores."""

    step: str
    size: int
    cores: int

    @property
    def key(self) -> dict[str, Any]:
        return {"step": self.step, "size": self.size, "cores": self.cores}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("--steps", default=",".join(STEPS), help="separated by commas")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--cores", default=",".join(map(str, range(1, available_cores() + 1))))
    parser.add_argument("--again", action="store_true", help="measure rows that are there anew")
    options = parser.parse_args()
    path = RESULTS / "scale.json"
    before = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    kept = before.get("rows", []) if before.get("machine") == machine() else []
    wanted = [
        Row(step=step, size=int(size), cores=int(cores))
        for step in options.steps.split(",")
        for size in options.sizes.split(",")
        for cores in options.cores.split(",")
        if int(size) <= STEPS[step]
    ]
    rows = [row for row in kept if not (options.again and _is_among(row, wanted))]
    there = [Row(**{name: row[name] for name in ("step", "size", "cores")}) for row in rows]
    long_run = [row for row in scored(RESULTS / "score.json") if not _is_among(row, there)]
    rows += [row for row in long_run if not (options.again and _is_among(row, wanted))]
    with tempfile.TemporaryDirectory() as name:
        for each in wanted:
            if not any(each.key.items() <= row.items() for row in rows):
                rows.append(each.key | measure(each, Path(name)))
                write("scale", {"rows": _in_order(rows)})
    write("scale", {"rows": _in_order(rows)})
    plot(_in_order(rows), PLOT)


def _in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    steps = list(STEPS)
    return sorted(rows, key=lambda row: (steps.index(row["step"]), row["cores"], row["size"]))


def scored(path: Path) -> list[dict[str, Any]]:
    """Return the rows that `benchmarks.score` measured on this machine: one long run tells several.

    Args:
        path: of what it measured.
    """
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if found.get("machine") != machine():
        return []
    rows: list[dict[str, Any]] = []
    for size in SIZES:
        near = [each for each in found["finished"] if abs(each["rows"] / size - 1) < _NEARLY]
        rows.extend(
            {
                **Row(step="score", size=size, cores=found["cores"]).key,
                "rows": each["rows"],
                "seconds": each["seconds"],
                "per_second": round(each["rows"] / each["seconds"], 1),
                "peak_memory_mb": each["peak_memory_mb"],
                "from": "benchmarks.score",
            }
            for each in near[:1]
        )
    return rows


def _is_among(row: dict[str, Any], wanted: Sequence[Row]) -> bool:
    return any(each.key.items() <= row.items() for each in wanted)


def measure(row: Row, work: Path) -> dict[str, Any]:
    """Run a command as a user does, on the first so many cores."""
    print(f"measuring: {row.step} of {row.size:,} on {row.cores}", file=sys.stderr)
    out = work / f"{row.step}-{row.size}-{row.cores}"
    if row.step == "train":
        return _measure_training(row, work, out)
    if row.step.endswith(ON_RAY):
        return _measure_on_ray(row, work, out)
    command = [*_COMMANDS[row.step], _posts(work, row.size), "--workers", row.cores]
    seconds, peak = watch([*command, "--out", out], row.cores)
    return {
        "seconds": round(seconds, 1),
        "per_second": round(row.size / seconds, 1),
        "peak_memory_mb": round(peak / 1e6),
    }


def _measure_training(row: Row, work: Path, out: Path) -> dict[str, Any]:
    """Train some steps on the pairs of so many posts."""
    folder = work / f"corpus-{row.size}"
    if not folder.exists():
        build = ["corpus", "build", _posts(work, row.size), *_HELD_OUT]
        watch([*build, "--out", folder], available_cores())
    pairs = json.loads((folder / "report.json").read_text("utf-8"))["pairs"]["train"]
    command = ["pretrain", folder, "--epochs", _TRAINED * _BATCH / pairs, "--warmup", 10]
    command += ["--processes", row.cores, "--batch-size", _BATCH, "--max-tokens", 40]
    _, peak = watch([*command, "--out", out], row.cores)
    record = json.loads((out / "training.json").read_text("utf-8"))
    texts = record["steps"] * _BATCH
    return {
        "pairs": pairs,
        "seconds": record["seconds"],
        "per_second": round(texts / record["seconds"], 1),
        "peak_memory_mb": round(peak / 1e6),
    }


def _measure_on_ray(row: Row, work: Path, out: Path) -> dict[str, Any]:
    """Use a cluster that is there already; the memory of its tasks is not measured."""
    posts = _posts(work, row.size, row.size // _FILES_ON_RAY)
    with started(row.cores) as nodes:
        command = [*_COMMANDS[row.step.removesuffix(ON_RAY)], posts, "--runner", "ray"]
        seconds, _ = watch([*command, "--address", nodes.address, "--out", out], available_cores())
    return {"seconds": round(seconds, 1), "per_second": round(row.size / seconds, 1)}


def watch(arguments: Sequence[object], cores: int) -> tuple[float, int]:
    """Return the seconds of a command, and the most memory that its processes had, bytes."""
    command = [sys.executable, "-m", "deepmoji", *map(str, arguments)]
    begun, peak = time.perf_counter(), 0
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, range(cores)),
    ) as process:
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(_INTERVAL)
    if process.returncode:
        sys.exit(process.returncode)
    return time.perf_counter() - begun, peak


def _posts(work: Path, size: int, part: int = PART) -> Path:
    folder = work / f"posts-{size}-{part}"
    if not folder.exists():
        copy_posts(folder, size, part)
    return folder


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw rates and memory against size, both axes logarithmic."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
    for name, points in _lines(rows):
        sizes = [point["size"] for point in points]
        left.plot(sizes, [point["per_second"] for point in points], marker="o", label=name)
        if all("peak_memory_mb" in point for point in points):
            right.plot(sizes, [point["peak_memory_mb"] for point in points], marker="o")
        else:
            right.plot([], [])  # the next line's colour is that of the left side
    left.set(xlabel="posts", ylabel="a second", xscale="log", yscale="log")
    right.set(xlabel="posts", ylabel="peak memory, MB", xscale="log")
    right.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _lines(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    keys = dict.fromkeys((row["step"], row["cores"]) for row in rows)
    for step, cores in keys:
        points = [row for row in rows if (row["step"], row["cores"]) == (step, cores)]
        what = "node" if step.endswith(ON_RAY) else "core"
        yield f"{step}, {cores} {what}{'s' if cores > 1 else ''}", points


if __name__ == "__main__":
    main()
