"""The page in a real browser when answers are late, half there, refused or missing."""

import json
import re

from tests.helpers.webpage import NEEDS_CHROMIUM, expect, explained

pytestmark = NEEDS_CHROMIUM


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
