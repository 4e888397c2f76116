"""Serving a campaign over HTTP until it is stopped."""

import uvicorn
from starlette.types import ASGIApp

from deepmoji.annotate.campaign import Campaign
from deepmoji.annotate.owner_pages import OwnerPages
from deepmoji.annotate.rater_pages import RaterPages
from deepmoji.annotate.web import site


def application(campaign: Campaign) -> ASGIApp:
    """Return a campaign's site as an ASGI application: ``/r/…`` for raters, ``/o/…`` its owner."""
    desk = campaign.desk()
    return site({"r": RaterPages(desk).door, "o": OwnerPages(campaign, desk.is_owner).door})


def serve(campaign: Campaign, host: str, port: int) -> None:
    """Serve a campaign until Ctrl-C or SIGTERM; what was accepted is answered first.

    No access log is written: addresses hold the tokens.
    """
    uvicorn.run(
        application(campaign),
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        lifespan="off",
        ws="none",
        limit_concurrency=512,
    )
