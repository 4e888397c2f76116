"""Counting emojis before a build, and the label set that is proposed."""

import json

import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus import take_census
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from tests.corpus.conftest import write_jsonl

TEXTS = [
    "one 🔥",
    "two 🔥 🤡🤡",
    "three 🤷🏽\u200d♀️",
    "four 🤷",
    "five 🇫🇷 🔥",
    "six",
    "RT 🥵",
    "😂",
]


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [(text, "en") for text in TEXTS])
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, ["corpus", "census", *map(str, arguments)])


def test_what_is_counted(folder):
    census = take_census(folder / "a.jsonl", workers=1)
    assert dict(census.counts) == {"🔥": 3, "🤷": 2, "🤡": 1, "🇫🇷": 1}
    assert (census.posts, census.passed) == (8, 6)
    assert dict(census.dropped) == {"retweet": 1, "length": 1}
    assert census.propose(2) == ("🔥", "🤷")
    assert census.propose(64, least=2) == ("🔥", "🤷")
    settings = CorpusSettings(without=("length", "retweet"))
    assert take_census([folder], settings=settings, workers=1).counts["😂"] == 1


def test_proposed_labels_build_a_corpus(folder):
    shown = call(folder / "a.jsonl", "--least", 2, "--out", folder / "labels.txt", "--workers", 1)
    assert shown.exit_code == 0
    assert "50.00%" in shown.stdout
    assert (folder / "labels.txt").read_text(encoding="utf-8") == "🔥\n🤷\n"
    build = ["corpus", "build", folder / "a.jsonl", "--labels", folder / "labels.txt"]
    options = ["--out", folder / "corpus", "--per-emoji", 0, "--natural", 0]
    assert CliRunner().invoke(app, [*map(str, build), *map(str, options)]).exit_code == 0
    assert CorpusFolder.open(folder / "corpus").labels == ("🔥", "🤷")


def test_as_json_it_has_every_emoji(folder):
    census = json.loads(call(folder, "--count", 1, "--json").stdout)
    assert list(census["emojis"].items())[:2] == [("🔥", 3), ("🤷", 2)]
    assert census["proposed"] == ["🔥"]


def test_nothing_to_propose(folder):
    with pytest.raises(InputError, match="no emoji stands in 9 of the 6 posts"):
        take_census(folder, workers=1).propose(1, least=9)
    result = call(folder, "--least", 9)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
