"""Serving the application until it is told to end."""

import logging
from collections.abc import Callable
from types import TracebackType

import uvicorn

from deepmoji.serving.listening import BACKLOG, address, bind, run
from deepmoji.serving.protocol import Impatient
from deepmoji.web.app import make_app
from deepmoji.web.gate import access
from deepmoji.web.models import Models
from deepmoji.web.settings import Settings

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
    listening = bind(settings.host, settings.port)
    server = make_server(models, settings)
    _log_to_stderr(settings)
    ready(address(settings.host, listening))
    run(server, listening)


def make_server(models: Models, settings: Settings) -> uvicorn.Server:
    """Return the server, to be run with a listening socket."""
    return uvicorn.Server(
        uvicorn.Config(
            make_app(models, settings),
            http=Impatient,
            ws="none",
            lifespan="on",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_PATIENCE,
        )
    )


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
