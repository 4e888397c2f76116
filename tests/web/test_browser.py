"""The page in a real browser: the system's Chromium, driven by Playwright."""

import re

import pytest

from deepmoji.labels import EMOJIS
from deepmoji.web.models import Models
from tests.helpers.webpage import NEEDS_CHROMIUM, expect, explained
from tests.web.conftest import HOSTILE

pytestmark = NEEDS_CHROMIUM


def type_in(page, text, pane=0):
    box = page.locator("textarea").nth(pane)
    box.fill("")
    box.press_sequentially(text)


def labels(page, pane=0):
    glyphs = page.locator(".pane").nth(pane).locator(".top .glyph").all_text_contents()
    return [each.replace("\ufe0f", "") for each in glyphs]


def test_the_answer_follows_the_typing(opened, predictors):
    with opened() as page:
        for text in ("so tired of it", "happy day lol", "I love how you never reply back.."):
            type_in(page, text)
            expected = predictors["tiny"].predict(text)
            expect(page.locator(".shaded")).to_have_text(text, use_inner_text=True)
            assert labels(page) == [label for label, _ in expected.top]
            explained(page)
        shares = page.locator(".top .share").all_text_contents()
        for share, (_, probability) in zip(shares, expected.top, strict=True):
            assert float(share.removesuffix(" %")) / 100 == pytest.approx(probability, abs=0.0051)
        assert page.locator(".top .name").first.inner_text()
        words = page.locator(".word").all_text_contents()
        assert words == [word.text for word in expected.words]
        heard = page.locator("#status")
        expect(heard).to_contain_text("Most attention")
        assert heard.get_attribute("aria-live") == "polite"


def test_views_and_the_mark_where_they_disagree(opened, predictors):
    text = "I love how you never reply back.. happy day lol can't wait"
    words = predictors["tiny"].predict(text, explain="occlusion").words
    largest = max(abs(word.occlusion) for word in words)
    highest = max(word.weight for word in words)
    apart = [
        abs(word.weight / highest - word.occlusion / max(largest, 0.1)) >= 0.6 for word in words
    ]
    assert True in apart  # so that the test tests something
    with opened() as page:
        type_in(page, text)
        explained(page)
        shown = page.locator(".word")
        classes = [each.get_attribute("class").split() for each in shown.all()]
        assert ["disagrees" in each for each in classes] == apart
        assert all("attention" in each for each in classes)
        page.get_by_role("radio", name="Left out").check()
        classes = [each.get_attribute("class").split() for each in shown.all()]
        assert ["against" in each for each in classes] == [word.occlusion < 0 for word in words]
        expect(page.locator("#legend-occlusion")).to_be_visible()
        page.get_by_text("The words in numbers").click()
        rows = page.locator("tbody tr")
        assert ["≠" in row.inner_text() for row in rows.all()] == apart
        # The radio buttons are reached and changed by keyboard.
        page.locator("input[value=occlusion]").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#legend-attention")).to_be_visible()


def test_two_side_by_side(opened, predictors):
    with opened(viewport={"width": 1100, "height": 800}) as page:
        explained(page)
        page.get_by_role("button", name="Compare two").click()
        boxes = page.locator("textarea")
        assert [boxes.nth(k).input_value() for k in (0, 1)] == ["This is the shit", "This is shit"]
        for pane in (0, 1):
            explained(page, pane)
            text = boxes.nth(pane).input_value()
            assert labels(page, pane) == [
                label for label, _ in predictors["tiny"].predict(text).top
            ]
        first, second = (page.locator(".pane").nth(k).bounding_box() for k in (0, 1))
        assert first["y"] == second["y"]
        assert first["x"] + first["width"] <= second["x"]
        type_in(page, "so happy", pane=1)
        expect(page.locator(".shaded").nth(1)).to_have_text("so happy")
        expect(page.locator(".shaded").nth(0)).to_have_text("This is the shit")
        page.get_by_role("button", name="Compare two").click()
        expect(page.locator(".pane")).to_have_count(1)


def test_examples_and_all_64(opened, predictors):
    with opened() as page:
        expect(page.locator("#examples button")).to_have_count(8)  # the pair and the seven
        page.get_by_role("button", name="I love mom's cooking").click()
        explained(page)
        page.get_by_text("All 64").click()
        cells = page.locator(".grid li")
        expect(cells).to_have_count(64)
        shown = [each.replace("\ufe0f", "") for each in cells.locator(".glyph").all_text_contents()]
        assert shown == list(EMOJIS)
        scores = predictors["tiny"].scores(["I love mom's cooking"])[0]
        shares = [float(re.search(r"([\d.]+) %", each)[1]) for each in cells.all_text_contents()]
        assert shares == pytest.approx(list(100 * scores), abs=0.051)


def test_a_link_carries_the_sentences_and_tells_the_server_nothing(opened, browser, url):
    text, beside = "so tired & <b>sad</b> #100% 😂", "happy + day"
    with opened() as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.get_by_role("button", name="Compare two").click()
        page.get_by_role("radio", name="Left out").check()
        page.locator("#model").select_option("own")
        for pane, each in enumerate((text, beside)):
            type_in(page, each, pane)
            explained(page, pane)
        assert "#" not in page.url
        page.get_by_role("button", name="Copy link").click()
        expect(page.locator("#status")).to_have_text("The link is copied.")
        link = page.evaluate("navigator.clipboard.readText()")
        assert link == page.url == page.locator("#link").input_value()
        type_in(page, "something else")
        assert "#" not in page.url  # the address no longer says what is shown
        page.goto(link)
        for pane, each in enumerate((text, beside)):
            expect(page.locator("textarea").nth(pane)).to_have_value(each)
            explained(page, pane)
        page.goto("about:blank")
        page.goto(link)
        for pane, each in enumerate((text, beside)):
            expect(page.locator("textarea").nth(pane)).to_have_value(each)
            explained(page, pane)
        assert page.locator("input[value=occlusion]").is_checked()
        assert page.locator("#model").input_value() == "own"
        assert not [each for each in asked if "tired" in each.split("#")[0]]


HOSTILE_TEXTS = [
    HOSTILE,
    "</textarea><script>document.title=1</script>",
    "\u202eturned \ufeff \u0000 a",
    "&lt;b&gt; ' \" ` ${1+1} {{1+1}}",
    "👩‍👩‍👧‍👦 𝔘𝔫𝔦 z̷̢a 日本",
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_texts_and_labels_are_text_and_nothing_else(opened, text):
    with opened() as page:
        page.locator("#model").select_option("own")
        page.locator("textarea").fill(text)
        value = page.locator("textarea").input_value()
        explained(page)
        assert page.locator(".shaded").evaluate("e => e.textContent") == value
        assert HOSTILE in page.locator(".top .name").all_text_contents()
        assert page.locator("main img, main script, main b").count() == 0
        assert page.title() == "deepmoji"
        page.goto(
            f"{page.url.split('#')[0]}#text={'%3Cimg src=x onerror=alert(1)%3E'}&view=<script>"
        )
        expect(page.locator("textarea")).to_have_value("<img src=x onerror=alert(1)>")
        assert page.locator("main img").count() == 0


def test_a_link_to_a_model_that_is_not_there_says_so(opened):
    with opened("#text=so+tired&model=gone") as page:
        explained(page)
        expect(page.locator("#error")).to_have_text("There is no model gone here; tiny reads it.")
        type_in(page, "happy")
        expect(page.locator("#error")).to_be_hidden()


def test_a_browser_that_keeps_nothing_shows_the_page_too(opened):
    blocked = (
        "Object.defineProperty(window, 'sessionStorage',"
        "{get() { throw new DOMException('blocked', 'SecurityError'); }})"
    )
    with opened() as page:
        page.add_init_script(blocked)
        page.reload()
        explained(page)


def test_the_key_is_asked_for(opened, serving, models):
    refused = [r"401"]
    with (
        serving(models, api_key="sesame") as (address, _),
        opened(address=address, expected=refused) as page,
    ):
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        page.get_by_label("API key").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#key-error")).to_be_visible()
        page.get_by_label("API key").fill("sesame")
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        explained(page)
        assert "sesame" not in page.content()


def test_one_model_needs_no_picker(opened, serving, predictors):
    offered = Models({"default": predictors["own"]})
    with serving(offered) as (address, _), opened(address=address) as page:
        explained(page)
        expect(page.locator("#model-field")).to_be_hidden()
        assert page.locator(".top li").count() == 3
        expect(page.locator(".all")).to_be_hidden()
