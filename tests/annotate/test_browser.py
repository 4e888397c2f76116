"""A rater in a real browser, by keyboard, without JavaScript, on a phone, in the dark.

Uses a Chromium that is installed already (CHROMIUM, or one on PATH); with DEEPMOJI_SCREENSHOTS, a
folder, pictures of every page are kept there.
"""

import os
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from deepmoji.annotate.server import application
from tests.helpers.chromium import ARGUMENTS, find_chromium
from tests.helpers.ratingpages import path_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="needs the library playwright")
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("needs a Chromium of the system (apt install chromium), or CHROMIUM naming one")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def served(make):
    """Make a campaign and serve it from a thread: (campaign made, address)."""
    servers = []

    def served(*arguments, **settings):
        made = make(*arguments, **settings)
        config = uvicorn.Config(
            application(made.campaign), port=0, lifespan="off", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        return made, f"http://127.0.0.1:{port}"

    yield served
    for server, thread in servers:
        server.should_exit = True
        thread.join()


def picture(page, name):
    folder = os.environ.get("DEEPMOJI_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def link(made, address):
    return address + path_of(made.campaign.invite(1)[0].link)


def watched(context):
    """A page that notes what it asks for and what goes wrong in it."""
    page = context.new_page()
    page.asked, page.wrong = [], []
    page.on("request", lambda request: page.asked.append(request))
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda message: page.wrong.append(message.text))
    return page


def fits(page):
    """Whether nothing is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_rater_goes_through_a_campaign_by_keyboard(browser, served):
    texts = ["I love it when a plan comes together 😊", "so sad <script>alert(1)</script>",
             "\u202ereversed\u202c and \u05e9\u05dc\u05d5\u05dd"]  # fmt: skip
    made, address = served(texts, consent="We keep your answers.", raters_per_item=1)
    context = browser.new_context(viewport={"width": 900, "height": 760})
    page = watched(context)
    page.goto(link(made, address))
    picture(page, "start")
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rate")
    picture(page, "rate")
    seen = []
    for key in ("2", "8", "Backspace", "9", "0"):
        seen.append(page.get_by_role("article").inner_text())
        with page.expect_navigation():
            page.keyboard.press(key)
        if key == "Backspace":
            assert page.get_by_role("button", name="8, your answer").is_visible()
            picture(page, "change")
    assert page.get_by_role("heading", name="Thank you!").is_visible()
    picture(page, "done")
    assert sorted({*seen}) == sorted(texts)
    status = made.campaign.status()
    assert (status.answers, status.unknown, status.given["2"], status.given["9"]) == (3, 1, 1, 1)
    page.get_by_role("link", name="My answers", exact=True).click()
    picture(page, "answers")
    page.get_by_role("link", name="Delete everything…").click()
    picture(page, "delete")
    page.get_by_role("button", name="Yes, delete everything").click()
    assert made.campaign.status().answers == 0
    assert page.wrong == []
    assert {request.url.startswith((address, "data:")) for request in page.asked} == {True}
    assert {request.all_headers().get("referer") for request in page.asked} == {None}
    context.close()


def test_without_javascript(browser, served):
    made, address = served(["one", "two"])
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(link(made, address))
    page.get_by_role("link", name="Start rating").click()
    for _ in range(2):
        page.get_by_role("button", name="7", exact=True).click()
    assert page.get_by_role("heading", name="Thank you!").is_visible()
    assert made.campaign.status().given["7"] == 2
    context.close()


SCALES = [
    ("nine", {}),
    ("labels", {"scale": "labels:joy,anger,sadness,fear,surprise,a label of some length"}),
    ("multi", {"scale": "labels:joy,anger,sadness,fear", "multi": True}),
    ("emojis", {"scale": "emojis"}),
]


@pytest.mark.parametrize(("name", "settings"), SCALES)
def test_on_a_phone_in_the_dark(browser, served, name, settings):
    long = "When the plan comes together, after all those weeks… " * 3 + "w" * 80
    made, address = served([long], **settings)
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme="dark", has_touch=True
    )
    page = watched(context)
    page.goto(f"{link(made, address)}rate")
    picture(page, f"phone-{name}")
    assert fits(page)
    if name == "emojis":
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    else:
        page.keyboard.press("2")
        if name == "multi":
            page.keyboard.press("Enter")
    page.wait_for_selector("text=Thank you")
    second = list(made.campaign.status().given)[1]
    assert made.campaign.status().given[second] == 1
    assert page.wrong == []
    context.close()


@pytest.mark.parametrize(("name", "settings"), SCALES)
def test_the_owner_looks(browser, served, name, settings):
    made, address = served(raters_per_item=3, contribute=name == "nine", **settings)
    values = made.campaign.scale.values
    for n, rater in enumerate(made.raters(2)):
        made.answer_all(rater, lambda text, n=n: (values[(len(text) + n) % len(values)],))
    context = browser.new_context(viewport={"width": 900, "height": 760})
    page = watched(context)
    page.goto(address + path_of(made.campaign.owner_link))
    picture(page, f"owner-{name}")
    page.set_viewport_size({"width": 360, "height": 740})
    picture(page, f"owner-{name}-phone")
    assert fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="majority as csv").click()
    assert download.value.suggested_filename == "majority.csv"
    assert page.wrong == []
    context.close()


def test_the_owner_invites_and_revokes(browser, served):
    made, address = served()
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = watched(context)
    page.goto(address + path_of(made.campaign.owner_link))
    page.get_by_label("Invite").fill("2")
    page.get_by_role("button", name="Make links").click()
    page.get_by_role("heading", name="2 new links").wait_for()
    picture(page, "owner-invited-phone")
    assert fits(page)
    lines = page.get_by_role("textbox").input_value().splitlines()
    assert len(lines) == 2
    name, link = lines[0].split("\t")
    page.get_by_role("link", name="I have them").click()
    page.get_by_role("link", name=f"Revoke… {name}").click()
    picture(page, "owner-revoke-phone")
    assert fits(page)
    page.get_by_role("button", name="End the link").click()
    page.get_by_text("revoked").wait_for()
    picture(page, "owner-raters-phone")
    assert made.desk.find(link.split("/")[-2]) is None
    assert page.wrong == []
    context.close()


def test_people_bring_their_own_posts(browser, served):
    made, address = served(None, contribute=True, title="A study with a title")
    context = browser.new_context(viewport={"width": 900, "height": 760})
    page = watched(context)
    page.goto(link(made, address))
    picture(page, "contribute-consent")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("textbox").fill("I got the job!\n\nMy dog is ill 123")
    picture(page, "contribute")
    # A click comes back before the next page has its script, and without it a key is lost.
    with page.expect_navigation():
        page.get_by_role("button", name="Save and rate them").click()
    assert page.get_by_role("heading", name="How did you feel when you wrote this?").is_visible()
    page.keyboard.press("9")
    page.wait_for_selector("text=My dog is ill 123")
    page.get_by_role("link", name="My posts").click()
    picture(page, "posts")
    page.get_by_role("button", name="Take back").first.click()
    page.wait_for_selector("text=I got the job!")
    assert made.campaign.status().posts == 1
    assert page.wrong == []
    context.close()
