"""Tasks on a Ray cluster, on any of its machines."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from deepmoji.errors import DeepmojiError, InputError, WorkerDied, require

_RETRIES = 3  # of a task whose machine or process was lost
_PATIENCE = 10  # seconds for a cluster to answer
_MOST_WAITING = 10_000  # tasks that Ray knows of at a time

_Shared = TypeVar("_Shared")
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Ray:
    """A Ray cluster whose machines all see what is read, and scored, under one path or URL.

    Attributes:
        address: of the cluster; by default ``RAY_ADDRESS``, or one of this machine.
    """

    address: str | None = None


def run_tasks(
    cluster: Ray,
    work: Callable[[_Shared, _Item], _Result],
    shared: _Shared,
    items: Iterable[_Item],
) -> Generator[_Result]:
    """Yield what ``work`` makes of each item, one core a task, in the order in which they end.

    A task whose machine or process is lost runs again, elsewhere if need be.

    Args:
        cluster: where to run.
        work: a function of a module.
        shared: what each task needs besides its item; it is sent once to each machine.
        items: one for each task.

    Raises:
        DeepmojiError, OSError: what ``work`` raises.
        InputError: if there is no such cluster.
        MissingDependency: if Ray is not installed.
        WorkerDied: if a task was lost again and again.
    """
    with _connected(cluster.address) as ray:
        task = ray.remote(num_cpus=1, max_retries=_RETRIES, scheduling_strategy="SPREAD")(work)
        sent, more = ray.put(shared), iter(items)
        waiting = [task.remote(sent, item) for item in islice(more, _MOST_WAITING)]
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=1)
            waiting += [task.remote(sent, item) for item in islice(more, 1)]
            yield _result(ray, ready[0])


def _result(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        # What Ray makes of an error has a traceback of many lines for its message.
        if isinstance(error.cause, DeepmojiError | OSError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise WorkerDied(
            f"a task of Ray was lost: {_one_line(error)}; what is finished is kept: run the same "
            "command again"
        ) from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _knock(address: str | None) -> None:
    """Find out in seconds that nobody is there: Ray tries for minutes."""
    host, _, port = (address or "").rpartition(":")
    if port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


@contextmanager
def _connected(address: str | None) -> Generator[Any]:
    """Connect to a cluster, unless the process is already."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Else every start warns of what a later version will do about graphics cards.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray: Any = require("ray", "cluster")
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS")
    try:
        _knock(address)
        with _own_end():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        where = f" at {address}" if address else ""
        raise InputError(
            f"no Ray cluster answers{where}: {_one_line(error)}; see --address"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _own_end() -> Generator[None]:
    """Keep what the program does at SIGTERM, if anything: Ray ends it, without a word."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
