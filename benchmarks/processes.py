"""The processes of a command that is broken: whether they run, who works for them, what is left."""

import os
import subprocess
from contextlib import suppress

import psutil


def has_ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait so long; whether the process has ended."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


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
