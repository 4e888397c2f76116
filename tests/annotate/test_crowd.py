"""Crowd platforms: what goes out, what comes in, and that it comes in once."""

import csv
import json
import re
from datetime import datetime

import pytest

from deepmoji.annotate.crowd import Columns, TakenIn
from deepmoji.annotate.schema import Base
from deepmoji.errors import InputError
from deepmoji.evaluation.tables import open_table
from tests.annotate.conftest import BOTH_DATABASES

pytestmark = BOTH_DATABASES


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def dump(store):
    """All that is stored, as one string."""
    with store.read() as session:
        return str([session.execute(table.select()).all() for table in Base.metadata.sorted_tables])


@pytest.fixture
def made(make):
    made = make(["I love it", "so sad", "=meh"], raters_per_item=2, contribute=True)
    made.desk.bring(made.raters(1)[0], ["mine"])
    return made


def test_out_and_in(made, tmp_path):
    assert made.campaign.crowd_out(tmp_path / "out.csv") == 3
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        out = list(csv.DictReader(file))
    assert out[2] == {"item": "3", "text": "'=meh", "needed": "2"}  # not mine: that is nobody's
    back = [
        {"item": row["item"], "worker": f"W{n}", "answer": str(n), "when": "2026-01-01T00:00Z"}
        for row in out[:2]
        for n in (3, 4)
    ]
    path = write(tmp_path / "in.csv", back)
    columns = Columns(time="when")
    assert made.campaign.crowd_in(path, columns) == TakenIn(
        answers=4, changed=0, workers=2, beyond=0, rejected=0, revoked=0
    )
    assert made.campaign.crowd_in(path, columns) == TakenIn(
        answers=0, changed=0, workers=0, beyond=0, rejected=0, revoked=0
    )
    rows = made.campaign.table("ratings").rows
    assert {row["time"] for row in rows} == {"2026-01-01T00:00:00.000Z"}
    assert made.campaign.crowd_out(tmp_path / "out.csv") == 1
    status = made.campaign.status()
    assert (status.complete, status.answers) == (2, 4)
    assert [each.crowd for each in status.raters] == [False, True, True]


def test_names_of_mechanical_turk_and_workers_are_not_stored(made, tmp_path):
    rows = [
        {"Input.item": "1", "WorkerId": "AMAZON1", "AssignmentStatus": "Approved",
         "Answer.answer": "9"},
        {"Input.item": "1", "WorkerId": "AMAZON2", "AssignmentStatus": "Rejected",
         "Answer.answer": "1"},
        {"Input.item": "2", "WorkerId": "AMAZON1", "AssignmentStatus": "Submitted",
         "Answer.answer": "don't know"},
    ]  # fmt: skip
    taken = made.campaign.crowd_in(write(tmp_path / "in.csv", rows))
    assert taken == TakenIn(answers=2, changed=0, workers=1, beyond=0, rejected=1, revoked=0)
    assert made.campaign.status().unknown == 1
    assert "AMAZON" not in dump(made.campaign.store)


def test_changes_and_what_is_beyond(made, tmp_path):
    def rows(*answers):
        return write(
            tmp_path / "in.csv",
            [{"item": "1", "worker": f"W{n}", "answer": a} for n, a in enumerate(answers)],
        )

    made.campaign.crowd_in(rows("1", "2"))
    taken = made.campaign.crowd_in(rows("1", "3", "4"))
    assert taken == TakenIn(answers=1, changed=1, workers=1, beyond=1, rejected=0, revoked=0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"item": "99", "worker": "W", "answer": "1"}, "no item '99'"),
        ({"item": "1", "worker": "W", "answer": "ten"}, "line 3: 'ten' is no answer"),
        ({"item": "1", "worker": "", "answer": "1"}, "line 3: the item or the worker is missing"),
        ({"item": "2", "worker": "V", "answer": "1"}, "line 3: this worker answered this item"),
    ],
)
def test_after_an_error_nothing_is_taken_in(made, tmp_path, row, message):
    path = write(tmp_path / "in.csv", [{"item": "2", "worker": "V", "answer": "1"}, row])
    with pytest.raises(InputError, match=message):
        made.campaign.crowd_in(path)
    assert made.campaign.status().answers == 0
    with pytest.raises(InputError, match=r"no column 'x'; name it with --answer-column"):
        made.campaign.crowd_in(path, Columns(answer="x"))
    with pytest.raises(InputError, match="is not ISO 8601"):
        made.campaign.crowd_in(path, Columns(time="worker"))


@pytest.mark.parametrize("several", ["fear|joy", " joy | fear", '["joy", "fear"]'])
def test_several_labels(make, tmp_path, several):
    made = make(["a", "b", "c"], scale="labels:joy,fear", multi=True)
    rows = [{"item": "1", "worker": "V", "answer": several},
            {"item": "2", "worker": "V", "answer": "joy"},
            {"item": "3", "worker": "V", "answer": "[]"}]  # fmt: skip
    made.campaign.crowd_in(write(tmp_path / "in.csv", rows))
    answers = [row["answer"] for row in made.campaign.table("ratings").rows]
    assert answers == [["joy", "fear"], ["joy"], []]


@pytest.mark.parametrize("answer", ["[joy]", '["love"]', "[", "joy|love"])
def test_what_are_no_labels_is_told(make, tmp_path, answer):
    made = make(["a"], scale="labels:joy,fear", multi=True)
    path = write(tmp_path / "in.csv", [{"item": "1", "worker": "V", "answer": answer}])
    with pytest.raises(InputError, match=r"line 2: .* is (no answer|not a JSON list)"):
        made.campaign.crowd_in(path)


def test_points_that_went_through_a_table_of_numbers(made, tmp_path):
    rows = [{"item": "1", "worker": "V", "answer": "5.0"},
            {"item": "2", "worker": "V", "answer": ""}]  # fmt: skip
    made.campaign.crowd_in(write(tmp_path / "in.csv", rows))
    assert [row["answer"] for row in made.campaign.table("ratings").rows] == ["5", None]


def test_ids_that_are_numbers_and_broken_characters(make, tmp_path):
    texts = tmp_path / "texts.csv"
    texts.write_text("id,text\n0,a\n1,b\n", "utf-8")
    made = make(texts)
    path = tmp_path / "in.jsonl"
    rows = [{"item": 0, "worker": 0, "answer": 5}, {"item": 1, "worker": "\ud83d", "answer": 6}]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert made.campaign.crowd_in(path).answers == 2
    assert made.campaign.crowd_in(path).answers == 0


def test_what_a_revoked_worker_answered_stays_deleted(made, tmp_path):
    rows = [{"item": item, "worker": worker, "answer": "5"} for item in "12" for worker in "VW"]
    made.campaign.crowd_in(write(tmp_path / "in.csv", rows))
    gone, stays = (each.name for each in made.campaign.status().raters if each.crowd)
    made.campaign.revoke(gone, delete_answers=True)
    rows.append({"item": "3", "worker": "V", "answer": "5"})  # platforms' files are cumulative
    taken = made.campaign.crowd_in(write(tmp_path / "in.csv", rows))
    assert taken == TakenIn(answers=0, changed=0, workers=0, beyond=0, rejected=0, revoked=3)
    assert {row["rater"] for row in made.campaign.table("ratings").rows} == {stays}


@pytest.mark.parametrize(
    "time",
    ["9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+05:00"],
)
def test_times_that_utc_has_no_year_for_are_refused(made, tmp_path, time):
    row = {"item": "1", "worker": "V", "answer": "5", "when": time}
    path = write(tmp_path / "in.csv", [row])
    message = rf"line 2: the time '{re.escape(time)}' .* from 1 to 9999 in UTC"
    with pytest.raises(InputError, match=message):
        made.campaign.crowd_in(path, Columns(time="when"))
    assert made.campaign.status().answers == 0


@pytest.mark.parametrize("time", ["9999-12-31T18:59:59-05:00", "0001-01-01T05:00:00+05:00"])
def test_the_first_and_the_last_times_come_out(made, tmp_path, time):
    row = {"item": "1", "worker": "V", "answer": "5", "when": time}
    made.campaign.crowd_in(write(tmp_path / "in.csv", [row]), Columns(time="when"))
    [rating] = made.campaign.table("ratings").rows
    assert datetime.fromisoformat(rating["time"]) == datetime.fromisoformat(time)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_ids_that_are_formulas_go_out_and_come_back(make, tmp_path, suffix):
    keys = ["=id1", "-x(1)", "'quoted'", "@plain", "=id,2"]
    texts = tmp_path / "texts.jsonl"
    texts.write_text("\n".join(json.dumps({"id": key, "text": key}) for key in keys), "utf-8")
    made = make(texts)
    path = tmp_path / f"out{suffix}"
    made.campaign.crowd_out(path)
    table = open_table(path)
    out = table.column(table.names.index("item"))
    if suffix != ".jsonl":
        assert [cell[0] for cell in out] == ["'", "'", "'", "@", "'"]
    back = [{"item": cell, "worker": "V", "answer": "5"} for cell in out]
    assert made.campaign.crowd_in(write(tmp_path / "in.csv", back)).answers == len(keys)
    assert [row["item"] for row in made.campaign.table("ratings").rows] == keys


def test_an_id_and_its_form_in_tables_are_one_item(make, tmp_path):
    texts = tmp_path / "texts.csv"
    texts.write_text("id,text\n=a,a\n", "utf-8")
    made = make(texts)
    rows = [{"item": item, "worker": "V", "answer": "5"} for item in ("=a", "'=a")]
    with pytest.raises(InputError, match="line 3: this worker answered this item above already"):
        made.campaign.crowd_in(write(tmp_path / "in.csv", rows))
