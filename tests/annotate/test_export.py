"""What comes out: agreement, tables that finetune reads, cells that no spreadsheet runs."""

import csv
import json
import time

import krippendorff
import numpy as np
import pytest

from deepmoji.annotate.agreement import alpha
from deepmoji.annotate.files import harmless
from deepmoji.annotate.scales import Scale
from deepmoji.errors import InputError
from deepmoji.evaluation import datasets
from deepmoji.study.ratings import read_ratings

pq = pytest.importorskip("pyarrow.parquet")

MOODS = {"I love it": "8", "so sad": "2", "meh": "5", "whatever": "4", "best day ever": "9"}


@pytest.fixture
def rated(make):
    made = make(raters_per_item=3)
    for shift, rater in zip((0, 0, -1), made.raters(3), strict=True):
        made.answer_all(rater, lambda text, shift=shift: (str(int(MOODS[text]) + shift),))
    return made


def test_alpha_is_interval_on_the_nine_points(rated):
    answers = np.array([[int(mood) + shift for mood in MOODS.values()] for shift in (0, 0, -1)])
    wanted = krippendorff.alpha(reliability_data=answers, level_of_measurement="interval")
    assert rated.campaign.status().alpha == pytest.approx(wanted)


def test_alpha_of_labels_is_nominal():
    # Krippendorff's example with missing answers, as Wikipedia works it out; nominal: 0.691.
    table = [
        [None, 1, None], [None, None, None], [None, 2, 2], [None, 1, 1], [None, 3, 3],
        [3, 3, 4], [4, 4, 4], [1, 3, None], [2, None, 2], [1, None, 1], [1, None, 1],
        [3, None, 3], [3, None, 3], [None, None, None], [3, None, 4],
    ]  # fmt: skip
    ratings = [
        (item, None if value is None else (str(value),))
        for item, row in enumerate(table)
        for value in row
    ]
    scale = Scale.parse("labels:1,2,3,4")
    assert alpha(scale, ratings) == pytest.approx(0.691, abs=0.0005)
    counts = [[row.count(value) for value in (1, 2, 3, 4)] for row in table]
    whole = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    assert alpha(scale, ratings) == pytest.approx(whole, abs=1e-12)


def test_alpha_of_several_labels_is_the_mean_over_labels():
    scale = Scale.parse("labels:a,b,c", multi=True)
    ratings = [(1, ("a", "b")), (1, ("a",)), (2, ()), (2, ()), (3, ("b",)), (3, ("b",))]
    # a: perfect. b: counts (1, 1), (0, 2), (2, 0). c: never given, not defined.
    b = krippendorff.alpha(value_counts=[[1, 1], [0, 2], [2, 0]], level_of_measurement="nominal")
    assert alpha(scale, ratings) == pytest.approx((1 + b) / 2)


@pytest.mark.parametrize("ratings", [[], [(1, ("5",)), (2, ("6",))], [(1, ("5",)), (1, ("5",))]])
def test_alpha_is_not_always_defined(ratings):
    assert alpha(Scale.parse("nine"), ratings) is None


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("form", ["majority", "mean"])
def test_finetune_reads_it(rated, tmp_path, form, suffix):
    path = tmp_path / f"out{suffix}"
    made = rated.campaign.export(path, form)
    train = datasets.read(path).train
    labels = {text: label for text, (label,) in zip(train.texts, train.labels, strict=True)}
    if form == "majority":
        assert labels == MOODS
    else:  # means 7.7, 1.7, 4.7, 3.7, 8.7
        assert labels == {
            "I love it": "positive", "so sad": "negative", "whatever": "negative",
            "best day ever": "positive",
        }  # fmt: skip
        assert made.neutral == 1


def test_neutral_can_be_kept_and_few_raters_left_out(rated, tmp_path):
    path = tmp_path / "out.csv"
    rated.campaign.export(path, "mean", keep_neutral=True)
    assert ("neutral",) in datasets.read(path).train.labels
    made = rated.campaign.export(path, "mean", min_raters=4)
    assert (len(made.rows), made.unlabelled) == (0, 5)


def test_ratings_are_one_row_an_answer(rated, tmp_path):
    path = tmp_path / "out.parquet"
    rated.campaign.export(path, "ratings")
    rows = pq.read_table(path).to_pylist()
    assert len(rows) == 15
    assert rows[0].keys() == {"item", "text", "rater", "answer", "time", "own"}
    assert rows[0]["time"] == "2027-01-15T08:00:00.000Z"
    assert {row["rater"] for row in rows} == {each.name for each in rated.campaign.status().raters}


def test_study_is_a_list_of_ratings_for_each_text(rated, tmp_path):
    path = tmp_path / "out.parquet"
    rated.campaign.export(path, "study")
    rows = {row["text"]: row["ratings"] for row in pq.read_table(path).to_pylist()}
    assert sorted(rows["meh"]) == [4, 5, 5]


def test_a_study_reads_what_comes_out_also_where_a_text_has_one_rating(make, tmp_path):
    made = make(["both", "one", "one and don't know", "none"], raters_per_item=2)
    both, one = made.raters(2)
    made.answer_all(both, lambda text: None if text == "none" else ("7",))
    made.answer_all(one, lambda text: ("3",) if text == "both" else None)
    out = made.campaign.export(tmp_path / "out.jsonl", "study")
    assert (len(out.rows), out.unlabelled) == (1, 3)
    assert read_ratings(tmp_path / "out.jsonl", (1, 9)).texts == ("both",)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("majority", {"keep_neutral": True}),
        ("study", {"keep_neutral": True}),
        ("ratings", {"min_raters": 2}),
    ],
)
def test_what_a_form_does_not_heed_is_refused(rated, tmp_path, form, options):
    with pytest.raises(InputError, match=form):
        rated.campaign.export(tmp_path / "out.csv", form, **options)
    assert not (tmp_path / "out.csv").exists()


def test_ties_and_unknown_are_left_out_and_counted(make, tmp_path):
    made = make(["tied", "clear", "unknown"], scale="labels:joy,anger", raters_per_item=2)
    for rater, own in zip(made.raters(2), ("joy", "anger"), strict=True):
        answers = {"tied": (own,), "clear": ("joy",), "unknown": None}
        made.answer_all(rater, answers.__getitem__)
    out = made.campaign.export(tmp_path / "out.csv")
    assert [(row["text"], row["label"], row["share"]) for row in out.rows] == [
        ("clear", "joy", 1.0)
    ]
    assert (out.tied, out.unlabelled) == (1, 1)
    with pytest.raises(InputError, match="mean is for the nine points"):
        made.campaign.export(tmp_path / "out.csv", "mean")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_several_labels_come_out_as_lists(make, tmp_path, suffix):
    made = make(["both", "one", "none"], scale="labels:joy,fear", multi=True, raters_per_item=2)
    answers = {"both": ("fear", "joy"), "one": ("joy",), "none": ()}
    for rater in made.raters(2):
        made.answer_all(rater, answers.__getitem__)
    path = tmp_path / f"out{suffix}"
    made.campaign.export(path)
    train = datasets.read(path).train
    assert dict(zip(train.texts, train.labels, strict=True)) == {
        "both": ("joy", "fear"), "one": ("joy",), "none": (),
    }  # fmt: skip


HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "{{ 7 * 7 }} {% raw %}",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+WEBSERVICE ('x')",
    "\t=1+1",
    "\u202eright to left\u202c abc",
    "zero\u200bwidth\u2060\ufeff",
    "quotes \" and '",
    "comma, semi;colon",
    "two\nlines",
    "\u05e9\u05dc\u05d5\u05dd",
    "😂" * 20,
    "nul \x00 and half \ud83d of one",
]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_hostile_texts_come_out_as_they_went_in(make, tmp_path, suffix):
    made = make(HOSTILE, raters_per_item=1, scale="labels:a,b")
    made.answer_all(made.raters(1)[0], ("a",))
    path = tmp_path / f"out{suffix}"
    made.campaign.export(path)
    texts = datasets.read(path).train.texts
    plain = [text.replace("\x00", "\ufffd").replace("\ud83d", "\ufffd") for text in HOSTILE]
    if suffix in {".jsonl", ".parquet"}:
        assert list(texts) == plain
    else:
        assert [text.removeprefix("'") for text in texts] == plain
        assert not [text for text in texts if text.lstrip()[0] in "=+-@"]


@pytest.mark.parametrize(
    "text", ["@you are great :(", "- said nobody", "+1 to that", "-_-", "a=b", "so (=) it is"]
)
def test_texts_that_no_spreadsheet_runs_stay_as_they_are(text):
    assert harmless(text) == text


@pytest.mark.parametrize(
    "text", ["=1", " =1", "\r=1", "＝1", "@A1+HYPERLINK('x')", "-'\\\\evil\\[a]b'!A1"]
)
def test_formulas_get_an_apostrophe(text):
    assert harmless(text) == f"'{text}"


def test_a_wrong_name_of_the_file_is_told_before_anything(make, tmp_path):
    made = make()
    with pytest.raises(InputError, match=r"has to end in one of \.csv"):
        made.campaign.export(tmp_path / "out.xls")
    with pytest.raises(InputError, match="has to be one of ratings"):
        made.campaign.export(tmp_path / "out.csv", "mode")


def test_json_of_a_csv_cell_is_what_lists_are_written_as(rated, tmp_path):
    path = tmp_path / "out.csv"
    rated.campaign.export(path, "study")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(json.loads(rows[0]["ratings"])) == [7, 8, 8]


@pytest.mark.parametrize("part", ["\n", " ", "@", "@a ", "a (", "-.  "])
def test_long_texts_take_no_longer_to_look_at(part):
    begun = time.perf_counter()
    harmless("@" + part * 50_000)
    harmless(part * 50_000)
    assert time.perf_counter() - begun < 5  # what grows with the square takes minutes
