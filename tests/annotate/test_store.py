"""Where campaigns are kept: nothing is lost, revisions agree with the tables, errors are clear."""

import contextlib
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from deepmoji.annotate import Campaign, Settings
from deepmoji.annotate.migrations import upgrade
from deepmoji.annotate.schema import Base
from deepmoji.annotate.server import serve
from deepmoji.annotate.store import FILE, Store
from deepmoji.errors import InputError, MissingDependency


def test_revisions_make_the_tables_that_the_models_name(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with store.connection() as connection:
        upgrade(connection, store.shown)
    with store.connection() as connection:
        upgrade(connection, store.shown)  # a second time changes nothing
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == "0001"
    store.close()


def test_tables_can_be_made_in_postgresql():
    dialect = postgresql.dialect()
    for table in Base.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=dialect))


def test_a_newer_campaign_is_refused(make):
    made = make()
    with made.campaign.store.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match=r"newer deepmoji \(revision 9999.*pip install --upgrade"):
        Campaign.open(made.campaign.store.place)


def test_settings_of_sqlite_are_those_that_lose_nothing(make):
    made = make()
    with made.campaign.store.engine.connect() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]
    assert values == ["wal", 2, 1, 1]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere", "holds no campaign; make one with: deepmoji annotate new nowhere"),
        ("sqlite:///nowhere.sqlite", "holds no campaign"),
        ("sqlite:////no/such/folder/x.sqlite", "unable to open database file"),
        ("strange://host/x", "knows no database 'strange'"),
        ("://", "no database URL"),
        ("sqlite://", "in memory would be lost"),
    ],
)
def test_what_is_no_campaign_is_told(place, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        Campaign.open(place)


def test_a_damaged_file_is_told(tmp_path):
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="file is not a database"):
        Campaign.open(tmp_path)


def test_a_missing_driver_is_named():
    try:
        import psycopg2cffi  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(MissingDependency, match=r"driver 'psycopg2cffi'.*pip install"):
            Campaign.open("postgresql+psycopg2cffi://user:secret@localhost/x")
    else:
        pytest.skip("the driver is installed")


def test_a_password_is_not_shown(tmp_path):
    with pytest.raises(InputError, match="Invalid SQLite URL") as error:
        Store(f"sqlite://user:secret@/{tmp_path}/x.sqlite")
    assert "secret" not in str(error.value)


def test_a_campaign_is_not_overwritten_and_a_failed_one_leaves_nothing(tmp_path):
    place = tmp_path / "moods"
    with pytest.raises(InputError, match="no text to rate"):
        Campaign.create(place, ["", " "])
    with pytest.raises(InputError, match="stands in row 1 too"):
        Campaign.create(place, _table(tmp_path, "id,text\n1,a\n1,b\n"))
    assert not place.exists()
    Campaign.create(place, ["a"]).close()
    for where in (place, f"sqlite:///{place / FILE}"):
        with pytest.raises(InputError, match="already"):
            Campaign.create(where, ["b"])
    with pytest.raises(InputError, match="let raters bring their own"):
        Campaign.create(tmp_path / "other", None)


@pytest.mark.parametrize("moment", ["mkdir", "connection"])
def test_the_loser_of_a_race_leaves_the_winners_campaign(tmp_path, monkeypatch, moment):
    place = tmp_path / "moods"
    owner = {"mkdir": Path, "connection": Store}[moment]
    url = f"sqlite:///{place / FILE}"
    wait = getattr(owner, moment)

    def overtaken(*arguments, **options):
        monkeypatch.undo()
        Campaign.create(place if moment == "mkdir" else url, ["theirs"]).close()
        return wait(*arguments, **options)

    monkeypatch.setattr(owner, moment, overtaken)
    with pytest.raises(InputError, match="holds a campaign already"):
        Campaign.create(place, ["mine"])
    with Campaign.open(place) as campaign:
        assert campaign.status().items == 1


def test_one_of_many_at_once_makes_the_campaign(tmp_path):
    place, start_line, made = tmp_path / "moods", threading.Barrier(6), []

    def create():
        start_line.wait()
        with contextlib.suppress(InputError):
            Campaign.create(place, ["a"]).close()
            made.append(True)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [True]
    Campaign.open(place).close()


def fail(*_arguments):
    raise InputError("on purpose")


def test_a_folder_that_was_there_is_left_as_it_was(tmp_path, monkeypatch):
    place = tmp_path / "moods"
    place.mkdir()
    place.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr("deepmoji.annotate.campaign.upgrade", fail)
        with pytest.raises(InputError, match="on purpose"):
            Campaign.create(place, ["a"])
    assert list(place.iterdir()) == []
    with Campaign.create(place, ["a"]):
        assert place.stat().st_mode & 0o777 == 0o755
        # What people write about themselves is nobody else's, also in SQLite's log.
        files = [path for path in place.iterdir() if path.stat().st_mode & 0o077 == 0]
        assert len(files) == len(list(place.iterdir())) > 1


def test_a_new_folder_is_private_and_goes_with_what_failed(tmp_path, monkeypatch):
    place = tmp_path / "moods"
    with monkeypatch.context() as patch:
        patch.setattr("deepmoji.annotate.campaign.upgrade", fail)
        with pytest.raises(InputError, match="on purpose"):
            Campaign.create(place, ["a"])
    assert not place.exists()
    Campaign.create(place, ["a"]).close()
    assert place.stat().st_mode & 0o777 == 0o700


def _table(folder, content):
    path = folder / "texts.csv"
    path.write_text(content, "utf-8")
    return path


# Killed while it answers.


@pytest.fixture
def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(place, port):
    """Start the server as a user does, and wait until it answers."""
    command = [sys.executable, "-m", "deepmoji", "annotate", "serve", place, "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    for _ in range(600):
        try:
            with closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
                return process
        except OSError:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the server did not start")


def answers(link, port, acknowledged):
    """Answer as fast as the server lets, until it is gone; note what it acknowledged."""
    path = link.removeprefix(f"http://127.0.0.1:{port}")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        while True:
            connection.request("GET", f"{path}rate")
            page = connection.getresponse().read().decode()
            if 'name="item"' not in page:
                return
            item = page.split('name="item" value="')[1].split('"')[0]
            value = str(int(item) % 9 + 1)
            connection.request(
                "POST",
                f"{path}rate",
                f"item={item}&answer={value}",
                {"content-type": "application/x-www-form-urlencoded"},
            )
            response = connection.getresponse()
            response.read()
            if response.status == 303:
                acknowledged.append((item, value))
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path, free_port):
    place = tmp_path / "moods"
    texts = [f"text {n}" for n in range(3000)]
    url = f"http://127.0.0.1:{free_port}"
    with Campaign.create(place, texts, Settings(url=url, raters_per_item=4)) as campaign:
        links = campaign.invite(4)
    noted = {each.name: [] for each in links}
    for _ in range(2):
        process = start(place, free_port)
        threads = [
            threading.Thread(target=answers, args=(each.link, free_port, noted[each.name]))
            for each in links
        ]
        before = sum(map(len, noted.values()))
        for thread in threads:
            thread.start()
        limit = time.monotonic() + 60
        while sum(map(len, noted.values())) < before + 40 and time.monotonic() < limit:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        for thread in threads:
            thread.join()
    with Campaign.open(place) as campaign:
        kept = {
            (row["rater"], row["item"], row["answer"]) for row in campaign.table("ratings").rows
        }
    wanted = {(name, *each) for name, own in noted.items() for each in own}
    assert len(wanted) >= 80
    assert wanted <= kept
    # At most one answer of each rater was on its way at each kill.
    assert len(kept - wanted) <= 8


def test_the_server_ends_well_and_says_nothing_of_links(tmp_path, free_port):
    place = tmp_path / "moods"
    url = f"http://127.0.0.1:{free_port}"
    with Campaign.create(place, ["a private text"], Settings(url=url)) as campaign:
        [invitation] = campaign.invite(1)
    process = start(place, free_port)
    noted = []
    answers(invitation.link, free_port, noted)
    with closing(http.client.HTTPConnection("127.0.0.1", free_port, timeout=30)) as connection:
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.getheader("server") is None
        response.read()
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert len(noted) == 1
    assert url in error.decode()
    shown = error.decode()
    assert "private" not in shown
    assert invitation.link.split("/")[-2] not in shown
    assert "Traceback" not in shown


def test_what_a_database_says_of_a_text_is_not_logged(tmp_path, free_port):
    place = tmp_path / "moods"
    url = f"http://127.0.0.1:{free_port}"
    with Campaign.create(place, ["a private text"], Settings(url=url)) as campaign:
        [invitation] = campaign.invite(1)
        with campaign.store.write() as session:
            # Refuses in its own words, as PostgreSQL does: Failing row contains (…).
            session.execute(
                text(
                    "CREATE TRIGGER quotes BEFORE INSERT ON rating BEGIN SELECT RAISE(ABORT, "
                    "'row contains a private text'); END"
                )
            )
    process = start(place, free_port)
    with closing(http.client.HTTPConnection("127.0.0.1", free_port, timeout=30)) as connection:
        connection.request("GET", f"{invitation.link.removeprefix(url)}rate")
        assert connection.getresponse().status == 500
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    shown = error.decode()
    assert "IntegrityError" in shown  # what happened is told, and where
    assert "desk.py" in shown
    assert "private" not in shown
    assert invitation.link.split("/")[-2] not in shown


# The second is nobody's: for documentation, RFC 5737.
@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_a_place_that_cannot_be_had_is_told(make, free_port, host):
    made = make()
    message = f"cannot listen on {host}.*--port"
    taken = socket.create_server(("127.0.0.1", free_port))
    with closing(taken), pytest.raises(InputError, match=message):
        serve(made.campaign, host, free_port)
