"""Listening, and ending well: whatever was accepted is answered first."""

import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType, TracebackType

import uvicorn

from deepmoji.errors import InputError
from deepmoji.web.app import make_app
from deepmoji.web.gate import access
from deepmoji.web.models import Models
from deepmoji.web.settings import Settings

_BACKLOG = 1024  # connections that wait to be accepted
_KEEP_ALIVE = 30  # seconds that a connection may idle
_PATIENCE = 30  # seconds to answer what was accepted, after the signal to end


def serve(models: Models, settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; then answer what was accepted and return.

    Args:
        models: to offer.
        settings: where to listen, and the rest.
        ready: told the address, once it is taken.

    Raises:
        InputError: if the address cannot be listened on.
    """
    listening = bind(settings)
    server = make_server(models, settings)
    _log_to_stderr(settings)
    ready(address(settings, listening))
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


def make_server(models: Models, settings: Settings) -> uvicorn.Server:
    """Return the server, to be run with a socket of :func:`bind`."""
    return uvicorn.Server(
        uvicorn.Config(
            make_app(models, settings),
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_PATIENCE,
        )
    )


def bind(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say.

    Raises:
        InputError: if it cannot.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(where[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InputError(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror}; choose "
            "others with --host and --port"
        ) from error


def address(settings: Settings, listening: socket.socket) -> str:
    """Return what to type into a browser."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listening.getsockname()[1]}"


class _Ended(BaseException):
    """A signal to end, that uvicorn has dealt with."""


def _end(_number: int, _frame: FrameType | None) -> None:
    raise _Ended


class _WithoutMessages(logging.Formatter):
    """Writes where an error arose and of what kind it is; its message may hold a text."""

    def formatException(  # noqa: N802 - the standard library's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return the traceback without the message."""
        kind, _, trace = ei
        places: list[str] = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
            trace = trace.tb_next
        return "\n".join([*places, kind.__name__ if kind else ""])


def _log_to_stderr(settings: Settings) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_WithoutMessages("%(asctime)s %(message)s"))
    for logger in (logging.getLogger("uvicorn.error"), logging.getLogger("asyncio"), access):
        logger.handlers = [handler]
        logger.propagate = False
    access.setLevel(logging.INFO if settings.access_log else logging.WARNING)
