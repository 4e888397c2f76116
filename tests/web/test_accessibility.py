"""The page in a real browser for everybody: keyboard, names, narrow screens and contrast."""

import pytest

from tests.helpers.webpage import NEEDS_CHROMIUM, expect, explained

pytestmark = NEEDS_CHROMIUM

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
