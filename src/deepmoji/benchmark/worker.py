"""A worker: a process of its own, on one thread, that computes one cell at a time."""

import faulthandler
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from itertools import takewhile
from multiprocessing.connection import Connection, wait
from pathlib import Path

from deepmoji.benchmark.cells import Cell
from deepmoji.benchmark.job import Job
from deepmoji.errors import DeepmojiError
from deepmoji.machine import interrupts_held_back, switched_on

# Spawned, not forked: a forked process inherits the locks of threads that it does not have.
_CONTEXT = multiprocessing.get_context("spawn")
# Read by OpenMP, MKL, OpenBLAS and Accelerate when they are loaded, and so by torch, NumPy and
# scikit-learn. Cells side by side use cores better than threads inside the small ones.
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_TRACEBACK = "Traceback (most recent call last):"
# Seconds after which a worker makes room for a new one. Starting one takes two to five; training
# many networks in one process leaves gigabytes with the allocator.
_OLD = 60.0
_GRACE = 5.0  # seconds to end before a process is killed


def scratch_of(log: Path) -> Path:
    """Return where the job of a log leaves how far it came."""
    return log.with_suffix(".unfinished")


class WorkerDied(DeepmojiError):  # noqa: N818 - says what happened
    """A worker ended without an answer; the message says why."""


class Worker:
    """One process. What its libraries write goes into a log, one for each job.

    An error in a job ends the process: nothing that went wrong stays behind in its memory, and the
    traceback is in the log. The next job takes a new worker.
    """

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs,), daemon=True)
        self._log: Path | None = None  # of the job that it has
        with switched_on(_ONE_THREAD), interrupts_held_back():
            self._process.start()
        theirs.close()  # so that the end of the process is the end of the connection

    @property
    def is_old(self) -> bool:
        """Whether a new process would cost little, beside what this one has done."""
        return time.monotonic() - self._begun > _OLD

    def start(self, job: Job, log: Path) -> None:
        """Give it a job; ``connection`` can be read when the job is done, or the process is."""
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        try:
            self.connection.send((job, log))
        except OSError:
            return  # it is dead: `finish` says so

    def finish(self) -> Cell:
        """Return what the job gave.

        Raises:
            WorkerDied: if the job failed; the log says more.
        """
        try:
            cell = self.connection.recv()
        except (EOFError, OSError):
            self.dismiss()
            self.join()
            raise WorkerDied(self._reason()) from None
        self.discard_log()
        return cell

    def dismiss(self, *, at_once: bool = False) -> None:
        """Let the process go when it is idle, or break off what it does."""
        self.connection.close()
        if at_once:
            self._process.terminate()

    def join(self) -> None:
        """Wait until the process that was dismissed has ended; it has some seconds to do so."""
        self._process.join(_GRACE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def discard_log(self) -> None:
        """Remove the log of the job that it has, if it has one: nobody needs it any more."""
        if self._log is not None:
            self._log.unlink(missing_ok=True)
            self._log = None

    def _reason(self) -> str:
        code = self._process.exitcode or 0
        if code < 0:
            name = signal.Signals(-code).name
            hint = ": there was not enough memory, perhaps" if name == "SIGKILL" else ""
            return f"its process was ended by {name}{hint}"
        said = ""
        if self._log is not None and self._log.exists():
            said = _last_words(self._log.read_text("utf-8", "replace"))
        return said.removeprefix("deepmoji.errors.") or f"its process ended with code {code}"


def _last_words(log: str) -> str:
    """Return the error that a log ends with: what follows the indented lines of a traceback."""
    if _TRACEBACK not in log:
        return ""
    lines = log.rpartition(_TRACEBACK)[2].strip().splitlines()
    said = takewhile(lambda line: not line.startswith(" "), reversed(lines))
    return " ".join([*said][::-1])


def _serve(connection: Connection) -> None:
    """Compute jobs until the other side goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends this one
    # By an exception, so that what libraries hold is given back: semaphores, temporary files.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job, log = connection.recv()
        except EOFError:
            return
        _write_to(log)
        _tell_progress()
        connection.send(job.compute(scratch_of(log)))


def _end_with_parent() -> None:
    """Do not go on for nobody, however the parent came to its end."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _write_to(log: Path) -> None:
    """Send everything that this process writes from here on into a file, native code's too."""
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    faulthandler.enable(2)


def _tell_progress() -> None:
    """Let what this package notes go into the log, a line at a time."""
    notes = logging.getLogger("deepmoji")
    notes.setLevel(logging.INFO)
    if not notes.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        notes.addHandler(handler)
