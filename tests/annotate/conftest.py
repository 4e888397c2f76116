"""Campaigns, their raters, and a clock that tests can move."""

from dataclasses import dataclass

import pytest
from sqlalchemy import func, inspect, select
from starlette.testclient import TestClient

from deepmoji.annotate import Campaign, Settings
from deepmoji.annotate.schema import Item, Rater, Rating
from deepmoji.annotate.server import application

TEXTS = ["I love it", "so sad", "meh", "whatever", "best day ever"]


class Clock:
    """Seconds since 1970 that pass when told."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@dataclass
class Made:
    """A campaign with a desk and links."""

    campaign: Campaign
    clock: Clock

    def __post_init__(self):
        self.desk = self.campaign.desk()

    def raters(self, count):
        """Invite raters, and return their ids."""
        names = [each.name for each in self.campaign.invite(count)]
        return [self.rater(name).id for name in names]

    def rater(self, name):
        with self.campaign.store.read() as session:
            return session.scalars(select(Rater).where(Rater.name == name)).one()

    def answer_all(self, rater, value):
        """Answer everything that a rater is given; return the texts."""
        seen = []
        while (item := self.desk.next(rater).item) is not None:
            seen.append(item.text)
            given = value(item.text) if callable(value) else value
            assert self.desk.answer(rater, item.id, given)
        return seen


@pytest.fixture
def make(tmp_path):
    """Make a campaign: texts and settings in, a campaign, its desk and clock out."""
    made = []

    def make(texts=TEXTS, **settings):
        place = tmp_path / f"campaign-{len(made)}"
        first = Campaign.create(place, texts, Settings(**settings))
        clock = Clock()
        campaign = Campaign.open(place, clock=clock)
        campaign.owner_link = first.owner_link
        first.close()
        made.append(campaign)
        return Made(campaign, clock)

    yield make
    for campaign in made:
        check_counts(campaign)
        campaign.close()


def check_counts(campaign):
    """After whatever a test did, each item knows how many answers it has."""
    answers = select(func.count(Rating.answered)).where(Rating.item_id == Item.id)
    with campaign.store.read() as session:
        if inspect(session.connection()).has_table("rating"):
            rows = session.execute(select(Item.answers, answers.scalar_subquery())).all()
            assert [row for row in rows if row[0] != row[1]] == []


@pytest.fixture
def visit():
    """Open a campaign's site: a client that follows no redirect."""

    def visit(made):
        return TestClient(
            application(made.campaign), base_url="http://127.0.0.1:8765", follow_redirects=False
        )

    return visit
