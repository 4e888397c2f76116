"""Requests that wait together are answered together, off the event loop, first come first served.

The queue lives on the event loop alone, so nothing is locked; one thread computes (ONNX Runtime
releases the GIL, and a batch of many texts takes all cores).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

Answers = Sequence[Any]
# From several texts to as many answers.
Ask = Callable[[Sequence[str]], Answers]


class QueueFull(RuntimeError):  # noqa: N818 - says what is so
    """There is no room for more texts; they can be tried again."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    ask: Ask
    texts: Sequence[str]
    cost: int
    answers: "asyncio.Future[Answers]"


class Batcher:
    """A bounded queue and the thread that answers what waits in it.

    Args:
        waiting: the texts that may wait.
        batch: the texts that are taken at a time, if the first request has not more by itself.
        on_batch: told of how many texts each batch is made.
    """

    def __init__(
        self, *, waiting: int, batch: int, on_batch: Callable[[int], None] | None = None
    ) -> None:
        self._most_waiting, self._most_taken = waiting, batch
        self._on_batch = on_batch
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many texts wait."""
        return self._waiting

    async def answer(self, ask: Ask, texts: Sequence[str], *, cost: int | None = None) -> Answers:
        """Return the answers to texts, in their order.

        Args:
            ask: asked once for all texts of all requests that wait for it.
            texts: of this request.
            cost: as how many texts they count, if they take longer than others.

        Raises:
            QueueFull: if there is no room. What finds the queue empty always has room.
        """
        if not texts:
            return []
        counted = len(texts) if cost is None else cost
        if self._closing or (self._waiting and self._waiting + counted > self._most_waiting):
            raise QueueFull
        answers: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(ask=ask, texts=texts, cost=counted, answers=answers))
        self._waiting += counted
        self._arrived.set()
        return await answers

    def start(self) -> None:
        """Begin to answer."""
        self._worker = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Take no more, answer what waits, and end."""
        self._closing = True
        self._arrived.set()
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="deepmoji-web") as thread:
            while self._jobs or not self._closing:
                if not self._jobs:
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                for ask, jobs in self._take().items():
                    texts = [text for job in jobs for text in job.texts]
                    if self._on_batch is not None:
                        self._on_batch(len(texts))
                    running = loop.run_in_executor(thread, ask, texts)
                    await asyncio.wait([running])
                    _hand_out(running, jobs)

    def _take(self) -> dict[Ask, list[_Job]]:
        taken: dict[Ask, list[_Job]] = {}
        cost = 0
        while self._jobs and (not taken or cost + self._jobs[0].cost <= self._most_taken):
            job = self._jobs.popleft()
            cost += job.cost
            taken.setdefault(job.ask, []).append(job)
        self._waiting -= cost
        return taken


def _hand_out(running: "asyncio.Future[Answers]", jobs: Sequence[_Job]) -> None:
    """Give each request its rows, or all of them the error."""
    error = running.exception()
    answers: Answers = () if error else running.result()
    if error is None and len(answers) != sum(len(job.texts) for job in jobs):
        error = AssertionError("rows out are not rows in")
    start = 0
    for job in jobs:
        end = start + len(job.texts)
        if not job.answers.done():  # whoever asked may have gone
            if error is None:
                job.answers.set_result(answers[start:end])
            else:
                job.answers.set_exception(error)
        start = end
