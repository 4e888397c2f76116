"""The server under load: 64 connections, every answer compared → results/serve.json.

python -m benchmarks.serve                  # a minute for each number of texts a request
python -m benchmarks.serve --seconds 5      # to look at; writes nothing
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil

import deepmoji
from benchmarks.record import tweets, write
from deepmoji.inference.predictor import Predictor

CONNECTIONS = 64
FULL = 60  # seconds; shorter runs are not kept
SIZES = (1, 16)  # texts of a request
TOP = 5
# The API rounds to six decimals, and float32 results do not depend on neighbours beyond 1e-6; the
# closest answers to two different texts of these are 0.017 apart.
CLOSE = 3e-6
PHASES = ("start", "middle", "end")

Expected = dict[str, tuple[tuple[str, float], ...]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve")
    parser.add_argument("--seconds", type=float, default=FULL, help="of each run")
    parser.add_argument("--texts", type=int, default=2000, help="different ones")
    options = parser.parse_args()
    texts = sorted(set(tweets(options.texts)))
    model = deepmoji.load()
    expected = {each.text: each.top for each in model.predict(texts, top=TOP)}
    in_process = throughput(model, texts)
    server, port = start()
    try:
        runs = {
            f"{size} texts a request" if size > 1 else "1 text a request": asyncio.run(
                load(port, server.pid, expected, size, options.seconds)
            )
            for size in SIZES
        }
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    result = {
        "model": "shipped",
        "connections": CONNECTIONS,
        "seconds": options.seconds,
        "different_texts": len(texts),
        "in_process_texts_per_second": in_process,
        "client": "on the same machine and cores, asyncio, one process",
        "exit_code": server.returncode,
        "runs": runs,
    }
    if options.seconds >= FULL:
        write("serve", result)
    else:
        print(json.dumps(result, indent=1))
    if any(run["wrong"] or run["lost"] or run["errors"] for run in runs.values()):
        sys.exit("answers were wrong or missing")


def throughput(model: Predictor, texts: Sequence[str]) -> float:
    """Texts a second of `scores`, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        begun = time.perf_counter()
        model.scores(texts)
        best = max(best, len(texts) / (time.perf_counter() - begun))
    return round(best, 1)


def start() -> tuple[subprocess.Popen[str], int]:
    """A server in another process, and its port."""
    command = [sys.executable, "-m", "deepmoji", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in server.stderr or ():
        if "http://" in line:
            return server, int(line.strip().rsplit(":", 1)[1])
    sys.exit("the server did not start")


async def load(
    port: int, process: int, expected: Expected, size: int, seconds: float
) -> dict[str, Any]:
    """Ask from all connections at once; counts, latencies, and the server's memory on the way."""
    found: Counter[str] = Counter()
    latencies: list[float] = []
    end = time.perf_counter() + seconds
    memory = asyncio.create_task(watch(process, seconds))
    begun = time.perf_counter()
    await asyncio.gather(
        *(
            converse(port, expected, random.Random(seed), size, end, found, latencies)
            for seed in range(CONNECTIONS)
        )
    )
    took = time.perf_counter() - begun
    milliseconds = np.array(latencies) * 1000
    return {
        "requests": found["requests"],
        "errors": found["errors"],
        "lost": found["requests"] - found["errors"] - found["answers"],
        "wrong": found["wrong"],
        "texts_per_second": round(found["answers"] * size / took, 1),
        "milliseconds": {
            f"p{share}": round(float(np.percentile(milliseconds, share)), 1)
            for share in (50, 95, 99)
        },
        "server_memory_mb": dict(zip(PHASES, await memory, strict=True)),
    }


async def watch(process: int, seconds: float) -> list[float]:
    """Resident megabytes after a tenth, a half and nine tenths of the time."""
    found, done = [], 0.0
    for share in (0.1, 0.5, 0.9):
        await asyncio.sleep((share - done) * seconds)
        done = share
        found.append(round(psutil.Process(process).memory_info().rss / 1e6, 1))
    return found


async def converse(
    port: int,
    expected: Expected,
    chance: random.Random,
    size: int,
    end: float,
    found: "Counter[str]",
    latencies: list[float],
) -> None:
    """Ask over one connection until the time is over, and compare every answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    every = list(expected)
    while time.perf_counter() < end:
        texts = chance.choices(every, k=size)
        body = json.dumps({"texts": texts, "top": TOP}).encode()
        head = (
            "POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        begun = time.perf_counter()
        found["requests"] += 1
        writer.write(head.encode() + body)
        status, content = await receive(reader)
        latencies.append(time.perf_counter() - begun)
        if status != 200:
            found["errors"] += 1
            continue
        found["answers"] += 1
        rows = json.loads(content)["predictions"]
        same = [agrees(row, expected[text]) for row, text in zip(rows, texts, strict=True)]
        found["wrong"] += not all(same)
    writer.close()
    await writer.wait_closed()


async def receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """A response: its status and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
    return int(head.split(" ", 2)[1]), await reader.readexactly(length)


def agrees(row: dict[str, Any], top: Sequence[tuple[str, float]]) -> bool:
    """Whether an answer is this text's and no other's."""
    shares = {each["label"]: each["probability"] for each in row["top"]}
    return shares.keys() == dict(top).keys() and all(
        abs(shares[label] - probability) <= CLOSE for label, probability in top
    )


if __name__ == "__main__":
    main()
