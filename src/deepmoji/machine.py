"""What this machine offers, who runs this process on it, and how it starts others."""

import os
import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager


def available_cores() -> int:
    """Return how many cores this process may use: no more than its container allows it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def under_torchrun() -> bool:
    """Tell whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


@contextmanager
def switched_on(names: Iterable[str]) -> Generator[None]:
    """Set environment variables to 1 for a while, for this process and those that it starts."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def interrupts_held_back() -> Generator[None]:
    """Hold Ctrl-C and SIGTERM back while processes are spawned: one that loads would die of either.

    The processes inherit that they are held back, until they let them through themselves; here they
    come through afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker  # late: most programs spawn nothing

    # The first process that a program spawns starts this one besides, and Python 3.11 lets both
    # signals through after that, whatever was held back before.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
