"""Take the pictures of the page that README.md shows, with the shipped model.

`python -m scripts.screenshots` writes docs/images/page-*.png; `--out FOLDER` writes more of them
there, to look at. Needs Playwright and a Chromium, of the system or at CHROMIUM.
"""

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from deepmoji.serving.listening import address, bind
from deepmoji.web.models import load_models
from deepmoji.web.server import make_server
from deepmoji.web.settings import Settings
from scripts.blocks import ROOT
from tests.helpers.chromium import ARGUMENTS, find_chromium

IMAGES = ROOT / "docs" / "images"
SENTENCE = "I love you and now you're just gone.."
WIDE, PHONE = {"width": 1120, "height": 760}, {"width": 360, "height": 780}


@contextmanager
def running() -> Iterator[str]:
    """The address of a server with the shipped model."""
    settings = Settings(port=0)
    listening = bind(settings.host, settings.port)
    server = make_server(load_models(()), settings)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield address(settings.host, listening)
    finally:
        server.should_exit = True
        thread.join()


def opened(browser: Browser, url: str, theme: Any, size: Any, fragment: str = "") -> Page:
    """The page with an answer on it."""
    page = browser.new_page(color_scheme=theme, viewport=size, device_scale_factor=1)
    page.goto(f"{url}/{fragment}")
    page.locator(".top li").nth(4).wait_for()
    settle(page)
    return page


def settle(page: Page) -> None:
    """Wait until occlusion has come and bars stand still."""
    page.locator("tbody tr td:nth-child(3)", has_text="×").first.wait_for(state="attached")
    page.wait_for_timeout(700)


def take(browser: Browser, url: str, theme: str, folder: Path, *, everything: bool) -> None:
    """The pictures of one theme."""
    pair = "#text=This+is+the+shit&beside=This+is+shit"
    page = opened(browser, url, theme, WIDE, pair)
    page.screenshot(path=folder / f"page-{theme}.png", full_page=True)
    if not everything:
        return
    page = opened(browser, url, theme, WIDE)
    page.screenshot(path=folder / f"one-{theme}.png", full_page=True)
    page = opened(browser, url, theme, WIDE, f"#text={SENTENCE}&view=occlusion")
    for summary in page.locator("summary").all():
        summary.click()
    page.wait_for_timeout(300)
    page.screenshot(path=folder / f"occlusion-{theme}.png", full_page=True)
    page = opened(browser, url, theme, PHONE)
    page.screenshot(path=folder / f"phone-{theme}.png", full_page=True)
    page = opened(browser, url, theme, PHONE, pair + "&view=occlusion")
    page.screenshot(path=folder / f"phone-pair-{theme}.png", full_page=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.screenshots")
    parser.add_argument("--out", type=Path, help="write there, and more pictures")
    options = parser.parse_args()
    folder = options.out or IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    with running() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        for theme in ("light", "dark"):
            take(browser, url, theme, folder, everything=options.out is not None)
        browser.close()


if __name__ == "__main__":
    main()
