"""Listening where one is told to, and ending well: whatever was accepted is answered first."""

import signal
import socket
from types import FrameType

import uvicorn

from deepmoji.errors import InputError

BACKLOG = 1024  # connections that wait to be accepted
LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: a name or an address.
        port: 0 takes any that is free.

    Raises:
        InputError: if it cannot be had.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "that is no name of a host"
        raise InputError(
            f"cannot listen on {host}, port {port}: {reason}; choose others with --host and --port"
        ) from error


def address(host: str, listening: socket.socket) -> str:
    """Return what to type into a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"


def run(server: uvicorn.Server, listening: socket.socket) -> None:
    """Run a server until SIGINT or SIGTERM; return when what was accepted is answered."""
    # uvicorn handles the signals, then raises them anew for whoever handled them before.
    before = {each: signal.signal(each, _end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run([listening])
    except _Ended:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        listening.close()


class _Ended(BaseException):
    """A signal to end, that uvicorn has dealt with."""


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _Ended
