"""Scoring files beside `Predictor.scores` in the same run: rows a second, cores busy, memory.

python -m benchmarks.score               # 3,000,000 posts: takes all cores for an hour or more
python -m benchmarks.score --rows 100000 --single --encode --out FILE
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.record import machine, shared, write
from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.inference.predictor import Predictor
from deepmoji.machine import available_cores

ROWS = 3_000_000
SAMPLE = 200_000
PART = 500_000  # rows of a file
_INTERVAL = 0.5  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.score")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="texts of the baseline")
    parser.add_argument("--single", action="store_true", help="all rows in one file")
    parser.add_argument("--encode", action="store_true")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--out", type=Path, help="write there, not among the results")
    options = parser.parse_args()
    predictor = Predictor(Bundle.open(options.model))
    # A folder on the disk of the posts' copies and the scores, not in memory.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_posts(folder / "posts", options.rows, options.rows if options.single else PART)
        texts = sample(folder / "posts", options.rows, options.sample)
        baseline = [rate(predictor, texts)]
        measured = measure(folder, options.model, encode=options.encode)
        # Before and after: what else the machine does meanwhile meets both.
        baseline.append(rate(predictor, texts))
        report = measured.pop("report")
    expected = sum(baseline) / len(baseline)
    found = report["rows_now"] / measured["seconds"]
    result: dict[str, Any] = {
        "versions": {
            "python": platform.python_version(),
            "onnxruntime": ort.__version__,
            "pyarrow": pa.__version__,
        },
        "model": "shipped" if options.model == SHIPPED else options.model.name,
        "rows": report["rows_now"],
        "files": report["parts"],
        "encode": options.encode,
        "cores": available_cores(),
        **measured,
        "rows_per_second": round(found, 1),
        "baseline": {
            "is": "Predictor.scores of a list in memory, on all cores, before and after",
            "texts": len(texts),
            "texts_per_second": [round(each, 1) for each in baseline],
        },
        "ratio_to_baseline": round(found / expected, 3),
    }
    if options.out is None:
        write("score", result)
        return
    text = json.dumps({"machine": machine(), **result}, ensure_ascii=False, indent=1)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def copy_posts(folder: Path, rows: int, part: int) -> None:
    """Write the first rows of the shared posts, so many in each file."""
    folder.mkdir()
    batches = rows_of(sorted(shared("corpus").glob("*.parquet")), rows, min(part, 50_000))
    writer, written, number = None, part, 0
    for batch in batches:
        if written >= part:
            if writer is not None:
                writer.close()
            writer = pq.ParquetWriter(folder / f"posts-{number:02}.parquet", batch.schema)
            written, number = 0, number + 1
        assert writer is not None  # noqa: S101 - for the type checker
        writer.write_batch(batch)
        written += batch.num_rows
    if writer is not None:
        writer.close()


def rows_of(files: list[Path], rows: int, size: int) -> Iterator[pa.RecordBatch]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(size):
                if rows <= 0:
                    return
                yield batch.slice(0, rows).replace_schema_metadata()
                rows -= batch.num_rows


def sample(folder: Path, rows: int, count: int) -> list[str]:
    """Texts from everywhere in the posts."""
    step = max(1, rows // count)
    texts: list[str] = []
    for path in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(50_000, columns=["text"]):
                texts += (text or "" for text in batch.column(0).to_pylist()[::step])
    return texts[:count]


def rate(predictor: Predictor, texts: list[str]) -> float:
    begun = time.perf_counter()
    predictor.scores(texts)
    return len(texts) / (time.perf_counter() - begun)


def measure(folder: Path, model: Path, *, encode: bool) -> dict[str, Any]:
    """Run the command as a user does: seconds, cores busy, the peak memory of all its processes."""
    out = folder / "scored"
    command = [sys.executable, "-m", "deepmoji", "score", folder / "posts", "--out", out, "--json"]
    command += ["--model", model] if model != SHIPPED else []
    command += ["--encode"] if encode else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    peak = 0
    finished: list[dict[str, Any]] = []
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        running = True
        while running:  # what it prints at its end fits into the pipe
            running = process.poll() is None
            peak = max(peak, resident(process.pid))
            parts = sorted(out.glob("*.parquet"))
            if len(parts) > len(finished):
                spent = time.perf_counter() - begun
                finished.append({"rows": rows_in(parts)} | _spent(spent, peak))
            time.sleep(_INTERVAL)
        report, _ = process.communicate()
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.exit(process.returncode)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "report": json.loads(report),
        **_spent(seconds, peak),
        "cores_busy": round(worked / seconds, 2),
        "finished": finished,
        "written_mb": round(sum(path.stat().st_size for path in out.glob("*.parquet")) / 1e6),
    }


def rows_in(parts: Sequence[Path]) -> int:
    return sum(pq.read_metadata(part).num_rows for part in parts)


def _spent(seconds: float, peak: int) -> dict[str, Any]:
    return {"seconds": round(seconds, 1), "peak_memory_mb": round(peak / 1e6)}


def resident(pid: int) -> int:
    """Bytes of memory of a process and its children; pages that they share count for each."""
    total = 0
    try:
        own = psutil.Process(pid)
        for process in [own, *own.children(recursive=True)]:
            total += process.memory_info().rss
    except psutil.Error:  # it ended meanwhile
        pass
    return total


if __name__ == "__main__":
    main()
