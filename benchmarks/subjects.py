"""What the faults are tried on: commands on a little real data, and what they leave when done."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.record import shared
from deepmoji.scoring.writing import SEGMENT_ROWS

NAMES = ("corpus build", "score", "pretrain", "benchmark run")
POSTS = 30_000
_FILES = 6  # that the posts are spread over
_SETS = ("SE0714", "SS-Youtube")
# Of records: what two runs of the same work need not have in common.
_TIMES = {
    "agreement_with_torch",  # rounding errors
    "date",
    "files_done_before",
    "machines",
    "peak_memory_gb",
    "peak_memory_mb",
    "posts_per_second",
    "seconds",
    "texts_per_second",
    "workers",
}
# Measured by arithmetic whose last digits depend on how busy the machine is.
_MEASURED = {"calibration", "scores"}
_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A command whose output goes into one folder.

    Attributes:
        name: of the command.
        arguments: without the folder it writes, which ``--out`` names.
        here: further ones of a run on this machine.
        task: the function of its tasks on Ray, if it runs there too.
        inputs: the files that it reads, if any may be damaged.
        beside: endings of folders beside the output that belong to it.
    """

    name: str
    arguments: Sequence[str | Path]
    here: Sequence[str] = field(default=())
    task: str = ""
    inputs: Sequence[Path] = field(default=())
    beside: Sequence[str] = field(default=())

    def command(self, out: Path, cluster: str | None = None) -> list[str]:
        """Return the command line that writes to a folder, on a Ray cluster if one is named."""
        where = self.here if cluster is None else ("--runner", "ray", "--address", cluster)
        arguments = [str(each) for each in (*self.arguments, *where)]
        return [sys.executable, "-m", "deepmoji", *arguments, "--out", str(out)]


def outcome(out: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that a command left for its user, by name.

    Records are compared without the times they hold, and what was measured of a finished model to
    four digits; pages made of them are left out. Hidden files are the command's own.
    """
    found: dict[str, str] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        if not path.is_file() or path.suffix == ".md" or any(p[0] == "." for p in name.parts):
            continue
        content = path.read_bytes()
        if path.suffix == ".json":
            content = json.dumps(_timeless(json.loads(content)), sort_keys=True).encode()
        found[name.as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def leftovers(out: Path, beside: Sequence[str]) -> list[str]:
    """Return what no finished run may leave: files of writers that were killed."""
    folders = [out, *(out.with_name(out.name + ending) for ending in beside)]
    return sorted(each.name for folder in folders for each in folder.rglob(".*.partial"))


def prepare(work: Path) -> list[Subject]:
    """Make the inputs, and return the commands that are tried.

    Args:
        work: an empty folder.
    """
    files, long = _posts(work / "posts"), work / "long.parquet"
    _long(long)
    corpus, model = work / "corpus", work / "model"
    build: list[str | Path] = ["corpus", "build", work / "posts"]
    build += ["--per-emoji", "5", "--natural", "200", "--vocabulary-size", "5000"]
    train: list[str | Path] = ["pretrain", corpus, "--processes", "2", "--units", "32"]
    train += ["--embedding-size", "32", "--batch-size", "32", "--warmup", "10"]
    train += ["--checkpoint-every", "20", "--evaluate-every", "100"]
    _run([*build, "--out", corpus])
    _run([*train, "--epochs", "0.3", "--out", model])
    score: list[str | Path] = ["score", long, work / "posts", "--model", model]
    cells: list[str | Path] = ["benchmark", "run", "--suite", "paper", "--base", model]
    cells += ["--tasks", ",".join(_SETS), "--methods", "constant,tfidf,last", "--seeds", "2"]
    cells += ["--data", work / "data", "--processes", "2"]
    workers = ("--workers", "2")
    pairs = sorted((corpus / "train").glob("*.parquet"))
    return [
        Subject(name="corpus build", arguments=build, here=workers, task="run_stage", inputs=files),
        Subject(name="score", arguments=score, here=workers, task="score_part", inputs=files),
        Subject(
            name="pretrain", arguments=[*train, "--epochs", "1"], beside=[".training"], inputs=pairs
        ),
        Subject(name="benchmark run", arguments=cells, inputs=_sets(work / "data" / "paper")),
    ]


@contextmanager
def put_back(path: Path, folder: Path) -> Generator[None]:
    """Let an input be damaged or removed meanwhile.

    Args:
        path: of the input.
        folder: for a copy of it.
    """
    copy = folder / "copy"
    shutil.copy2(path, copy)
    try:
        yield
    finally:
        shutil.copy2(copy, path)


def _posts(folder: Path) -> list[Path]:
    """Write the first of the shared posts as several files."""
    folder.mkdir()
    with pq.ParquetFile(shared("corpus", "posts-00.parquet")) as source:
        table = next(source.iter_batches(POSTS))
    size = POSTS // _FILES
    paths = [folder / f"{number}.parquet" for number in range(_FILES)]
    for number, path in enumerate(paths):
        with pq.ParquetWriter(path, table.schema) as writer:
            writer.write_batch(table.slice(number * size, size))
    return paths


def _long(path: Path) -> None:
    """Write one file of which scoring keeps three segments on the way."""
    rows = 0
    with (
        pq.ParquetFile(shared("corpus", "posts-01.parquet")) as source,
        pq.ParquetWriter(path, source.schema_arrow) as writer,
    ):
        for batch in source.iter_batches(SEGMENT_ROWS):
            writer.write_batch(batch)
            rows += len(batch)
            if rows > 3 * SEGMENT_ROWS:
                break


def _sets(folder: Path) -> list[Path]:
    """Copy sets of the paper."""
    folder.mkdir(parents=True)
    paths = [folder / f"{name}.parquet" for name in _SETS]
    for path in paths:
        path.write_bytes(shared("benchmarks", "paper", path.name).read_bytes())
    return paths


def _run(arguments: Sequence[str | Path]) -> None:
    command = [sys.executable, "-m", "deepmoji", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _timeless(value: Any, *, digits: int | None = None) -> Any:
    if isinstance(value, dict):
        return {
            key: _timeless(each, digits=_DIGITS if key in _MEASURED else digits)
            for key, each in value.items()
            if key not in _TIMES
        }
    if isinstance(value, list):
        return [_timeless(each, digits=digits) for each in value]
    if isinstance(value, float) and digits is not None:
        return float(f"{value:.{digits}g}")
    return value
