"""The page of the web server in a browser; whoever imports this skips without Playwright."""

import re

import pytest

from tests.helpers.chromium import find_chromium

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
NEEDS_CHROMIUM = pytest.mark.skipif(
    find_chromium() is None,
    reason="needs a Chromium of the system (apt install chromium), or CHROMIUM naming one",
)
expect = playwright.expect
expect.set_options(timeout=20_000)  # on a machine that does other things too


def explained(page, pane=0):
    """Wait until occlusion has come: of this text, not what is kept of the one before."""
    come = "tbody td:nth-child(3):not(.stale)"
    cell = page.locator(".pane").nth(pane).locator(come, has_text="×").first
    expect(cell).to_have_count(1)
    expect(page.locator(".shaded").nth(pane)).not_to_have_class(re.compile("stale"))
