"""Serving a campaign over HTTP until it is stopped."""

from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from deepmoji.annotate.campaign import Campaign
from deepmoji.annotate.owner_pages import OwnerPages
from deepmoji.annotate.rater_pages import RaterPages
from deepmoji.annotate.web import site
from deepmoji.serving.listening import BACKLOG, address, bind, run
from deepmoji.serving.logs import log_to_stderr
from deepmoji.serving.protocol import Impatient


def application(campaign: Campaign) -> ASGIApp:
    """Return a campaign's site as an ASGI application: ``/r/…`` for raters, ``/o/…`` its owner."""
    desk = campaign.desk()
    return site({"r": RaterPages(desk).door, "o": OwnerPages(campaign, desk.is_owner).door})


def serve(
    campaign: Campaign, host: str, port: int, ready: Callable[[str], None] | None = None
) -> None:
    """Serve a campaign until Ctrl-C or SIGTERM; what was accepted is answered first.

    No access log is written: addresses hold the tokens. Errors are logged without their messages,
    which may hold a text: databases quote the row that they could not write.

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
        http=Impatient,
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="off",
        ws="none",
        limit_concurrency=512,
    )
    listening = bind(host, port)
    log_to_stderr()
    if ready is not None:
        ready(address(host, listening))
    run(uvicorn.Server(config), listening)
