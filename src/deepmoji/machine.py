"""What this machine offers, and who runs this process on it."""

import os


def available_cores() -> int:
    """Return how many cores this process may use: no more than its container allows it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def under_torchrun() -> bool:
    """Tell whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ
