"""Serving a campaign over HTTP until it is stopped."""

import socket
from collections.abc import Callable
from contextlib import closing

import uvicorn
from starlette.types import ASGIApp

from deepmoji.annotate.campaign import Campaign
from deepmoji.annotate.owner_pages import OwnerPages
from deepmoji.annotate.rater_pages import RaterPages
from deepmoji.annotate.web import site
from deepmoji.errors import InputError


def application(campaign: Campaign) -> ASGIApp:
    """Return a campaign's site as an ASGI application: ``/r/…`` for raters, ``/o/…`` its owner."""
    desk = campaign.desk()
    return site({"r": RaterPages(desk).door, "o": OwnerPages(campaign, desk.is_owner).door})


def serve(
    campaign: Campaign, host: str, port: int, ready: Callable[[str], None] | None = None
) -> None:
    """Serve a campaign until Ctrl-C or SIGTERM; what was accepted is answered first.

    No access log is written: addresses hold the tokens.

    Args:
        campaign: what is served.
        host: the address to listen on.
        port: the port; 0 takes a free one.
        ready: is told the address of the site when it can be reached.

    Raises:
        InputError: if the address or port cannot be had.
    """
    config = uvicorn.Config(
        application(campaign),
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="off",
        ws="none",
        limit_concurrency=512,
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=config.backlog)
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; choose others with "
            "--host and --port"
        ) from error
    with closing(listening):
        if ready is not None:
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{listening.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listening])
