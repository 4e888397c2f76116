"""The page in a real browser: the system's Chromium, driven by Playwright."""

import json
import re
from contextlib import contextmanager

import pytest

from deepmoji.labels import EMOJIS
from deepmoji.web.models import Models
from tests.helpers.chromium import ARGUMENTS, find_chromium
from tests.web.conftest import HOSTILE

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
pytestmark = pytest.mark.skipif(
    find_chromium() is None,
    reason="needs a Chromium of the system (apt install chromium), or CHROMIUM naming one",
)
expect = playwright.expect
expect.set_options(timeout=20_000)  # on a machine that does other things too

# Returns every visible piece of text whose contrast to what is painted behind it is below 4.5.
CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const paint = (colours) => {
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const low = [];
  for (const element of document.querySelectorAll("body, body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const drawn = element.getClientRects().length && !element.closest(".hidden, .glyph, option");
    if (!own && element.tagName !== "TEXTAREA" || !drawn) continue;
    const behind = [];
    for (let e = element; e; e = e.parentElement)
      behind.unshift(getComputedStyle(e).backgroundColor);
    const back = light(paint(behind));
    const front = light(paint([...behind, getComputedStyle(element).color]));
    const ratio = (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
    if (ratio < 4.5) low.push([element.outerHTML.slice(0, 80), ratio.toFixed(2), behind.join(" ")]);
  }
  return low;
}"""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def url(serving, models):
    with serving(models) as (address, _):
        yield address


@pytest.fixture
def opened(browser, url):
    """Opens the page; at the end nothing may have been complained of or asked of another host."""

    @contextmanager
    def opened(fragment="", address=url, expected=(), **options):
        options.setdefault("permissions", ["clipboard-read", "clipboard-write"])
        context = browser.new_context(**options)
        complaints, hosts = [], set()
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.goto(f"{address}/{fragment}")
        yield page
        context.close()
        unexpected = [
            each for each in complaints if not any(re.search(known, each) for known in expected)
        ]
        assert unexpected == []
        assert hosts <= {address.removeprefix("http://")}

    return opened


def type_in(page, text, pane=0):
    box = page.locator("textarea").nth(pane)
    box.fill("")
    box.press_sequentially(text)


def explained(page, pane=0):
    """Wait until occlusion has come: of this text, not what is kept of the one before."""
    come = "tbody td:nth-child(3):not(.stale)"
    cell = page.locator(".pane").nth(pane).locator(come, has_text="×").first
    expect(cell).to_have_count(1)
    expect(page.locator(".shaded").nth(pane)).not_to_have_class(re.compile("stale"))


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


def test_nothing_goes_wrong_before_the_models_are_known(opened):
    with opened() as page:
        explained(page)  # or the page before would ask what is held back
        held = []
        page.route("**/v1/models", lambda route: held.append(route))
        page.reload()
        page.wait_for_function("document.querySelector('#toolbar') !== null")
        while not held:
            page.wait_for_timeout(20)
        page.locator("#compare").click(force=True)
        page.locator("#share").click(force=True)
        page.evaluate("location.hash = 'text=happy+day'")
        page.wait_for_timeout(50)
        assert page.locator("textarea").count() == 0
        held[0].continue_()
        expect(page.locator("textarea")).to_have_value("happy day")
        explained(page)
        page.get_by_role("button", name="Compare two").click()
        expect(page.locator("textarea")).to_have_count(2)


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


def test_late_answers_are_dropped(opened, url):
    with opened() as page:
        explained(page)
        held = []

        def hold(route):
            if "slow" in route.request.post_data:
                held.append(route)
            else:
                route.continue_()

        page.route("**/v1/predict", hold)
        page.locator("textarea").fill("slow tired")
        while not held:
            page.wait_for_timeout(20)
        page.locator("textarea").fill("happy day")
        explained(page)
        expect(page.locator(".shaded")).to_have_text("happy day")
        for route in held:
            body = json.dumps({"predictions": []})
            route.fulfill(status=200, content_type="application/json", body=body)
        page.wait_for_timeout(300)
        expect(page.locator(".shaded")).to_have_text("happy day")
        expect(page.locator("#error")).to_be_hidden()


def explains(route):
    return json.loads(route.request.post_data).get("explain") == "occlusion"


def hold(page, wanted=lambda _: True):
    """Hold questions back; gives what lets them go."""
    held, released = [], []

    def handle(route):
        if not released and wanted(route):
            held.append(route)
        else:
            route.continue_()

    def release():
        while not held:
            page.wait_for_timeout(20)
        released.append(True)
        held[-1].continue_()

    page.route("**/v1/predict", handle)
    return release


def test_a_view_changed_while_another_model_answers_shows_one_model(opened):
    with opened("#text=so+tired") as page:
        explained(page)
        page.get_by_text("All 64").click()
        expect(page.locator(".grid li")).to_have_count(64)
        before = page.locator(".top .name").all_text_contents()
        release = hold(page)
        page.locator("#model").select_option("own")
        page.get_by_role("radio", name="Left out").check()
        expect(page.locator(".shaded")).to_have_class(re.compile("stale"))
        assert page.locator(".grid li").count() == 64
        assert page.locator(".top .name").all_text_contents() == before
        release()
        expect(page.locator(".top li")).to_have_count(3)
        explained(page)


def test_what_was_left_out_of_another_answer_is_not_shown_as_of_this_one(opened):
    refused = [r"Failed to load resource"]
    without = "tbody td:nth-child(3)"
    with opened("#text=so+tired&model=own", expected=refused) as page:
        explained(page)
        release = hold(page, explains)
        page.locator("#model").select_option("tiny")
        expect(page.locator(".top li")).to_have_count(5)
        assert page.locator(without).all_text_contents() == ["", ""]
        release()
        explained(page)
        # The same words again, but now nobody says what leaving them out does.
        page.route(
            "**/v1/predict",
            lambda route: (
                route.fulfill(
                    status=422, json={"error": {"code": "invalid", "message": "too many windows"}}
                )
                if explains(route)
                else route.continue_()
            ),
        )
        page.locator("textarea").fill("so tired.")
        expect(page.locator("#error")).to_have_text("Too many windows.")
        assert page.locator(without).all_text_contents() == ["", "", ""]
        expect(page.locator(".shaded")).not_to_have_class(re.compile("stale"))
        page.get_by_role("radio", name="Left out").check()
        expect(page.locator(".shaded")).to_have_class(re.compile("stale"))


def test_numbers_that_are_kept_of_the_text_before_are_dimmed(opened):
    with opened("#text=so+tired") as page:
        explained(page)
        release = hold(page, explains)
        page.locator("textarea").fill("so tired ")
        expect(page.locator("tbody td.stale", has_text="×")).to_have_count(2)
        release()
        explained(page)
        expect(page.locator("tbody td.stale")).to_have_count(0)


def test_an_answer_to_another_text_stays_dimmed_when_there_is_none_to_this(opened):
    with opened(expected=[r"Failed to load resource"]) as page:
        explained(page)
        page.locator("textarea").fill("a" * 10_001)
        expect(page.locator("#error")).to_contain_text("at most 10000 characters")
        expect(page.locator(".shaded")).to_have_class(re.compile("stale"))


# Bodies take their time, so that a newer question comes when half of an answer is there.
SLOW_BODIES = """() => {
  const json = Response.prototype.json;
  Response.prototype.json = async function () {
    await new Promise((resolve) => setTimeout(resolve, 400));
    return json.call(this);
  };
}"""


def test_half_an_answer_to_an_older_question_is_no_failure(opened):
    with opened() as page:
        explained(page)
        page.evaluate(SLOW_BODIES)
        with page.expect_response("**/v1/predict"):
            page.locator("textarea").fill("so tired")
        page.locator("textarea").fill("")
        page.wait_for_timeout(700)
        expect(page.locator("#error")).to_be_hidden()


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


def test_refusals_are_shown_and_pass(opened):
    refused = [r"Failed to load resource"]
    with opened(expected=refused) as page:
        page.locator("textarea").fill("a" * 10_001)
        expect(page.locator("#error")).to_contain_text("at most 10000 characters")
        page.locator("textarea").fill("happy")
        expect(page.locator("#error")).to_be_hidden()
        page.locator("textarea").fill("")
        expect(page.locator(".top li")).to_have_count(0)
        busy = iter([503, 503])

        def once_busy(route):
            status = next(busy, None)
            if status is None:
                route.continue_()
            else:
                route.fulfill(status=status, headers={"Retry-After": "1"}, body="{}")

        page.route("**/v1/predict", once_busy)
        page.locator("textarea").fill("so tired")
        explained(page)
        page.route("**/v1/predict", lambda route: route.abort())
        page.locator("textarea").fill("so sad")
        expect(page.locator("#error")).to_contain_text("does not answer")


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


def test_keyboard_alone(opened):
    with opened() as page:
        explained(page)
        seen = []
        page.locator("body").evaluate("() => document.activeElement.blur()")
        for _ in range(20):
            page.keyboard.press("Tab")
            seen.append(
                page.evaluate(
                    "() => { const e = document.activeElement; const s = getComputedStyle(e);"
                    "const o = e.type === 'radio' ? getComputedStyle(e.nextElementSibling) : s;"
                    "return [e.id || e.value || e.tagName, o.outlineStyle]; }"
                )
            )
        names = [name for name, _ in seen]
        for name in ("model", "attention", "compare", "share", "text-0", "SUMMARY"):
            assert name in names
        assert [name for name, outline in seen if outline == "none" and name != "BODY"] == []


def test_everything_has_a_name(opened):
    with opened() as page:
        explained(page)
        page.get_by_role("button", name="Compare two").click()
        explained(page, 1)
        for name in ("First text", "Second text"):
            expect(page.get_by_role("textbox", name=name)).to_be_visible()
            expect(page.get_by_role("region", name=name)).to_be_visible()
        expect(page.get_by_role("radio", name="Attention")).to_be_checked()
        expect(page.get_by_role("combobox", name="Model")).to_be_visible()
        assert page.locator("html").get_attribute("lang") == "en"
        nameless = page.evaluate(
            "() => [...document.querySelectorAll('button, input, select, textarea')]"
            ".filter((e) => !e.textContent.trim() && !e.labels?.length).map((e) => e.outerHTML)"
        )
        assert nameless == []


@pytest.mark.parametrize("width", [320, 360, 768])
def test_narrow_screens_do_not_scroll_sideways(opened, width):
    long = "#text=" + "supercalifragilistic" * 8 + "&beside=%3Cb%3E" + "x" * 200 + "&model=own"
    for fragment in ("", long):
        with opened(fragment, viewport={"width": width, "height": 700}, has_touch=True) as page:
            explained(page)
            for summary in page.locator("summary").all():
                if summary.is_visible():
                    summary.click()
            page.get_by_role("button", name="Copy link").click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", ["attention", "occlusion"])
def test_contrast(opened, theme, view):
    fragment = f"#text=This+is+the+shit,+so+tired+lol&beside=love&view={view}"
    with opened(fragment, color_scheme=theme, reduced_motion="reduce") as page:
        explained(page)
        explained(page, 1)
        for summary in page.locator("summary").all():
            summary.click()
        expect(page.locator(".grid li")).to_have_count(128)
        assert page.evaluate(CONTRAST) == []
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 21, 26)"
        assert dark == (theme == "dark")


def test_one_model_needs_no_picker(opened, serving, predictors):
    offered = Models({"default": predictors["own"]})
    with serving(offered) as (address, _), opened(address=address) as page:
        explained(page)
        expect(page.locator("#model-field")).to_be_hidden()
        assert page.locator(".top li").count() == 3
        expect(page.locator(".all")).to_be_hidden()
