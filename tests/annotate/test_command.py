"""`deepmoji annotate` from the terminal."""

import json
import re

import pytest
from typer.testing import CliRunner

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
