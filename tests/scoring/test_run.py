"""Runs: order, completeness, the columns they add, and what is checked before they begin."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deepmoji.errors import BundleError, InputError, MissingDependency
from deepmoji.scoring import formats, score
from deepmoji.scoring.runners import Local, Ray
from deepmoji.scoring.settings import ScoreSettings
from tests.helpers.bundles import Tiny, make_bundle
from tests.helpers.scorefiles import contents, make_texts, write_texts


def test_processes_give_the_rows_in_order(run, predictor, tmp_path, small_segments):
    for number, count in enumerate((9000, 1, 5000)):
        write_texts(tmp_path / "posts" / f"{number}.txt", count, number)
    report = run(tmp_path / "posts", workers=2)
    assert (report.parts, report.parts_before, report.rows, report.rows_now) == (3, 0, 14001, 14001)
    for number, count in enumerate((9000, 1, 5000)):
        texts = make_texts(count, number)
        table = pq.read_table(tmp_path / "out" / f"{number}.parquet").to_pydict()
        assert table["text"] == texts
        best = [predictor.labels[k] for k in predictor.scores(texts).argmax(axis=1)]
        assert [top[0]["label"] for top in table["deepmoji_top"]] == best
    assert pq.read_table(tmp_path / "out").num_rows == 14001  # nothing else is in the way
    run(tmp_path / "posts", out=tmp_path / "alone")
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_a_finished_run_does_nothing_and_new_files_are_added(run, tmp_path, monkeypatch):
    write_texts(tmp_path / "posts" / "a.txt", 10)
    run(tmp_path / "posts")
    before = (tmp_path / "out" / "a.parquet").stat().st_mtime_ns
    report = run(tmp_path / "posts")
    assert (report.parts_before, report.rows, report.rows_now) == (1, 10, 0)
    write_texts(tmp_path / "posts" / "sub" / "a.txt", 5)
    report = run(tmp_path / "posts")
    assert (report.parts, report.parts_before, report.rows, report.rows_now) == (2, 1, 15, 5)
    assert (tmp_path / "out" / "a.parquet").stat().st_mtime_ns == before
    assert (tmp_path / "out" / "sub" / "a.parquet").is_file()
    assert not (tmp_path / "out" / ".score" / "work").exists()


def test_a_file_that_changed_is_scored_again(run, tmp_path):
    write_texts(tmp_path / "a.txt", 10)
    run(tmp_path / "a.txt")
    write_texts(tmp_path / "a.txt", 12)
    assert run(tmp_path / "a.txt").rows_now == 12
    (tmp_path / "out" / "a.parquet").unlink()
    assert run(tmp_path / "a.txt").rows_now == 12


def test_a_model_that_cannot_be_used(run, bundle, tmp_path):
    write_texts(tmp_path / "a.txt", 3)
    with pytest.raises(BundleError, match="no model folder"):
        run(tmp_path / "a.txt", model=tmp_path / "none")
    broken = make_bundle(tmp_path / "broken", Tiny()).folder
    (broken / "model.onnx").write_bytes(b"no graph")
    for count in (1, 2):
        with pytest.raises(BundleError, match="cannot be used"):
            run(tmp_path / "a.txt", model=broken, workers=count, overwrite=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top": -1}, "top has to be 0 or more"),
        ({"format": "csv"}, "parquet or jsonl"),
        ({"prefix": ""}, "cannot be empty"),
        ({"long_texts": "windows"}, "one of cut, attention, mean"),
        ({"stride": 3}, "read in windows"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        ScoreSettings(**settings)
    with pytest.raises(InputError, match="at least 1"):
        Local(0)


def test_labels_that_do_not_exclude_each_other(tmp_path, bundle, monkeypatch):
    import numpy as np

    from deepmoji.scoring.columns import NewColumns
    from deepmoji.scoring.scorer import Scored

    limits = np.full(len(bundle.labels), 0.5, np.float32)
    monkeypatch.setattr("deepmoji.scoring.columns.limits_of", lambda _: limits)
    columns = NewColumns(bundle, ScoreSettings(top=0))
    held = np.zeros((3, len(bundle.labels)), np.bool_)
    held[0, [1, 4]] = held[2, 0] = True
    scored = Scored(
        unknown_share=np.zeros(3, np.float32),
        truncated=np.zeros(3, np.bool_),
        windows=None,
        top=np.zeros((3, 0), np.int32),
        probabilities=np.zeros((3, 0), np.float32),
        held=held,
        scores=None,
        features=None,
    )
    rows = columns.append(pa.table({"text": ["a", "b", "c"]}), scored)["deepmoji_labels"]
    assert rows.to_pylist() == [
        [bundle.labels[1], bundle.labels[4]],
        [],
        [bundle.labels[0]],
    ]


def test_numbers_get_no_dictionary():
    schema = pa.schema([("text", pa.string()), ("features", pa.list_(pa.float32(), 4))])
    assert formats._worth_a_dictionary(schema) == ["text"]


def test_ray_that_is_missing(bundle, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    write_texts(tmp_path / "a.txt", 3)
    with pytest.raises(MissingDependency, match=r"deepmoji\[cluster\]"):
        score(tmp_path / "a.txt", tmp_path / "out", runner=Ray())
    assert not (tmp_path / "out").exists()
