"""`deepmoji predict --as emotions`, `deepmoji encode --reduce`, `deepmoji fit-projection`."""

import json

import numpy as np
import pytest

import deepmoji
from deepmoji.inference.emotions import EmotionTable
from deepmoji.labels import EMOJIS
from tests.helpers.bundles import make_bundle

SENTENCES = ["I love how you never reply back..", "", "This is the shit"]


def test_json(call, model):
    result = call("predict", "--as", "emotions", "--json", "--model", model, *SENTENCES)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == SENTENCES
    found = deepmoji.load(model).emotions(SENTENCES)
    assert [row["valence"] for row in rows] == pytest.approx(found.valence, abs=1e-6)
    assert len(rows[0]["emotions"]) == len(EmotionTable.read().emotions)


def test_tables(call, model):
    result = call("predict", "--as", "emotions", "-n", 2, "--model", model, *SENTENCES)
    lines = result.stdout.splitlines()
    assert [line for line in lines if line in SENTENCES if line] == [SENTENCES[0], SENTENCES[2]]
    assert sum(line.endswith("%") for line in lines) == 6
    assert sum("valence" in line for line in lines) == 3
    assert max(map(len, lines)) <= 80


def test_a_table_of_ones_own(call, model, tmp_path):
    path = tmp_path / "table.toml"
    lines = "\n".join(f'"{emoji}" = "bliss"' for emoji in EMOJIS)
    path.write_text(f"[valence]\nbliss = 0.5\n[emojis]\n{lines}\n", encoding="utf-8")
    arguments = ("predict", "--as", "emotions", "--table", path, "--json", "--model", model)
    row = json.loads(call(*arguments, "so tired").stdout)
    assert row["emotions"] == [{"emotion": "bliss", "share": pytest.approx(1, abs=1e-5)}]
    assert row["valence"] == pytest.approx(0.5, abs=1e-5)

    path.write_text('[valence]\nbliss = 0.5\n[emojis]\n"😂" = "bliss"\n', encoding="utf-8")
    result = call(*arguments, "so tired")
    assert result.exit_code == 1
    assert "lacks 😒" in result.output


def test_a_table_without_emotions_is_a_usage_error(call, model):
    assert call("predict", "--table", "t.toml", "--model", model, "hi").exit_code == 2


def test_fit_and_reduce(call, tmp_path):
    folder = make_bundle(tmp_path / "tiny").folder
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(f"{w} love {w}" for w in "iyouthisisshithowsad"), encoding="utf-8")
    out = tmp_path / "encodings.npy"
    reduce = ("encode", "--reduce", 2, "--model", folder, "--out", out, "--file", texts)

    before = call(*reduce)
    assert before.exit_code == 1
    assert "fit-projection" in before.output
    assert not out.exists()

    fitted = call("fit-projection", folder, "--file", texts, "--components", 3, "--json")
    assert fitted.exit_code == 0, fitted.output
    assert json.loads(fitted.stdout)["components"] == 3
    assert call(*reduce).exit_code == 0
    assert np.load(out).shape == (20, 2)
    too_many = call("encode", "--reduce", 4, "--model", folder, "--json", "so tired")
    assert too_many.exit_code == 1
    assert "1 to 3 numbers" in too_many.output
