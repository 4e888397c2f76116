"""Worker processes, each with the model on one thread, whose results come in order."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Event
from typing import Any, Protocol, TypeVar

from deepmoji.errors import WORKER_DIED, WorkerDied
from deepmoji.machine import interrupts_held_back
from deepmoji.scoring.scorer import Scored, Scorer
from deepmoji.scoring.settings import ScoreSettings

_LOOK_EVERY = 2.0  # seconds
# Slices that wait for a worker, for each one: enough that none ever waits for the reader.
_AHEAD = 2


class Task(Protocol):
    """Something that has texts to score, or None where there are none."""

    @property
    def texts(self) -> list[str] | None:
        """The texts."""
        ...


_Task = TypeVar("_Task", bound=Task)
_Answer = Future[Scored | None] | None


def score_serially(
    tasks: Iterator[_Task], settings: ScoreSettings
) -> Generator[tuple[_Task, Scored | None]]:
    """Yield tasks with their scores, computed in this process."""
    scorer = Scorer(settings)
    for task in tasks:
        yield task, None if task.texts is None else scorer.score(task.texts)


def score_beside(
    tasks: Iterator[_Task], settings: ScoreSettings, workers: int
) -> Generator[tuple[_Task, Scored | None]]:
    """Yield tasks with their scores, in order, computed in processes beside each other.

    A bounded number of tasks is taken ahead, so that memory does not grow with their number.

    Raises:
        BundleError: if the model cannot be used.
        WorkerDied: if a process is ended from outside.
    """
    # Spawned, not forked: a forked process inherits the locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    lifeline, held = context.Pipe(duplex=False)  # workers live as long as the other end is held
    pool = _Pool(workers, context, _begin, (stop, lifeline))
    waiting: deque[tuple[_Task, _Answer]] = deque()
    try:
        for task in tasks:
            waiting.append((task, _submit(pool, settings, task.texts)))
            if len(waiting) > workers * (1 + _AHEAD):
                yield _next(waiting, pool)
        while waiting:
            yield _next(waiting, pool)
    except BrokenProcessPool as error:
        held.close()  # the pool would tell them by SIGTERM, and wait until they have heeded it
        pool.hear_no_more()
        raise WorkerDied(WORKER_DIED) from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
        held.close()
        lifeline.close()


def _submit(pool: ProcessPoolExecutor, settings: ScoreSettings, texts: list[str] | None) -> _Answer:
    if texts is None:
        return None
    with interrupts_held_back():  # the first one starts the processes
        return pool.submit(_score, settings, texts)


class _Pool(ProcessPoolExecutor):
    """A pool that also notices a worker that died while it sent an answer.

    Half of the answer is in the pipe that all share then: Python's waits for the other half.
    """

    def answer(self, future: Future[Scored | None]) -> Scored | None:
        """Wait for an answer.

        Raises:
            BrokenProcessPool: if a worker has died.
        """
        lost = False
        while True:
            try:
                return future.result(_LOOK_EVERY)
            except TimeoutError:
                if lost and not future.done():  # and the pool has had the time to say so
                    raise BrokenProcessPool("a worker died while it sent an answer") from None
                lost = any(not worker.is_alive() for worker in [*self._processes.values()])

    def hear_no_more(self) -> None:
        """Let the thread that reads answers end, once the workers are gone."""
        writer: Any = getattr(self._result_queue, "_writer")  # noqa: B009 - it has no public name
        writer.close()


def _next(waiting: deque[tuple[_Task, _Answer]], pool: _Pool) -> tuple[_Task, Scored | None]:
    task, future = waiting.popleft()
    return task, None if future is None else pool.answer(future)


_stop: Event | None = None  # of this worker process: set when no answer is wanted any more


def _begin(stop: Event, lifeline: Connection) -> None:
    """Let the parent decide when this process ends."""
    global _stop
    _stop = stop
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal, or a service, tells all processes
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    """End when the parent lets go, or is gone."""
    wait([lifeline])
    os._exit(1)


@lru_cache(maxsize=1)
def _opened(settings: ScoreSettings) -> Scorer:
    return Scorer(settings)


def _score(settings: ScoreSettings, texts: list[str]) -> Scored | None:
    """Score texts in a worker process, which opens the model once."""
    if _stop is not None and _stop.is_set():
        return None
    return _opened(settings).score(texts)
