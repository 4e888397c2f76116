"""The leak check finds what it looks for, and finds nothing in a corpus."""

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus import words
from deepmoji.corpus.leaks import count_shared, count_traces
from deepmoji.corpus.pairs import DROPPED, TEST, TRAIN, Pairs, Posts
from deepmoji.corpus.shards import CorpusFolder
from tests.corpus.conftest import write_jsonl


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("plain words", {}),
        ("“quotes” – and é", {}),
        ("so 😂", {"emoji": 1}),
        ("♡ is a label", {"emoji": 1}),
        ("☆ is one of this corpus", {"emoji": 1}),
        ("a flag 🇫🇷, a key 1\u20e3", {"emoji": 1}),
        ("left \ufe0f", {"variation_selector": 1}),
        ("left\u200d", {"joiner": 1}),
        ("left 🏽", {"skin_tone": 1}),
        ("👍🏽\u200d\ufe0f", {"emoji": 1, "skin_tone": 1, "joiner": 1, "variation_selector": 1}),
    ],
)
def test_traces(text, found):
    inputs = [pa.array(["fine", text], pa.large_string()), pa.array([], pa.large_string())]
    counts = count_traces(inputs, ["☆"])
    assert {kind: count for kind, count in counts.items() if count} == found
    assert len(counts) == 4


def test_texts_in_two_splits():
    keys = np.array([5, 5, 6, 7, 7], np.uint64)
    posts = Posts(np.arange(5, dtype=np.uint64), keys, keys, np.arange(6), np.zeros(5, np.uint16))
    off = np.zeros(5, bool)

    def shared(*splits):
        pairs = Pairs(np.arange(5), posts.labels, np.array(splits, np.uint8), off, off, 0)
        return count_shared(posts, pairs)

    assert shared(TRAIN, TRAIN, TEST, TEST, TEST) == 0
    assert shared(TRAIN, TEST, TRAIN, TRAIN, TEST) == 2
    assert shared(TRAIN, DROPPED, TRAIN, TRAIN, TRAIN) == 0


def test_a_corpus_has_none(corpus):
    leaks = CorpusFolder.open(corpus).report["leaks"]
    assert leaks.pop("inputs") > 1000
    assert set(leaks.values()) == {0}
    assert len(leaks) == 5
    assert "with a skin tone left | 0 |" in (corpus / "report.md").read_text("utf-8")


def test_leaks_are_told(tmp_path, monkeypatch):
    # What removal would leave if it did not know an emoji.
    monkeypatch.setattr(words, "_remove", lambda text: text)
    write_jsonl(tmp_path / "a.jsonl", [("so funny 😂", "en"), ("this is not", "en")])
    command = ["corpus", "build", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "out")]
    monkeypatch.setattr("deepmoji.corpus.stages.readings", in_this_process)
    options = ["--without", "non-ascii", "--per-emoji", "0", "--natural", "0"]
    result = CliRunner().invoke(app, [*command, *options])
    assert result.exit_code == 0
    assert "The leak check found 1 leaks" in result.stderr


def in_this_process(source, settings, wanted, workers):
    from deepmoji.corpus.program import readings

    return readings(source, settings, wanted, 0)
