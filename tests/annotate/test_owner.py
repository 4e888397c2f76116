"""What the owner of a campaign does on the site."""

import html
import re

import pytest

from tests.helpers.ratingpages import FORM, path_of, rate


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
