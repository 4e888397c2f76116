"""A whole campaign in PostgreSQL, in a server of the tests' own: from the terminal and the browser.

What is promised of any database is tested with both, in test_pool.py and test_crowd.py.
"""

import json
import signal
import threading
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from typer.testing import CliRunner

from deepmoji.annotate import Campaign, Settings
from deepmoji.annotate.schema import Base
from deepmoji.cli import app
from deepmoji.errors import InputError
from deepmoji.evaluation import datasets
from tests.annotate.test_export import HOSTILE
from tests.annotate.test_store import answers, free_port, start
from tests.helpers.ratingpages import path_of, rate

__all__ = ["free_port"]


def call(*arguments):
    done = CliRunner().invoke(app, ["annotate", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_from_texts_to_labels(databases, tmp_path):
    url, texts = databases(), tmp_path / "texts.txt"
    texts.write_text("so happy\nso sad\nmeh\n", "utf-8")
    made = call("new", url, texts, "--raters-per-item", 2, "--contribute")
    assert "3 texts, 2 raters each." in made
    raters = json.loads(call("invite", url, 3, "--json"))["raters"]
    with Campaign.open(url) as campaign:
        desk = campaign.desk()
        first, second, third = (desk.find(each["link"].split("/")[-2]).id for each in raters)
        points = {"so happy": "9", "so sad": "2", "meh": "5"}
        for rater in (first, second):
            desk.consent(rater)
            while (item := desk.next(rater).item) is not None:
                assert desk.answer(rater, item.id, (points[item.text],))
        assert desk.next(third).item is None
        desk.bring(third, ["a post of mine", "another"])
        item = desk.next(third).item
        assert desk.answer(third, item.id, ("8",))
        assert desk.again(first, item.id) is None
    status = json.loads(call("status", url, "--json"))
    assert (status["answers"], status["complete"], status["posts"]) == (6, 3, 2)
    assert status["alpha"] == 1
    call("revoke", url, raters[2]["name"], "--delete-answers")
    exported = tmp_path / "labels.parquet"
    assert "2 rows; left out: 1 for a near-neutral mean." in call(
        "export", url, exported, "--format", "mean"
    )
    train = datasets.read(exported).train
    assert dict(zip(train.texts, train.labels, strict=True)) == {
        "so happy": ("positive",), "so sad": ("negative",),
    }  # fmt: skip
    results = tmp_path / "in.csv"
    results.write_text("item,worker,answer\n1,W,7\n", "utf-8")
    assert "1 new answers" in call("crowd-in", url, results)
    assert call("crowd-out", url, tmp_path / "out.csv") == "0 texts need raters.\n"


@pytest.fixture
def made(make):
    return make(HOSTILE, raters_per_item=1, scale="labels:a,b", contribute=True)


@pytest.fixture
def database():
    return "postgresql"


def test_the_site_with_hostile_texts(made, visit):
    client, link = visit(made), path_of(made.campaign.invite(1)[0].link)
    assert client.get(f"{link}rate").headers["location"] == "./"
    client.post(f"{link}consent", data={"agree": "yes"})
    client.post(f"{link}posts", data={"posts": "\n\n".join(HOSTILE[:3])})
    seen = set()
    while (shown := rate(client, link, {"answer": "b"})) is not None:
        seen.add(shown)
    assert len(seen) == len(HOSTILE)  # three of them are posts with the same words
    owner = path_of(made.campaign.owner_link)
    assert f"{len(HOSTILE)} <small>of" in client.get(owner).text
    assert client.get(f"{owner}export?form=majority&as=.parquet").status_code == 200
    assert client.post(f"{link}delete", data={"sure": "yes"}).status_code == 200
    status = made.campaign.status()
    assert (status.answers, status.posts) == (0, 0)


def test_revisions_make_the_tables_that_the_models_name(made):
    with made.campaign.store.connection() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_campaigns_are_neither_overwritten_nor_read_by_older_versions(made):
    url = made.campaign.store.place
    with pytest.raises(InputError, match="holds a campaign already"):
        Campaign.create(url, ["b"])
    with made.campaign.store.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match=r"newer deepmoji \(revision 9999"):
        Campaign.open(url)


def test_what_is_no_campaign_is_told(databases, postgresql):
    with pytest.raises(InputError, match="holds no campaign"):
        Campaign.open(databases())
    with pytest.raises(InputError, match='database "nowhere" does not exist'):
        Campaign.open(postgresql.format("nowhere"))
    with pytest.raises(InputError, match="No such file or directory") as error:
        Campaign.open("postgresql://me:secret@/x?host=/nowhere")
    assert "secret" not in str(error.value)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(databases, free_port):
    url = databases()
    settings = Settings(url=f"http://127.0.0.1:{free_port}", raters_per_item=2)
    with Campaign.create(url, [f"text {n}" for n in range(1000)], settings) as campaign:
        links = campaign.invite(2)
    noted = {each.name: [] for each in links}
    process = start(url, free_port)
    threads = [
        threading.Thread(target=answers, args=(each.link, free_port, noted[each.name]))
        for each in links
    ]
    for thread in threads:
        thread.start()
    limit = time.monotonic() + 60
    while sum(map(len, noted.values())) < 40 and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    for thread in threads:
        thread.join()
    with Campaign.open(url) as campaign:
        kept = {
            (row["rater"], row["item"], row["answer"]) for row in campaign.table("ratings").rows
        }
    wanted = {(name, *each) for name, own in noted.items() for each in own}
    assert len(wanted) >= 40
    assert wanted <= kept
