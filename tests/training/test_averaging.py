"""The average of a run's weights is what is evaluated and kept."""

import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from deepmoji.errors import InputError
from deepmoji.training.averaging import average_of
from deepmoji.training.pretrain import pretrain, train
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    TWO,
    assert_continues_exactly,
    assert_same_weights,
    best,
    latest,
    nothing,
    settings,
    tiny_run,
)


def test_the_average_forgets_its_start_and_then_moves_slowly():
    network = nn.Linear(1, 1, bias=False)
    average = average_of(network, 0.5)
    expected = 0.0
    for step in range(30):
        nn.init.constant_(network.weight, step + 1)
        average.update_parameters(network)
        kept = min(0.5, (1 + step) / (10 + step)) if step else 0.0
        expected = kept * expected + (1 - kept) * (step + 1)
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-5)
    assert network.weight.item() == 30


def test_a_killed_run_continues_exactly(corpus, tmp_path):
    whole, killed = assert_continues_exactly(
        lambda name: tiny_run(corpus, tmp_path / name, average=0.9)
    )
    one, other = latest(whole.folder), latest(killed.folder)
    assert_same_weights(one["average"], other["average"])
    assert one["average"]["n_averaged"] == one["state"]["step"]
    drift = one["average"]["module.output.weight"] - one["network"]["output.weight"]
    assert drift.abs().max() > 1e-4


def test_training_itself_is_the_same(corpus, tmp_path):
    for name, changes in (("with", {"average": 0.9}), ("without", {})):
        train(tiny_run(corpus, tmp_path / name, **changes), ONE, nothing)
    with_, without = latest(tmp_path / "with"), latest(tmp_path / "without")
    assert_same_weights(with_["network"], without["network"])
    assert "average" not in without


def test_the_model_that_is_written_is_the_average(corpus, tmp_path):
    config = settings(average=0.9, epochs=1, evaluate_every=1000)  # evaluated at its end alone
    out = pretrain(corpus, tmp_path / "model", model=TINY, config=config, hardware=ONE)
    saved = latest(tmp_path / "model.training")
    for name, array in load_file(out / "model.safetensors").items():
        if name.startswith("output."):
            continue  # calibrated after training
        average = saved["average"][f"module.{name}"]
        torch.testing.assert_close(torch.from_numpy(array), average, atol=1e-6, rtol=0)
    kept = best(tmp_path / "model.training")
    assert_same_weights(kept, {name: saved["average"][f"module.{name}"] for name in kept})


def test_two_processes_average_what_one_does(corpus, tmp_path):
    plain = {"average": 0.9, "embedding_dropout": 0.0, "final_dropout": 0.0, "epochs": 1}
    for name, hardware in (("one", ONE), ("two", TWO)):
        train(tiny_run(corpus, tmp_path / name, **plain), hardware, nothing)
    one, two = latest(tmp_path / "one")["average"], latest(tmp_path / "two")["average"]
    for name, value in one.items():
        # Adam's division amplifies rounding, as in test_pretrain.
        torch.testing.assert_close(two[name], value, atol=5e-3, rtol=0)


@pytest.mark.parametrize("average", [1.0, -0.1, float("nan")])
def test_impossible_decays_are_refused(average):
    with pytest.raises(InputError, match="average"):
        settings(average=average)
