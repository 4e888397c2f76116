"""What is written of an experiment is of a model that its settings made."""

from dataclasses import replace

import pytest
import torch

from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig
from deepmoji.training.plain import PlainNetwork
from deepmoji.training.trainer import new_network
from runs import experiment as experiments
from runs import settings
from runs.settings import Experiment

TABLES = {
    "model": {"units": 8, "embedding_size": 8},
    "pretrain": {"epochs": 0.2, "batch_size": 32},
    "corpus": {},
    "start": {},
}
WORDS = dict.fromkeys(("lever", "change", "prediction", "outcome", "like"), "")


def experiment(name="tiny", **tables):
    return Experiment(name=name, seeds=(0,), **WORDS, **(TABLES | tables))


@pytest.fixture
def place(corpus, tmp_path):
    return experiments.Place(posts=tmp_path, corpus=corpus, work=tmp_path / "work", processes=1)


def test_other_settings_are_another_model(place):
    first, cost = experiments.train(experiment(), 0, place)
    for tables, steps in (
        ({"pretrain": {"epochs": 0.4, "batch_size": 32}}, 7),
        ({"model": {"units": 4, "embedding_size": 8}}, 3),
    ):
        model, changed = experiments.train(experiment(**tables), 0, place)
        assert model != first
        assert changed["texts"] == steps * 32
        assert Bundle.open(model).config.units == tables.get("model", TABLES["model"])["units"]
    again, _ = experiments.train(experiment(), 0, place)
    assert (again, cost["texts"]) == (first, 3 * 32)


def test_another_start_is_another_model(place, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "FOLDER", tmp_path)
    for name, rate in (("one", 0.01), ("other", 0.02)):
        lines = ['lever = ""', 'change = ""', 'prediction = ""', "[pretrain]", "batch_size = 32"]
        lines += ["epochs = 0.2", f"learning_rate = {rate}", "[model]"]
        text = "\n".join([*lines, "units = 8", "embedding_size = 8"])
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        experiments.train(settings.read(name), 0, place)
    models = [
        experiments.train(experiment(start={"init": name}), 0, place)[0]
        for name in ("one", "other", "one")
    ]
    assert models[0] == models[2] != models[1]
    origins = [Bundle.open(model).training["started_from"]["settings"] for model in models]
    assert [each["learning_rate"] for each in origins] == [0.01, 0.02, 0.01]


def test_the_plain_network_differs_in_nothing_else(corpus, tmp_path):
    config = experiments.config_of(
        experiment(
            pretrain={"embedding_range": 0.1, "embedding_dropout": 0.25, "word_dropout": 0.125}
        ),
        seed=3,
    )
    sizes = ModelConfig(vocabulary_size=30, classes=4, units=8, embedding_size=8)
    run = experiments.PlainRun(corpus=corpus, folder=tmp_path, model=sizes, config=config)
    plain, full = run.network(), new_network(sizes, config)
    assert isinstance(plain, PlainNetwork)
    assert (plain.embedding_dropout, plain.word_dropout) == (0.25, 0.125)
    assert plain.final_dropout.p == full.final_dropout.p
    assert 0.09 < plain.embedding.weight.abs().max() <= 0.1
    same = replace(config, seed=3)
    torch.testing.assert_close(
        experiments.PlainRun(corpus=corpus, folder=tmp_path, model=sizes, config=same)
        .network()
        .embedding.weight,
        plain.embedding.weight,
    )
