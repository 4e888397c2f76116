"""Campaigns, their raters, and a clock that tests can move."""

import itertools
import secrets
from dataclasses import dataclass

import pytest
from sqlalchemy import create_engine, func, inspect, select, text
from starlette.testclient import TestClient

from deepmoji.annotate import Campaign, Settings
from deepmoji.annotate.schema import Item, Rater, Rating
from deepmoji.annotate.server import application
from tests.helpers import postgresql as server
from tests.helpers.ratingpages import path_of

# For `pytestmark`: each test of a file with both kinds.
BOTH_DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
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


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server of the tests' own: its URL, with {} for the database."""
    pytest.importorskip("psycopg", reason="needs the driver: pip install 'deepmoji[postgresql]'")
    if server.program("initdb") is None:
        pytest.skip(
            "needs PostgreSQL's programs: initdb is neither on PATH nor where Debian has it"
        )
    with server.running() as url:
        yield url


@pytest.fixture
def databases(postgresql):
    """Make empty databases: the URL of a new one at each call."""
    engine = create_engine(postgresql.format("postgres"), isolation_level="AUTOCOMMIT")
    made = []

    def new():
        name = f"tests_{secrets.token_hex(6)}"
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        made.append(name)
        return postgresql.format(name)

    yield new
    with engine.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def database():
    """The kind of database that campaigns are kept in; tests that say so run with both."""
    return "sqlite"


@pytest.fixture
def new_place(request, database, tmp_path):
    """Say where the next campaign is kept."""
    if database == "postgresql":
        return request.getfixturevalue("databases")
    numbers = itertools.count()
    return lambda: tmp_path / f"campaign-{next(numbers)}"


@pytest.fixture
def make(new_place):
    """Make a campaign: texts and settings in, a campaign, its desk and clock out."""
    made = []

    def make(texts=TEXTS, **settings):
        place = new_place()
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


@pytest.fixture
def site(make, visit):
    """A campaign, a client, and the paths of two raters and the owner."""

    def site(*arguments, **settings):
        made = make(*arguments, **settings)
        links = [path_of(each.link) for each in made.campaign.invite(2)]
        return made, visit(made), links, path_of(made.campaign.owner_link)

    return site
