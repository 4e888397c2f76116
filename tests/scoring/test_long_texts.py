"""Files with texts longer than the model reads, in windows."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.errors import InputError
from deepmoji.inference.predictor import Predictor
from deepmoji.scoring.folder import MANIFEST
from tests.helpers.bundles import WORDS

TEXTS = ["so tired", "", " ".join(WORDS), " ".join(WORDS * 5), " ".join(WORDS[:24])]


@pytest.fixture
def posts(tmp_path):
    path = tmp_path / "posts.txt"
    path.write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    return path


@pytest.mark.parametrize("way", ["attention", "mean"])
def test_what_is_written_is_what_python_says(bundle, scored, posts, way):
    rows = scored(posts, name="posts.parquet", long_texts=way, stride=10, encode=True, scores=True)
    predictor = Predictor(bundle, threads=1, long_texts=way, stride=10)
    answers = predictor.predict(TEXTS)
    assert [row["deepmoji_windows"] for row in rows] == [each.windows for each in answers]
    assert [row["deepmoji_windows"] for row in rows][0::2] == [1, 3, 1]
    assert not any(row["deepmoji_truncated"] for row in rows)
    for name, expected in (("scores", predictor.scores), ("features", predictor.encode)):
        written = np.array([row[f"deepmoji_{name}"] for row in rows])
        assert np.abs(written - expected(TEXTS)).max() < 1e-6
    shares = [row["deepmoji_unknown_share"] for row in rows]
    assert shares == pytest.approx([each.unknown_share for each in answers], abs=1e-6)


def test_a_folder_belongs_to_one_way(scored, posts):
    scored(posts, name="posts.parquet", long_texts="mean")
    with pytest.raises(InputError, match=r"long_texts mean there, cut now"):
        scored(posts, name="posts.parquet")
    with pytest.raises(InputError, match=r"stride not given there, 3 now"):
        scored(posts, name="posts.parquet", long_texts="mean", stride=3)


def test_a_folder_of_before_there_were_windows_is_still_finished(scored, posts, tmp_path):
    columns = scored(posts, name="posts.parquet")[0].keys()
    assert "deepmoji_windows" not in columns
    manifest = tmp_path / "out" / MANIFEST
    content = json.loads(manifest.read_text(encoding="utf-8"))
    del content["request"]["long_texts"], content["request"]["stride"]
    manifest.write_text(json.dumps(content), encoding="utf-8")
    assert scored(posts, name="posts.parquet")[0].keys() == columns


def test_a_stride_that_leaves_words_out_is_told_before_anything_is_written(scored, posts, tmp_path):
    with pytest.raises(InputError, match=r"stride has to be 24 \(max_tokens\) or less, not 25"):
        scored(posts, name="posts.parquet", long_texts="mean", stride=25)
    assert not (tmp_path / "out").exists()


def test_command(bundle, posts, tmp_path):
    command = ["score", posts, "--out", tmp_path / "out", "--model", bundle.folder]
    options = ["--long-texts", "attention", "--stride", "12"]
    result = CliRunner().invoke(app, [str(each) for each in (*command, *options)])
    assert result.exit_code == 0, result.output
    windows = pq.read_table(tmp_path / "out" / "posts.parquet")["deepmoji_windows"]
    assert windows.to_pylist() == [1, 1, 3, 15, 1]
    result = CliRunner().invoke(app, [str(each) for each in (*command, *options[2:])])
    assert result.exit_code == 1
    assert "stride is for long texts that are read in windows" in result.output
