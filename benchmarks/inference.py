"""What a prediction costs: cold start, memory, installed size, throughput of `scores`.

python -m benchmarks.inference             # the shipped model
python -m benchmarks.inference --model DIR --texts 10000 --out FILE
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from benchmarks.record import ROOT, machine, tweets, write
from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.inference.engine import CHUNK
from deepmoji.inference.predictor import Predictor
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN

STARTS = 9
ROUNDS = 3
NOT_OURS = ("pip", "setuptools", "wheel", "_distutils_hack", "distutils-precedence")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--out", type=Path, help="write there, not among the results")
    parser.add_argument("--no-install", action="store_true", help="cold start in this environment")
    options = parser.parse_args()
    texts = real_texts(options.texts)
    with tempfile.TemporaryDirectory() as folder:
        # A fresh base install: extras that happen to be here would change start and size alike.
        python = Path(sys.executable) if options.no_install else install(Path(folder) / "venv")
        result: dict[str, Any] = {
            "versions": {"python": platform.python_version(), "onnxruntime": ort.__version__},
            "model": model(options.model),
            "cold_start": cold_start(python, options.model),
        }
        if not options.no_install:
            result["installed_mb"] = installed(python)
    result["throughput"] = throughput(options.model, texts)
    if options.out is None:
        write("inference", result)
        return
    content = json.dumps({"machine": machine(), **result}, ensure_ascii=False, indent=1)
    options.out.write_text(content + "\n", encoding="utf-8")
    print(content)


def real_texts(count: int) -> list[str]:
    """Tweets without their emojis, of the validation split first."""
    texts = tweets(count)
    return texts + tweets(count - len(texts), "train")


def install(folder: Path) -> Path:
    """Install the base package, without extras, into a fresh environment."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *constraints, str(ROOT)], check=True)
    return python


def installed(python: Path) -> dict[str, float]:
    """Megabytes of site-packages on disk, the largest parts by name."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    run = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    sizes = {
        path.name: sum(file.lstat().st_blocks * 512 for file in [path, *path.rglob("*")]) / 1e6
        for path in Path(run.stdout.strip()).iterdir()
        if not path.name.startswith(NOT_OURS)
    }
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:5]
    return {"all": round(sum(sizes.values()), 1)} | {
        name: round(sizes[name], 1) for name in largest
    }


def cold_start(python: Path, folder: Path) -> dict[str, Any]:
    """Seconds from the start of `deepmoji predict "hi"` to its answer, files in the page cache."""
    command = [str(python), "-m", "deepmoji", "predict", "hi"]
    if folder != SHIPPED:
        command += ["--model", str(folder)]
    runs = [timed(command) for _ in range(STARTS + 1)][1:]  # the first one fills the cache
    empty = [timed([str(python), "-c", "pass"]) for _ in range(STARTS)]
    return {
        "command": 'deepmoji predict "hi"',
        "runs": STARTS,
        "seconds_median": round(statistics.median(seconds for seconds, _ in runs), 3),
        "seconds_fastest": round(min(seconds for seconds, _ in runs), 3),
        "of_which_python_itself": round(statistics.median(seconds for seconds, _ in empty), 3),
        "peak_memory_mb": round(max(memory for _, memory in runs), 1),
    }


# A process of its own starts and measures the command: what a large parent holds in memory would
# count as the child's peak.
TIMED = """
import os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Run a command: wall seconds, peak resident megabytes."""
    measured = [sys.executable, "-S", "-c", TIMED, *command]
    run = subprocess.run(measured, stdout=subprocess.PIPE, text=True, check=True)
    seconds, memory = map(float, run.stdout.split())
    return seconds, memory * (1 if sys.platform == "darwin" else 1024) / 1e6


def throughput(folder: Path, texts: Sequence[str]) -> dict[str, Any]:
    """Texts a second, tokenising included; alternating rounds, so that both meet the same load."""
    bundle = Bundle.open(folder)
    predictor, one = Predictor(bundle), Predictor(bundle, threads=1)
    session = plain_session(bundle)
    ways: dict[str, Callable[[], object]] = {
        "scores": lambda: predictor.scores(texts),
        "scores_one_thread": lambda: one.scores(texts),
        "baseline": lambda: in_input_order(bundle, session, texts),
    }
    ours, theirs = predictor.scores(texts[:512]), in_input_order(bundle, session, texts[:512])
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    best = {name: min(values) for name, values in seconds.items()}
    return {
        "texts": len(texts),
        "source": "TweetEval emoji, validation, then train",
        "rounds": ROUNDS,
        "threads": {"scores": predictor.threads, "scores_one_thread": 1},
        "chunk": CHUNK,
        "baseline_is": "the same graph, all cores inside a run, batches of 256 in input order",
        "texts_per_second": {name: round(len(texts) / value, 1) for name, value in best.items()},
        "ratio_to_baseline": round(best["baseline"] / best["scores"], 2),
        "max_difference_from_baseline": float(np.abs(ours - theirs).max()),
    }


def plain_session(bundle: Bundle) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    return ort.InferenceSession(bundle.graph, options, providers=["CPUExecutionProvider"])


def in_input_order(
    bundle: Bundle, session: ort.InferenceSession, texts: Sequence[str], batch: int = 256
) -> np.ndarray:
    """The straightforward way: batches in input order, padded to their longest text."""
    rows = []
    for start in range(0, len(texts), batch):
        words = (tokenize(text)[: bundle.max_tokens] for text in texts[start : start + batch])
        ids = [bundle.vocabulary.ids(each) or [UNKNOWN] for each in words]
        lengths = np.array([len(each) for each in ids], np.int32)
        padded = np.zeros((len(ids), lengths.max()), np.int64)
        for row, each in zip(padded, ids, strict=True):
            row[: len(each)] = each
        rows += session.run(["probabilities"], {"ids": padded, "lengths": lengths})
    return np.concatenate(rows)


def model(folder: Path) -> dict[str, Any]:
    bundle = Bundle.open(folder)
    return {
        "name": "shipped" if folder == SHIPPED else folder.name,
        **bundle.config.to_dict(),
        "precision": bundle.training.get("precision", "unknown"),
        "graph_mb": round(bundle.graph.stat().st_size / 1e6, 1),
        "folder_mb": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1),
    }


if __name__ == "__main__":
    main()
