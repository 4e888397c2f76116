"""The processes of a command that is broken: whether they run, who works for them, what is left."""

import os
import signal
import subprocess
import time
from contextlib import suppress

import psutil


def heed_interrupts() -> None:
    """Undo, in a new process, that what runs in the background of a script ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait so long; whether the process has ended."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def are_gone(group: int, seconds: float) -> bool:
    """Whether nobody of a process group is left, after so long at most."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def members(group: int) -> list[str]:
    """Return the command lines of a process group."""
    found: list[str] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group:
                found.append(" ".join(process.cmdline())[-80:])
    return found


def workers_of(pid: int) -> list[psutil.Process]:
    """Return the processes that a command started, without the one that tracks its resources."""
    try:
        found = psutil.Process(pid).children(recursive=True)
        return [each for each in found if "resource_tracker" not in " ".join(each.cmdline())]
    except psutil.Error:
        return []
