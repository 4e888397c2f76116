"""What raters do on the site, by their links."""

import html
import re
from urllib.parse import urlencode

import pytest

from deepmoji.annotate.schema import Rating
from tests.annotate.test_export import HOSTILE
from tests.helpers.ratingpages import FORM, item_of, rate, text_of


def test_a_rater_goes_through_a_campaign(site):
    made, client, (link, _), _ = site(raters_per_item=1, instructions="Feel & answer.")
    start = client.get(link)
    assert "Feel &amp; answer." in start.text
    assert "Start rating" in start.text
    seen = set()
    while (text := rate(client, link, {"answer": "7"})) is not None:
        seen.add(text)
    assert len(seen) == 5
    assert "You answered 5 texts" in client.get(f"{link}rate").text
    assert made.campaign.status().given["7"] == 5


def test_a_rater_goes_back_and_changes(site):
    made, client, (link, _), _ = site()
    first = rate(client, link, {"answer": "7"})
    page = client.get(f"{link}rate").text
    [back] = re.findall(r'href="(rate\?item=\d+)"', page)
    page = client.get(f"{link}{back}").text
    assert text_of(page) == first
    assert 'aria-label="7, your answer"' in page
    client.post(f"{link}rate", data={"item": item_of(page), "unknown": "1"})
    assert "don’t know" in client.get(f"{link}answers").text
    status = made.campaign.status()
    assert (status.answers, status.unknown, status.given["7"]) == (1, 1, 0)


def test_a_rater_deletes_everything_after_a_question(site):
    made, client, (link, _), _ = site()
    rate(client, link, {"answer": "7"})
    assert client.post(f"{link}delete", data={"x": ""}).headers["location"] == "delete"
    assert made.campaign.status().answers == 1
    assert "1 answer" in client.get(f"{link}delete").text
    assert "deleted" in client.post(f"{link}delete", data={"sure": "yes"}).text
    assert made.campaign.status().answers == 0
    assert client.get(link).status_code == 200


def test_consent_comes_first(site):
    made, client, (link, _), _ = site(consent="We keep <b>this</b>.")
    for page in ("rate", "answers", "rate?item=1"):
        assert client.get(link + page).headers["location"] == "./"
    assert client.post(f"{link}rate", data={"item": "1", "answer": "5"}).headers["location"] == "./"
    assert "We keep &lt;b&gt;this&lt;/b&gt;." in client.get(link).text
    assert client.post(f"{link}consent", data={"x": ""}).headers["location"] == "./"
    assert client.post(f"{link}consent", data={"agree": "yes"}).headers["location"] == "rate"
    rate(client, link, {"answer": "7"})
    client.post(f"{link}delete", data={"sure": "yes"})
    assert client.get(f"{link}rate").headers["location"] == "./"
    assert made.campaign.status().answers == 0


def test_people_bring_their_own_posts(site):
    made, client, (link, other), _ = site(None, contribute=True)
    assert "Do not paste what others wrote" in client.get(link).text
    for each in (link, other):
        client.post(f"{each}consent", data={"agree": "yes"})
    pasted = "I got the job!\r\nReally!\r\n\r\n \r\n=sad & <b>done</b>"
    assert client.post(f"{link}posts", data={"posts": pasted}).headers["location"] == "rate"
    page = client.get(f"{link}rate").text
    assert "How did you feel when you wrote this?" in page
    first, second = item_of(page), rate(client, link, {"answer": "9"})
    assert second == "I got the job!\r\nReally!"
    assert rate(client, link, {"answer": "2"}) == "=sad & <b>done</b>"
    assert client.get(f"{other}rate?item={first}").status_code == 404
    assert client.post(f"{other}take-back", data={"item": first}).headers["location"] == "posts"
    assert made.campaign.status().posts == 2
    client.post(f"{link}take-back", data={"item": first})
    assert made.campaign.status().posts_answered == 1
    assert "I got the job" not in client.get(f"{link}posts").text
    long = client.post(f"{link}posts", data={"posts": "x" * 2001})
    assert (long.status_code, "2,001 characters" in long.text, "x" * 2001 in long.text) == (
        422, True, True,
    )  # fmt: skip
    assert client.post(f"{link}posts", data={"posts": " \n "}).status_code == 422


def test_contribute_pages_are_not_there_without_it(site):
    _, client, (link, _), _ = site()
    assert client.get(f"{link}posts").status_code == 404
    assert client.post(f"{link}posts", data={"posts": "x"}).status_code == 404


@pytest.mark.parametrize("text", [each for each in HOSTILE if each.strip()])
def test_hostile_texts_are_shown_and_nothing_more(site, text):
    _, client, (link, _), _ = site([text], title=f"T {text}", instructions=text)
    stored = text.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd")
    shown = client.get(f"{link}rate").text
    assert text_of(shown) == stored
    rate(client, link, {"answer": "5"})
    for page in (shown, client.get(link).text, client.get(f"{link}answers").text):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert text != HOSTILE[2] or "49" not in page


@pytest.mark.parametrize(
    ("scale", "given", "stored"),
    [
        ({"scale": "labels:<b>,&quot;"}, "<b>", '["<b>"]'),
        ({"scale": "labels:joy,fear", "multi": True}, "fear", '["fear"]'),
        ({"scale": "emojis"}, "😂", '["😂"]'),
    ],
)
def test_every_scale_can_be_answered(site, scale, given, stored):
    made, client, (link, _), _ = site(["a"], **scale)
    page = client.get(f"{link}rate").text
    assert f'value="{html.escape(given)}"' in page
    rate(client, link, {"answer": given})
    with made.campaign.store.read() as session:
        assert session.query(Rating.answer).one()[0] == stored
    page = client.get(f"{link}rate?item=1").text
    assert "your answer" in page or "checked" in page


def test_several_labels_or_none(site):
    made, client, (link, _), _ = site(["a"], scale="labels:joy,fear", multi=True)
    client.get(f"{link}rate")
    body = urlencode([("item", 1), ("answer", "fear"), ("answer", "joy")])
    assert client.post(f"{link}rate", content=body, headers=FORM).status_code == 303
    assert made.campaign.status().given == {"joy": 1, "fear": 1}
    client.post(f"{link}rate", data={"item": "1"})
    assert made.campaign.status().given == {"joy": 0, "fear": 0}
    assert "none of them" in client.get(f"{link}answers").text


@pytest.mark.parametrize("answer", [{}, {"answer": "10"}, {"answer": ["4", "5"]}, {"answer": ""}])
def test_what_is_no_answer_is_not_saved(site, answer):
    made, client, (link, _), _ = site()
    item = item_of(client.get(f"{link}rate").text)
    wrong = client.post(f"{link}rate", data={"item": item, **answer})
    assert wrong.status_code == 422
    assert item_of(wrong.text) == item
    assert made.campaign.status().answers == 0


def test_a_late_answer_is_told(site):
    made, client, (slow, quick), _ = site(["only"], raters_per_item=1)
    item = item_of(client.get(f"{slow}rate").text)
    made.clock.now += 7200
    assert rate(client, quick, {"answer": "5"}) == "only"
    late = client.post(f"{slow}rate", data={"item": item, "answer": "1"})
    assert late.headers["location"] == "rate?taken=1"
