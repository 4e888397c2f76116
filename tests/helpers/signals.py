"""Programs that a test interrupts."""

import signal


def heed_interrupts() -> None:
    """Undo, in a new process, that what runs in the background of a script ignores Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
