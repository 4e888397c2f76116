"""The site: what raters and owners can do by their links, and that nobody else can do anything."""

import html
import logging
import re
from urllib.parse import urlencode

import pytest
from sqlalchemy import text as sql

from deepmoji.annotate.schema import Rating
from tests.annotate.test_export import HOSTILE

FORM = {"content-type": "application/x-www-form-urlencoded"}


def path_of(link):
    return link.removeprefix("http://127.0.0.1:8765")


def text_of(page):
    """The text that a rating page shows."""
    shown = re.search(r'<article class="text".*?<p dir="auto">(.*?)</p>', page, re.DOTALL)
    return html.unescape(shown[1])


def item_of(page):
    return re.search(r'name="item" value="(\d+)"', page)[1]


@pytest.fixture
def site(make, visit):
    """A campaign, a client, and the paths of two raters and the owner."""

    def site(*arguments, **settings):
        made = make(*arguments, **settings)
        links = [path_of(each.link) for each in made.campaign.invite(2)]
        return made, visit(made), links, path_of(made.campaign.owner_link)

    return site


def rate(client, link, value):
    """Answer the next text; return it, None when there is none."""
    page = client.get(f"{link}rate")
    assert page.status_code == 200
    if 'name="item"' not in page.text:
        return None
    fields = {"item": item_of(page.text), **value}
    answer = client.post(f"{link}rate", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "rate")
    return text_of(page.text)


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


# Strangers.

STRANGERS = [
    "/", "/r/", "/o/", "/r/x/", "/o/x/", "/r/x", "/r/x/rate", "/o/x/export", "/x/y/", "/x/y/z",
    "/r/x/style.css", "/o/x/style.css", "/style.css", "/static/style.css", "/keys.js",
    "/favicon.ico", "/robots.txt", "/docs", "/openapi.json", "/healthz", "/r//", "/r/../o/x/",
    "/campaign.sqlite", "/r/%00/", "/r/%ff%fe/", "/r/" + "A" * 43 + "/", "/r/" + "é" * 2000 + "/",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_stranger_reaches_nothing(site, method):
    _, client, _, _ = site()
    bodies, headers = set(), set()
    for path in STRANGERS:
        answer = client.request(method, path, headers=FORM if method == "POST" else {})
        assert answer.status_code == 404, path
        bodies.add(answer.content)
        headers.add(tuple(sorted((k, v) for k, v in answer.headers.items())))
    assert bodies == ({b""} if method == "HEAD" else {b"Not found"})
    assert len(headers) == 1
    assert "x-powered-by" not in dict(headers.pop())


def test_links_are_for_what_they_are_for(site):
    _, client, (link, _), owner = site()
    rater_token, owner_token = link.split("/")[2], owner.split("/")[2]
    for path in (f"/o/{rater_token}/", f"/r/{owner_token}/", f"/o/{rater_token}/export",
                 f"/r/{owner_token}/rate", f"{link}export?form=ratings&as=.csv",
                 f"{owner}rate", f"{link}../", f"{link}nothing", f"{link}rate/",
                 f"{link}%2e%2e", f"/r/{rater_token.lower()}/",
                 f"/r/{rater_token[:-1]}/", f"/r/{rater_token}A/"):  # fmt: skip
        assert client.get(path).status_code == 404, path
    assert client.post(owner, data={"x": ""}).status_code == 404


def test_revoked_links_are_strangers(site):
    made, client, (link, _), owner = site()
    assert client.get(f"{link}style.css").status_code == 200
    made.campaign.revoke(link)
    new = path_of(made.campaign.renew_owner())
    for path in (link, f"{link}rate", f"{link}style.css", owner):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (404, "Not found")
    assert client.get(new).status_code == 200


def test_tokens_are_long_and_only_their_hash_is_stored(site):
    made, _, links, owner = site()
    tokens = [link.split("/")[2] for link in (*links, owner)]
    assert all(len(token) >= 43 for token in tokens)  # 256 bits
    made.campaign.store.forget()
    content = b"".join(file.read_bytes() for file in made.campaign.store.folder.iterdir())
    assert not [token for token in tokens if token.encode() in content]
    assert made.campaign.store.folder.stat().st_mode & 0o077 == 0


def test_no_page_leaks_its_address_or_runs_anything_else(site):
    _, client, (link, _), owner = site(contribute=True, consent="x")
    client.post(f"{link}consent", data={"agree": "yes"})
    for path in (link, f"{link}rate", f"{link}answers", f"{link}posts", f"{link}delete", owner,
                 f"{link}style.css", "/nothing"):  # fmt: skip
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "set-cookie" not in answer.headers
        if "html" in answer.headers["content-type"]:
            # An address may be told, to the owner; none may be followed or loaded.
            followed = r"[=(]\s*[\"']?(?:https?:)?//|<style|style=|\son\w+=|<script(?! src=)"
            assert not re.search(followed, answer.text)


def test_other_sites_cannot_send_forms(site):
    made, client, (link, _), _ = site()
    item = item_of(client.get(f"{link}rate").text)
    for said in ("cross-site", "same-site"):
        forged = client.post(
            f"{link}rate", data={"item": item, "answer": "5"}, headers={"sec-fetch-site": said}
        )
        assert forged.status_code == 404
    assert made.campaign.status().answers == 0
    # Without the token in the address there is nothing to forge: no cookie acts for anybody.
    assert client.post("/r/rate", data={"item": item, "answer": "5"}).status_code == 404


def test_requests_have_limits(site):
    _, client, (link, _), _ = site()
    large = client.post(f"{link}rate", content=b"a=" + b"x" * (1 << 20), headers=FORM)
    assert (large.status_code, large.text) == (413, "a form has at most 1,048,576 bytes")
    many = client.post(f"{link}rate", content=b"a=1&" * 1000, headers=FORM)
    assert many.status_code == 400
    assert client.post(f"{link}rate", json={"item": 1}).status_code == 415
    assert client.post(f"{link}rate", data={"item": "x"}).status_code == 404
    assert client.post(f"{link}rate", data={"item": "9" * 50}).status_code == 404
    assert client.get(f"{link}answers?page=99999999999999999999").status_code == 200
    assert client.get(f"{link}rate?item={2**40}").status_code in {200, 404}


def test_texts_are_never_logged(site, caplog, capfd):
    made, client, (link, _), _ = site(["a very private text"])
    caplog.set_level(logging.DEBUG)
    rate(client, link, {"answer": "7"})
    with made.campaign.store.write() as session:
        session.execute(sql("ALTER TABLE rating RENAME TO gone"))
    answer = client.get(f"{link}rate")
    assert answer.status_code == 503
    shown = caplog.text + "".join(capfd.readouterr()) + answer.text
    assert "private" not in shown
    assert link.split("/")[2] not in caplog.text.replace(f"http://127.0.0.1:8765{link}", "")


# The owner.


def test_the_owner_sees_progress_and_takes_tables_away(site):
    made, client, links, owner = site(raters_per_item=2)
    for link, value in zip(links, ("7", "8"), strict=True):
        for _ in range(3):
            rate(client, link, {"answer": value})
    page = client.get(owner).text
    assert "6 <small>of 10</small>" in page
    assert "Krippendorff" in page
    for each in made.campaign.status().raters:
        assert each.name in page
    exports = [html.unescape(each) for each in re.findall(r'href="(export\?[^"]*)"', page)]
    assert len(exports) == 16
    for export in exports:
        answer = client.get(owner + export)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.content
    assert client.get(f"{owner}export?form=majority&as=.exe").status_code == 404
    assert client.get(f"{owner}export?form=x&as=.csv").status_code == 404


@pytest.mark.parametrize("scale", ["labels:<i>,joy", "emojis"])
def test_the_owner_sees_every_scale(site, scale):
    _, client, (link, _), owner = site(scale=scale)
    rate(client, link, {"answer": "😂" if scale == "emojis" else "<i>"})
    page = client.get(owner).text
    assert "<i>" not in page
    assert "mean" not in re.findall(r'<th scope="row">(\w+)</th>', page)
    assert client.get(f"{owner}export?form=mean&as=.csv").status_code == 422


def test_the_owner_invites(site):
    made, client, _, owner = site()
    invited = client.post(f"{owner}invite", data={"count": "3"})
    assert invited.status_code == 200
    links = re.findall(r"r-[0-9a-f]{10}\t(http://127\.0\.0\.1:8765/r/[\w-]{43}/)", invited.text)
    assert len(set(links)) == 3
    for link in links:
        assert client.get(path_of(link)).status_code == 200
        assert link not in client.get(owner).text
    assert len(made.campaign.status().raters) == 5


@pytest.mark.parametrize("count", ["", "0", "-1", "501", "9" * 30, "five", "1.5", "٣", None])
def test_the_owner_is_told_what_cannot_be_invited(site, count):
    made, client, _, owner = site()
    refused = client.post(f"{owner}invite", data={} if count is None else {"count": count},
                          headers=FORM)  # fmt: skip
    assert (refused.status_code, "a number, 1 to 500" in refused.text) == (422, True)
    assert len(made.campaign.status().raters) == 2


def test_the_owner_ends_links(site):
    made, client, (first, second), owner = site(raters_per_item=1)
    for link in (first, second):
        rate(client, link, {"answer": "7"})
    names = [each.name for each in made.campaign.status().raters]
    page = client.get(f"{owner}rater?name={names[0]}").text
    assert "1 answer and 0 posts" in page
    assert client.post(f"{owner}revoke", data={"name": names[0]}).headers["location"] == "./#raters"
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    assert made.campaign.status().answers == 2
    client.post(f"{owner}revoke", data={"name": names[1], "delete": "yes"})
    assert client.get(second).status_code == 404
    assert made.campaign.status().answers == 1
    page = client.get(owner).text
    assert f"rater?name={names[0]}" in page  # their answers can be deleted yet
    assert f"rater?name={names[1]}" not in page
    assert "Delete it" in client.get(f"{owner}rater?name={names[0]}").text


def test_only_the_owner_invites_and_ends_links(site):
    made, client, (link, other), owner = site()
    name = made.campaign.status().raters[1].name
    for door in (link, f"/o/{link.split('/')[2]}/", "/o/x/"):
        assert client.post(f"{door}invite", data={"count": "1"}).status_code == 404
        assert client.get(f"{door}rater?name={name}").status_code == 404
        assert client.post(f"{door}revoke", data={"name": name}).status_code == 404
    forged = {"sec-fetch-site": "cross-site"}
    for page, fields in (("invite", {"count": "1"}), ("revoke", {"name": name})):
        assert client.post(f"{owner}{page}", data=fields, headers=forged).status_code == 404
        assert client.get(f"{owner}{page}", params=fields).status_code == 404
    for strange in ("", "r-0000000000", other, f"{name}'--"):
        assert client.get(f"{owner}rater", params={"name": strange}).status_code == 404
        assert client.post(f"{owner}revoke", data={"name": strange}).status_code == 404
    assert [each.revoked for each in made.campaign.status().raters] == [False, False]
