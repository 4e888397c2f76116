"""`deepmoji emojis`."""

import json

import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.inference.predictor import Predictor
from deepmoji.labels import EMOJIS
from tests.helpers.bundles import make_bundle

TEXTS = ["i love you", "so tired", "this is shit", "lol", "haha work", "good morning", "sad day"]


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emojis")
    model = make_bundle(folder / "tiny").folder
    texts = folder / "texts.txt"
    texts.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")

    def call(*arguments, source=("--file", str(texts), "--model", str(model))):
        return CliRunner().invoke(app, ["emojis", *map(str, arguments), *source])

    return call


def test_map(call, tmp_path):
    out = tmp_path / "map.json"
    result = call("map", "--groups", 4, "--out", out, "--plot", tmp_path / "plot")
    assert result.exit_code == 0, result.output
    assert len([line for line in result.stdout.splitlines() if line[:1] in EMOJIS]) == 64
    content = json.loads(out.read_text("utf-8"))
    assert sorted(label for group in content["groups"] for label in group) == sorted(EMOJIS)
    assert len(content["groups"]) == 4
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {"plot.png", "plot.svg", "plot-plane.png", "plot-plane.svg"}

    nearest = call("nearest", "😂", "--map", out, "--top", 2, source=())
    assert nearest.exit_code == 0, nearest.output
    assert nearest.stdout.splitlines() == call("nearest", "😂", "--top", 2).stdout.splitlines()
    both = call("nearest", "😂", "--map", out)
    assert both.exit_code == 2


def test_typical(call):
    result = call("typical", "😂", "--top", 3, "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {row["text"] for row in rows} <= set(TEXTS)
    found = [row["probability"] for row in rows]
    assert found == sorted(found, reverse=True)
    assert len(rows) == 3


@pytest.mark.parametrize("command", ["nearest", "typical"])
def test_an_unknown_emoji_is_told_in_one_line(call, command):
    result = call(command, "🥑")
    assert result.exit_code == 1
    assert "'🥑' is no label of the model" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("map", "--groups", 65), "groups can be 1 to 64, not 65"), (("nearest", "🥑"), "no label")],
)
def test_what_cannot_be_is_told_before_the_texts_are_read(call, monkeypatch, arguments, message):
    def read(*_):
        pytest.fail("a text was read")

    monkeypatch.setattr(Predictor, "scores", read)
    result = call(*arguments)
    assert result.exit_code == 1
    assert message in result.output


def test_file_and_corpus_exclude_each_other(call):
    assert call("map", "--corpus", "somewhere").exit_code == 2
