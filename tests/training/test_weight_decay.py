"""Weight decay is AdamW's, on matrices alone."""

import pytest
import torch

from deepmoji.config import ModelConfig
from deepmoji.errors import InputError
from deepmoji.training.guide import GuidedNetwork
from deepmoji.training.loop import decay_weights, make_optimiser
from deepmoji.training.network import Network
from deepmoji.training.pretrain import train
from tests.helpers.tinyruns import (
    ONE,
    assert_continues_exactly,
    latest,
    nothing,
    settings,
    tiny_run,
)

MATRICES = {
    f"{layer}.{direction}.weight_{source}_l0"
    for layer in ("lstm_1", "lstm_2")
    for direction in ("ahead", "back")
    for source in ("ih", "hh")
} | {"output.weight"}
SIZES = ModelConfig(vocabulary_size=20, embedding_size=3, units=4, classes=5)


def test_it_does_what_adamw_does():
    torch.manual_seed(0)
    ours, theirs = Network(SIZES), Network(SIZES)
    theirs.load_state_dict(ours.state_dict())
    config = settings(learning_rate=0.01, weight_decay=0.3, embedding_l2=0)
    optimiser = make_optimiser(ours, config)
    named = dict(theirs.named_parameters())
    groups = [
        {"params": [p for n, p in named.items() if n in MATRICES], "weight_decay": 0.3},
        {"params": [p for n, p in named.items() if n not in MATRICES], "weight_decay": 0},
    ]
    reference = torch.optim.AdamW(groups, lr=0.01)
    for _ in range(20):
        for name, parameter in ours.named_parameters():
            parameter.grad = torch.randn_like(parameter)
            named[name].grad = parameter.grad.clone()
        decay_weights(ours, 0.01 * 0.3)
        optimiser.step()
        reference.step()
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter, named[name], atol=1e-6, rtol=1e-5)


def test_the_guess_of_encodings_is_left_alone():
    network = GuidedNetwork(SIZES, size=3)
    torch.nn.init.ones_(network.guess.weight)
    decay_weights(network, 0.5)
    assert network.guess.weight.min() == 1


def test_it_keeps_weights_small(corpus, tmp_path):
    for name, decay in (("without", 0.0), ("with", 3.0)):
        train(tiny_run(corpus, tmp_path / name, weight_decay=decay), ONE, nothing)
    without, with_ = (latest(tmp_path / name)["network"] for name in ("without", "with"))
    for name in MATRICES:
        assert with_[name].norm() < 0.9 * without[name].norm()


def test_it_falls_with_the_learning_rate(corpus, tmp_path):
    """Where nothing is learnt, little is forgotten either."""
    start = tiny_run(corpus, tmp_path).network().state_dict()
    still = {"learning_rate": 1e-9, "embedding_l2": 0}
    train(tiny_run(corpus, tmp_path, weight_decay=100.0, **still), ONE, nothing)
    for name, value in latest(tmp_path)["network"].items():
        torch.testing.assert_close(value, start[name], atol=1e-4, rtol=0)


def test_a_killed_run_continues_exactly(corpus, tmp_path):
    assert_continues_exactly(lambda name: tiny_run(corpus, tmp_path / name, weight_decay=0.1))


@pytest.mark.parametrize("decay", [-0.1, float("nan"), float("inf"), "0.1", 100.0])
def test_impossible_decays_are_refused(decay):
    with pytest.raises(InputError, match="weight_decay"):
        settings(weight_decay=decay)
