"""The whole study: what is held out, what comes out, and the command."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from deepmoji.bundle import SHIPPED
from deepmoji.cli import app
from deepmoji.errors import BundleError, InputError
from deepmoji.study import folds as folds_module
from deepmoji.study import run as run_module
from deepmoji.study.folds import folds_of
from deepmoji.study.plot import plot_study
from deepmoji.study.ratings import Rated
from deepmoji.study.run import study
from tests.helpers.bundles import make_bundle
from tests.helpers.tunable import make_tunable

WORDS = {1: "lovely", -1: "awful", 0: "a table"}


def rated(count=60):
    """Texts that say what they are; every tenth stands there twice."""
    random = np.random.default_rng(0)
    texts, ratings = [], []
    for row in range(count):
        kind = (1, -1, 1, 0, -1)[row % 5]
        texts.append(f"{WORDS[kind]} {row - row % 10 if row % 10 == 5 else row}")
        own = np.clip(np.round(random.normal(3 * kind, 0.6, 8)), -4, 4)
        ratings.append(own if kind else np.array([1, -1, 0, 0, 1, -1, 0, 0]))
    return Rated.of(texts, ratings, (-4, 4))


class Reader:
    """A system that notes what it sees, and answers by the words."""

    def __init__(self):
        self.seen = []

    def fit(self, problem, train, validation, *, base, seed, measure):
        self.seen.append((train, validation, base, seed))
        return self

    def scores(self, texts):
        self.seen[-1] += (list(texts),)
        return np.array([[0.1, 0.9] if "lovely" in text else [0.8, 0.2] for text in texts])


@pytest.fixture
def reader(monkeypatch):
    system = Reader()
    for module in (folds_module, run_module):
        monkeypatch.setattr(module, "SYSTEMS", {"last": system})
    return system


def test_every_text_is_held_out_once_from_those_who_answer_it(reader, tmp_path):
    data, folder = rated(), make_bundle(tmp_path / "my-model").folder
    result = study(data, systems=["last"], folds=4, repeats=5, seed=3, base=str(folder))
    answered = [text for *_, texts in reader.seen for text in texts]
    assert sorted(answered) == sorted(data.texts)
    for train, validation, base, seed, texts in reader.seen:
        learnt = {*train.texts, *validation.texts}
        assert not learnt & set(texts)
        assert not any("table" in text for text in learnt)  # near neutral teaches nothing
        assert (base, seed) == (folder, 3)
    assert result["systems"]["last"]["agreement"] == 1
    assert result["base"] == "my-model"
    assert (result["seed"], result["folds"], result["repeats"]) == (3, 4, 5)
    assert result["texts"]["near_neutral_by_all_ratings"] == 12
    json.dumps(result)


def test_labels_are_the_signs_of_all_ratings():
    for fold in folds_of(rated(), 3, seed=0):
        for part in (fold.train, fold.validation):
            for text, (name,) in zip(part.texts, part.labels, strict=True):
                assert name == ("positive" if "lovely" in text else "negative")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"systems": ["bert"]}, "no system 'bert'"),
        ({"folds": 1}, "1 folds"),
        ({"folds": 61}, "61 folds"),
        ({"repeats": 0}, "repeats"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_is_refused(reader, options, message):
    with pytest.raises(InputError, match=message):
        study(rated(), **{"systems": ["last"], **options})


def test_a_base_that_is_none_is_told_before_anything_is_fitted(reader):
    with pytest.raises(BundleError, match="there is no model folder nowhere"):
        study(rated(), systems=["last"], base="nowhere")
    assert reader.seen == []


def test_the_shipped_model_has_one_name_however_it_is_given(reader):
    for base in (None, "default", SHIPPED):
        assert study(rated(), systems=["last"], folds=2, repeats=1, base=base)["base"] == "shipped"


def test_texts_of_one_kind_cannot_be_studied(reader):
    data = Rated.of(["a", "b", "c"], [[3, 4]] * 3, (-4, 4))
    with pytest.raises(InputError, match="both kinds"):
        study(data, systems=["last"], folds=2)


def test_plot(reader, tmp_path):
    result = study(rated(), systems=["last"], folds=2, repeats=3)
    plot_study(result, tmp_path / "plot")
    first = (tmp_path / "plot.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "plot.svg").read_text("utf-8")
    plot_study(result, tmp_path / "plot")
    assert (tmp_path / "plot.png").read_bytes() == first


@pytest.mark.slow
def test_the_command_tunes_and_compares(tmp_path):
    data = rated(40)
    path, out = tmp_path / "ratings.jsonl", tmp_path / "out.json"
    rows = zip(data.texts, data.ratings, strict=True)
    lines = [json.dumps({"text": text, "ratings": own.tolist()}) for text, own in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    model = make_tunable(tmp_path / "tiny").folder
    result = CliRunner().invoke(
        app,
        ["study", str(path), "--model", str(model), "--scale", "-4", "4", "--folds", "2",
         "--repeats", "3", "--no-minilm", "--out", str(out), "--plot", str(tmp_path / "plot")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "one human" in result.stdout
    found = json.loads(out.read_text("utf-8"))
    assert set(found["systems"]) == {"chance", "constant", "fasttext", "last", "human"}
    assert found["base"] == "tiny"
    assert (tmp_path / "plot.svg").is_file()


def test_an_unknown_method_is_a_usage_error(tmp_path):
    result = CliRunner().invoke(app, ["study", "ratings.csv", "--method", "full"])
    assert result.exit_code == 2
    assert "chain-thaw" in result.output
