"""Programs that are interrupted or killed, by a test or by a trial of faults."""

import os
import signal
import time


def heed_interrupts() -> None:
    """Undo, in a new process, that what runs in the background of a script ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def gone(group: int, patience: float = 60) -> bool:
    """Whether nobody of a process group is left, after so many seconds at most."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False
