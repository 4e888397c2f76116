"""The pages of a campaign's site: read, and filled in as a rater does."""

import html
import re

FORM = {"content-type": "application/x-www-form-urlencoded"}


def path_of(link):
    """A link without the server of the tests."""
    return link.removeprefix("http://127.0.0.1:8765")


def text_of(page):
    """The text that a rating page shows."""
    shown = re.search(r'<article class="text".*?<p dir="auto">(.*?)</p>', page, re.DOTALL)
    return html.unescape(shown[1])


def item_of(page):
    """The number of the item that a rating page asks about."""
    return re.search(r'name="item" value="(\d+)"', page)[1]


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
