"""Every row of docs/coming-from-deepmoji.md runs as it stands, and gives what it is there for."""

import ast
import html
import json
import pickle
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.classic.benchmarks import convert_benchmark
from deepmoji.cli import app
from deepmoji.inference import predictor
from deepmoji.text.vocabulary import Vocabulary
from deepmoji.transfer import finetune as finetuning
from tests.helpers.corpora import make_posts
from tests.helpers.tunable import CUES, make_texts, make_tunable
from tests.source_tree import ROOT

torch.set_num_threads(1)  # this model is so small that threads would only wait for each other
PAGE = (ROOT / "docs" / "coming-from-deepmoji.md").read_text(encoding="utf-8")
PREFACE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
QUICK = {"epochs": 2, "epoch_size": 64, "batch_size": 16, "patience": 1}
# What only makes a build of a corpus small.
SMALL = {"corpus": ["--natural", "5", "--per-emoji", "1", "--workers", "1", "--language", "any"]}


def rows():
    """Return the code of the last column of the table by the name of the row."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")][2:]
    table = [re.split(r" \| |^\| | \|$", line)[1:-1] for line in lines]
    assert {len(cells) for cells in table} == {3}
    return {
        name.strip(): [html.unescape(code) for code in re.findall(r"`([^`]+)`", now)]
        for name, _, now in table
    }


ROWS = rows()


def run(name, names):
    """Run a row; return what its last line gives, of a command the result."""
    code = ROWS[name]
    if code[0].startswith("deepmoji "):
        (command,) = code
        arguments = shlex.split(command)[1:]
        return CliRunner().invoke(app, [*arguments, *SMALL.get(arguments[0], [])])
    tree = ast.parse("\n".join(code))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)  # noqa: S102 - our own documentation
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), name, "eval"), names)  # noqa: S307 - the same


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """The names of someone who follows the page, with a tiny model as the shipped one."""
    base = make_tunable(tmp_path / "base")
    for module in (predictor, finetuning):
        monkeypatch.setattr(module, "SHIPPED", base.folder)
    check = finetuning.check

    def quick(*given, **named):
        return replace(check(*given, **named), **QUICK)

    monkeypatch.setattr(finetuning, "check", quick)
    monkeypatch.chdir(tmp_path)
    base.vocabulary.save("vocabulary.json")
    texts, infos = make_texts(60)
    numbers = [sorted(CUES).index(name) for name in infos]
    names = {"train_ind": list(range(40)), "val_ind": list(range(40, 50)),
             "test_ind": list(range(50, 60))}  # fmt: skip
    raw = {"texts": texts, "info": [{"label": n} for n in numbers], **names}
    Path("raw.pickle").write_bytes(pickle.dumps(raw, 2))
    convert_benchmark(Path("raw.pickle"), Path("data.parquet"))
    Path("posts.txt").write_text("\n".join(make_posts(300)), encoding="utf-8")
    Path("texts.txt").write_text("\n".join(texts), encoding="utf-8")
    names |= {"texts": texts, "infos": infos, "text": "so happy", "vocabulary": "vocabulary.json"}
    for snippet in PREFACE:
        exec(snippet, names)  # noqa: S102 - our own documentation
    return names


def is_figure(found, names):
    return 0 <= found <= 1


def is_tuned(found, names):
    return found.predictor.labels == ("0", "1", "2") and found.scores(["so"]).shape == (1, 3)


def worked(found, names):
    return found.exit_code == 0


CHECKS = {
    "tokenise a data set": lambda _, names: (
        names["tokens"].shape == (60, 30) and names["infos"] == [{}] * 60
        and names["stats"]["valid"] == 60
    ),
    "the words themselves": lambda found, _: found == ["so", "happy"],
    "ids to words": lambda found, names: found.split()[0] == names["texts"][0].split()[0],
    "split by shares": lambda found, _: [len(part) for part in found[0]] == [42, 6, 12],
    "split by rows, extend the vocabulary": lambda _, names: (
        [len(part) for part in names["ids"]] == [40, 10, 10] and names["added"] > 3
    ),
    "extend a vocabulary alone": lambda _, names: len(names["vocabulary"]) == len(
        Vocabulary.load("vocabulary.json")) + 1,
    "make a vocabulary of posts": lambda found, _: (
        worked(found, _) and "funny" in Vocabulary.load("corpus/vocabulary.json")
    ),
    "score texts": lambda found, _: found.shape == (60, 4),
    "the five best emojis": lambda found, _: [label for label, _ in found] != [],
    "emojis in the terminal": lambda found, _: worked(found, _) and "so tired" in found.stdout,
    "score a file of texts": lambda found, _: len(
        [json.loads(line)["top"] for line in found.stdout.splitlines()]) == 60,
    "which words mattered": lambda found, _: [word for word, _ in found] == ["so", "happy"],
    "encode texts": lambda found, names: found.shape == (60, 32),
    "coverage": is_figure,
    "load a benchmark": lambda found, _: worked(found, _) and "40 training" in found.stdout,
    "fine-tune by chain-thaw, on ids": lambda _, names: (
        names["model"].predictor.labels == tuple(sorted(CUES)) and 0 <= names["acc"] <= 1
        and names["model"].report["data"]["words_added"] == names["added"]
    ),
    "fine-tune by chain-thaw, on texts": lambda _, names: (
        names["model"].report["method"] == "chain-thaw" and 0 <= names["acc"] <= 1
    ),
    "or on a file": is_figure,
    "the last layer alone": is_tuned,
    "all layers at once": is_tuned,
    "without pretraining": is_tuned,
    "class-average F1, a model for each class": is_figure,
    "class-average F1, one model for all": is_figure,
    "save a tuned model and use it": lambda found, _: (
        found.shape == (60, 3) and Bundle.open("my-model").labels == ("0", "1", "2")
    ),
}  # fmt: skip
OF_ORIGINAL_WEIGHTS = {"the original weights", "the original weights, as a model folder"}


def test_every_row_is_run():
    assert ROWS.keys() == CHECKS.keys() | OF_ORIGINAL_WEIGHTS
    assert all(ROWS.values())


@pytest.mark.parametrize("name", CHECKS)
def test_row_runs_and_gives_what_it_is_there_for(name, reader):
    assert CHECKS[name](run(name, reader), reader)


@pytest.fixture
def original(reader, shared):
    """The same someone, with the original's files."""
    model = shared / "golden" / "model"
    shutil.copy(model / "deepmoji_keras.hdf5", "deepmoji_weights.hdf5")
    shutil.copy(model / "vocabulary.json", "vocabulary.json")
    reader["texts"] = json.loads((model / "texts.json").read_text("utf-8"))
    return reader, np.load(model / "expected.npz")["probabilities"]


def test_original_weights_load(original):
    names, expected = original
    scores = run("the original weights", names)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_original_weights_become_a_folder(original):
    names, expected = original
    result = run("the original weights, as a model folder", names)
    assert result.exit_code == 0, result.stderr
    scores = deepmoji.load("original").scores(names["texts"])
    np.testing.assert_allclose(scores, expected, atol=1e-5)
