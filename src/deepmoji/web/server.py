"""Serving the application until it is told to end."""

import logging
from collections.abc import Callable

import uvicorn

from deepmoji.serving.listening import BACKLOG, address, bind, run
from deepmoji.serving.logs import log_to_stderr
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
    log_to_stderr(access)
    access.setLevel(logging.INFO if settings.access_log else logging.WARNING)
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
