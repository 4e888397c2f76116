"""Running cells: those that are missing, side by side, each kept as soon as it is done."""

import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Protocol, cast

from deepmoji.benchmark.cells import state
from deepmoji.benchmark.job import Job
from deepmoji.benchmark.worker import Worker, WorkerDied, scratch_of
from deepmoji.errors import InputError
from deepmoji.machine import available_cores


class Progress(Protocol):
    """What a run tells about its progress."""

    def begin(self, *, done: int, left: int) -> None:
        """So many cells are there already, so many are to be computed."""

    def stale(self, job: Job, why: str) -> None:
        """A cell is there but cannot be used; it is computed again."""

    def started(self, job: Job) -> None:
        """A cell is being computed."""

    def finished(self, job: Job, seconds: float) -> None:
        """A cell is done and kept."""

    def failed(self, job: Job, why: str) -> None:
        """A cell failed; the others go on."""


class Silent:
    """Progress that nobody looks at."""

    def begin(self, *, done: int, left: int) -> None:
        """Ignore the beginning."""

    def stale(self, job: Job, why: str) -> None:
        """Ignore a stale cell."""

    def started(self, job: Job) -> None:
        """Ignore a start."""

    def finished(self, job: Job, seconds: float) -> None:
        """Ignore an end."""

    def failed(self, job: Job, why: str) -> None:
        """Ignore a failure; :func:`run` returns it as well."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A cell that could not be computed, why, and where its log is."""

    job: Job
    why: str
    log: Path


@dataclass(frozen=True, kw_only=True)
class _Running:
    worker: Worker
    job: Job
    begun: float


def run(
    jobs: Sequence[Job],
    out: Path,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> list[Failure]:
    """Compute the cells that are not there yet.

    Each is written, whole, as soon as it is done; so a run that is ended goes on where it was.

    Args:
        jobs: in the order in which to do them.
        out: the folder of the benchmark.
        processes: cells side by side, one thread each; all cores by default.
        progress: hears how far it is.

    Returns:
        the cells that failed.

    Raises:
        InputError: if ``processes`` is not positive.
    """
    if processes is not None and processes < 1:
        raise InputError(f"processes has to be 1 or more, not {processes}")
    progress = progress or Silent()
    missing = _missing(jobs, out, progress)
    crew = _Crew(out, min(processes or available_cores(), len(missing)), progress)
    try:
        return crew.work(missing)
    finally:
        crew.stop()


def _missing(jobs: Sequence[Job], out: Path, progress: Progress) -> deque[Job]:
    states = [state(job.key, out) for job in jobs]
    missing = deque(job for job, found in zip(jobs, states, strict=True) if found != "done")
    progress.begin(done=len(jobs) - len(missing), left=len(missing))
    for job, found in zip(jobs, states, strict=True):
        if found not in ("done", "missing"):
            progress.stale(job, found)
    return missing


class _Crew:
    """Workers that share a queue of jobs."""

    def __init__(self, out: Path, size: int, progress: Progress) -> None:
        self._out = out
        self._size = size
        self._progress = progress
        self._idle: list[Worker] = []
        self._leaving: list[Worker] = []
        self._running: dict[Connection, _Running] = {}

    def work(self, jobs: deque[Job]) -> list[Failure]:
        failures: list[Failure] = []
        while jobs or self._running:
            while jobs and len(self._running) < self._size:
                self._start(jobs.popleft())
            for connection in cast("list[Connection]", wait(list(self._running))):
                failure = self._finish(self._running.pop(connection))
                failures += [failure] if failure else []
        return failures

    def stop(self) -> None:
        """End all workers and remove what is left of jobs that were broken off."""
        for worker in self._idle:
            worker.dismiss()
        for running in self._running.values():
            running.worker.dismiss(at_once=True)
        busy = [running.worker for running in self._running.values()]
        for worker in [*self._leaving, *self._idle, *busy]:
            worker.join()
        for running in self._running.values():
            running.worker.discard_log()

    def _start(self, job: Job) -> None:
        worker = self._idle.pop() if self._idle else Worker()
        self._running[worker.connection] = _Running(
            worker=worker, job=job, begun=time.perf_counter()
        )
        self._progress.started(job)
        worker.start(job, self._log(job))

    def _finish(self, running: _Running) -> Failure | None:
        job = running.job
        try:
            cell = running.worker.finish()
        except WorkerDied as error:
            self._progress.failed(job, str(error))
            return Failure(job=job, why=str(error), log=self._log(job))
        if running.worker.is_old:
            running.worker.dismiss()
            self._leaving.append(running.worker)
        else:
            self._idle.append(running.worker)
        cell.save(self._out)
        shutil.rmtree(scratch_of(self._log(job)), ignore_errors=True)
        self._progress.finished(job, time.perf_counter() - running.begun)
        return None

    def _log(self, job: Job) -> Path:
        path = job.key.path(self._out)
        return path.with_name(f"{path.name}.log")
