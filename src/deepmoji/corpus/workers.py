"""Daft's worker processes on this machine: that one of them dies is told, not waited for."""

from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Listener
from typing import Any

import psutil
from daft.execution import udf

from deepmoji.errors import WORKER_DIED, WorkerDied

_LOOK_EVERY = 2.0  # seconds
# How Daft says that a worker was gone when it was given something, or before it answered.
_GONE = ("UDF process has terminated", "UDF process closed the connection")


class WatchfulListener(Listener):
    """Waits for a worker to connect for as long as there is that worker.

    Daft's own waits for ever if the worker is killed while it is still loading.
    """

    def accept(self) -> Connection:
        """Return the connection of the worker.

        Raises:
            WorkerDied: if it is gone.
        """
        listening: Any = getattr(self, "_listener")._socket  # noqa: B009 - it has no public name
        listening.settimeout(_LOOK_EVERY)
        while True:
            try:
                return super().accept()
            except TimeoutError:
                if not _is_there(str(self.address)):
                    raise WorkerDied("a worker process was ended while it began") from None


def _is_there(address: str) -> bool:
    """Tell whether a process that was started with an address still runs."""
    for process in psutil.Process().children():
        try:
            if address in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                return True
        except psutil.Error:  # it ended meanwhile
            continue
    return False


def watch_workers() -> None:
    """Let Daft notice workers that end before they have begun."""
    # There is no other way in.
    udf.Listener = WatchfulListener  # pyright: ignore[reportPrivateImportUsage]


@contextmanager
def deaths_told() -> Generator[None]:
    """Say in one line that a worker of the query inside was ended from outside.

    Raises:
        WorkerDied: if one was.
    """
    try:
        yield
    except (RuntimeError, ConnectionError, EOFError, WorkerDied) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith(_GONE):
            raise
        raise WorkerDied(WORKER_DIED) from error
