"""Folders whose JSON files are not what a build writes: one line that says what to do."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus import build
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from tests.corpus.conftest import SETTINGS


@pytest.fixture
def copy(corpus, tmp_path):
    return shutil.copytree(corpus, tmp_path / "copy")


def put(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


DAMAGES = [
    {"pairs": None},
    {"pairs": {}},
    {"pairs": {"train": "1", "validation": 1, "test": 1}},
    {"train_parts": None},
    {"train_parts": "2"},
    {"format_version": "1"},
    {"format_version": None},
]


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_report_that_does_not_say_what_is_there(copy, damage):
    report = json.loads((copy / "report.json").read_text("utf-8"))
    put(copy / "report.json", {**report, **damage})
    with pytest.raises(InputError, match=r"report\.json: not the report.*build .* again"):
        CorpusFolder.open(copy)


@pytest.mark.parametrize("report", [{}, [], [1], 3, None, {"posts": 1}], ids=str)
def test_report_that_is_none(copy, report):
    put(copy / "report.json", report)
    with pytest.raises(InputError, match="not the report"):
        CorpusFolder.open(copy)
    for option in ([], ["--json"]):
        result = CliRunner().invoke(app, ["corpus", "report", str(copy), *option])
        assert (result.exit_code, result.stdout) == (1, "")
        assert "not the report of a corpus; build" in result.stderr


def test_newer_report(copy):
    put(copy / "report.json", {"format_version": 99})
    with pytest.raises(InputError, match="update deepmoji"):
        CorpusFolder.open(copy)


@pytest.mark.parametrize("labels", [3, None, {}, "😂", [1, 2], [["😂"]]], ids=str)
def test_labels_that_are_no_list_of_texts(copy, labels):
    put(copy / "labels.json", labels)
    with pytest.raises(InputError, match=r"labels\.json: not a list of emojis; build"):
        CorpusFolder.open(copy)


@pytest.mark.parametrize("manifest", [{}, [], 3, {"request": "x"}], ids=str)
def test_unfinished_build_that_does_not_say_what_it_is(post_file, tmp_path, manifest):
    (tmp_path / "out" / ".work").mkdir(parents=True)
    put(tmp_path / "out" / ".work" / "build.json", manifest)
    with pytest.raises(InputError, match=r"build\.json does not say.*--overwrite"):
        build([post_file], tmp_path / "out", settings=SETTINGS, workers=1)


def test_build_killed_while_it_wrote_its_first_file(post_file, tmp_path):
    (tmp_path / "out" / ".work").mkdir(parents=True)
    (tmp_path / "out" / ".work" / ".build.json.123.partial").write_text('{"requ')
    build([post_file], tmp_path / "out", settings=SETTINGS, workers=1)
    assert list((tmp_path / "out").rglob("*.partial")) == []


def test_finished_report_that_lost_its_content(copy, post_file):
    report = json.loads((copy / "report.json").read_text("utf-8"))
    put(copy / "report.json", {"run": {"identity": report["run"]["identity"]}})
    with pytest.raises(InputError, match="--overwrite"):
        build([post_file], copy, settings=SETTINGS, workers=1)
