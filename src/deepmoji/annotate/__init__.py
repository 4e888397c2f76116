"""Raters: campaigns in which people rate texts, or their own posts, in the browser.

>>> from deepmoji.annotate import Campaign, Settings
>>> campaign = Campaign.create("moods", "texts.csv", Settings(raters_per_item=3))  # doctest: +SKIP
>>> [invitation.link for invitation in campaign.invite(5)]  # doctest: +SKIP

Names are imported when they are first used; they need the ``annotate`` extra.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from deepmoji.errors import require

if TYPE_CHECKING:
    from deepmoji.annotate.campaign import Campaign
    from deepmoji.annotate.progress import Status
    from deepmoji.annotate.raters import Invitation
    from deepmoji.annotate.settings import Settings

__all__ = ["Campaign", "Invitation", "Settings", "Status"]

_HOMES = {
    "Campaign": "deepmoji.annotate.campaign",
    "Invitation": "deepmoji.annotate.raters",
    "Settings": "deepmoji.annotate.settings",
    "Status": "deepmoji.annotate.progress",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'deepmoji.annotate' has no attribute {name!r}")
    for library in ("sqlalchemy", "alembic", "krippendorff"):
        require(library, "annotate")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
