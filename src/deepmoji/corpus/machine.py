"""What a build asks of the machine: memory used, and to be told of Ctrl-C."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

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


@contextmanager
def own_interrupts() -> Generator[None]:
    """Keep Ctrl-C and SIGTERM for this thread, whatever a library does about them inside.

    The threads that start inside are blocked for them, and so is every process that one of them
    will start: a worker that one met while it was still loading would be waited for forever.
    """
    handler = _handler()
    before = _block_interrupts()
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _block_interrupts() -> set[int] | None:
    """Block both in this thread; return what was blocked before, None where that is not known."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM}))


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Generator[None]:
    """Call ``stop`` at Ctrl-C and go on; raise KeyboardInterrupt at the end, or at the second."""
    handler, hits = _handler(), 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal hits
        hits += 1
        stop()
        if hits > 1:
            signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt

    if handler is None or handler == signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if hits:  # also where workers that it met have made the build fail
            raise KeyboardInterrupt


def _handler() -> Any:
    """Return the handler of Ctrl-C, None where it cannot be changed: outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return None
    return signal.getsignal(signal.SIGINT)
