"""Peak memory of the processes that a build runs in, and how many of them there are."""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_INTERVAL = 0.25  # seconds; parts and workers live much longer


@dataclass
class Peak:
    """The largest resident memory seen, in bytes."""

    memory: int = 0

    @property
    def gigabytes(self) -> float:
        """The memory in GB (10^9 bytes)."""
        return self.memory / 1e9


@contextmanager
def watch_memory() -> Generator[Peak]:
    """Measure the peak resident memory of this process and its children, summed up.

    Pages that they share count for each, so this is an upper bound.
    """
    peak, stop = Peak(), threading.Event()

    def watch() -> None:
        while not stop.wait(_INTERVAL):
            peak.memory = max(peak.memory, _resident())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        peak.memory = max(peak.memory, _resident())


def _resident() -> int:
    own = psutil.Process()
    total = 0
    for process in [own, *own.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it ended meanwhile
            continue
    return total


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
