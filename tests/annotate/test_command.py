"""`deepmoji annotate` from the terminal."""

import json
import re

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from deepmoji.annotate import Campaign
from deepmoji.annotate.store import Store
from deepmoji.cli import app


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.txt").write_text("so happy\nso sad\n", "utf-8")

    def call(*arguments):
        return CliRunner().invoke(app, ["annotate", *map(str, arguments)])

    return call


def test_from_texts_to_labels(call, tmp_path):
    made = call(
        "new", "moods", "texts.txt", "--scale", "labels:joy,sadness", "--raters-per-item", 2
    )
    assert made.exit_code == 0
    assert "2 texts, 2 raters each." in made.stdout
    assert re.search(r"http://127\.0\.0\.1:8765/o/[\w-]{43}/$", made.stdout, re.MULTILINE)
    invited = call("invite", "moods", 2, "--url", "https://rate.example.org/study/")
    lines = invited.stdout.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"r-[0-9a-f]{10}\thttps://rate\.example\.org/study/r/[\w-]{43}/", lines[0])
    rows = "item,worker,answer\n1,a,joy\n1,b,joy\n2,a,sadness\n2,b,joy\n"
    (tmp_path / "in.csv").write_text(rows, "utf-8")
    assert "4 new answers, 0 changed, 2 new workers." in call("crowd-in", "moods", "in.csv").stdout
    status = json.loads(call("status", "moods", "--json").stdout)
    assert (status["answers"], status["complete"], len(status["raters"])) == (4, 2, 4)
    assert "4 of 4 answers" in call("status", "moods").stdout
    exported = call("export", "moods", "labels.csv")
    assert exported.stdout == "1 rows; left out: 1 for a tie.\n"
    assert (tmp_path / "labels.csv").read_text("utf-8").splitlines()[1] == "so happy,joy,1,2,1.0"
    assert call("crowd-out", "moods", "out.csv").stdout == "0 texts need raters.\n"
    name = lines[0].split("\t")[0]
    assert call("revoke", "moods", name, "--owner").stdout.splitlines()[0] == f"{name}: revoked"


def test_errors_take_one_line(call):
    call("new", "moods", "texts.txt")
    for arguments, message in [
        (("new", "moods", "texts.txt"), "moods is there already"),
        (("new", "other"), "let raters bring their own"),
        (("new", "other", "texts.txt", "--consent", "none.txt"), "none.txt"),
        (("status", "none"), "deepmoji annotate new none TEXTS"),
        (("export", "moods", "x.doc"), "has to end in one of"),
        (("revoke", "moods", "r-x"), "no rater r-x"),
    ]:
        result = call(*arguments)
        assert result.exit_code == 1
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert call("revoke", "moods").exit_code == 2


def test_instructions_and_posts_of_their_own(call, tmp_path):
    (tmp_path / "consent.txt").write_text("Ours.", "utf-8")
    made = call("new", "moods", "--contribute", "--consent", "consent.txt", "--json")
    assert json.loads(made.stdout)["texts"] == 0
    (tmp_path / "empty.txt").write_text(" \n", "utf-8")
    assert call("new", "b", "texts.txt", "--instructions", "empty.txt").exit_code == 1


@pytest.mark.parametrize(
    ("refused", "arguments"),
    [
        ("INSERT ON rater", ("invite", "moods", 2)),
        ("UPDATE ON rater", ("revoke", "moods", "{rater}")),
        ("INSERT ON rating", ("crowd-in", "moods", "in.csv")),
    ],
)
def test_what_the_database_refuses_takes_one_line(call, tmp_path, refused, arguments):
    call("new", "moods", "texts.txt")
    rater = call("invite", "moods", 1).stdout.split("\t")[0]
    (tmp_path / "in.csv").write_text("item,worker,answer\n1,V,5\n", "utf-8")
    with Campaign.open("moods") as campaign, campaign.store.write() as session:
        trigger = f"CREATE TRIGGER full BEFORE {refused} BEGIN SELECT RAISE(ABORT, 'no room'); END"
        session.execute(text(trigger))
    result = call(*(str(each).format(rater=rater) for each in arguments))
    assert result.exit_code == 1
    assert result.stderr == "error: cannot use the database moods: no room\n"


def test_a_database_that_breaks_between_is_told(call, monkeypatch):
    call("new", "moods", "texts.txt")

    def broken(_store):
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Store, "read", broken)
    for command in (("status", "moods"), ("new", "other", "texts.txt")):
        result = call(*command)
        assert result.exit_code == 1
        assert re.fullmatch(
            r"error: cannot use the database (moods|other): disk I/O error\n", result.stderr
        )


@pytest.mark.parametrize(
    ("place", "shown"),
    [("my camp", "'my camp'"), ("moods", "moods"), ("a;b", "'a;b'")],
)
def test_what_comes_next_can_be_pasted_into_a_shell(call, place, shown):
    last = call("new", place, "texts.txt").stdout.splitlines()[-1]
    assert last == f"Next: deepmoji annotate invite {shown} 5; deepmoji annotate serve {shown}"
    assert f"deepmoji annotate new 'no {place}' TEXTS" in call("status", f"no {place}").stderr


def test_what_comes_next_holds_no_password(call, databases):
    url = databases().replace("@", ":secret@", 1)  # which the tests' server does not ask for
    assert make_url(url).password is not None
    made = call("new", url, "texts.txt")
    assert made.exit_code == 0
    assert "***" in made.stdout.splitlines()[-1]
    assert "secret" not in made.stdout


def test_rows_of_revoked_workers_are_told(call, tmp_path):
    call("new", "moods", "texts.txt")
    (tmp_path / "in.csv").write_text("item,worker,answer\n1,V,5\n2,V,5\n", "utf-8")
    call("crowd-in", "moods", "in.csv")
    [rater] = json.loads(call("status", "moods", "--json").stdout)["raters"]
    call("revoke", "moods", rater["name"], "--delete-answers")
    told = call("crowd-in", "moods", "in.csv").stdout
    assert "0 new answers" in told
    assert "2 rows of revoked raters left out" in told
    assert json.loads(call("crowd-in", "moods", "in.csv", "--json").stdout)["revoked"] == 2
