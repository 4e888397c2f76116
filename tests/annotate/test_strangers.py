"""What nobody can do on the site without the right link, and what it never tells."""

import logging
import re

import pytest
from sqlalchemy import text as sql

from tests.helpers.ratingpages import FORM, item_of, path_of, rate

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
