"""The arithmetic that the benchmark of training counts is the arithmetic that is done."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.arithmetic import Watch, peak_gflops, training_flops
from deepmoji.config import ModelConfig
from deepmoji.training.network import Network


def test_flops_are_those_that_torch_counts():
    config = ModelConfig(vocabulary_size=50, embedding_size=32, units=64, classes=64)
    texts, length = 32, 24  # 768 rows: a multiple of what products are rounded up to
    ids = torch.randint(2, 50, (texts, length))
    network = Network(config)
    with FlopCounterMode(display=False) as counter:
        logits = network(ids, torch.full((texts,), length)).logits
        logits.sum().backward()
    expected = training_flops(config, texts=texts, tokens=texts * length)
    # Torch also counts the attention, and the zeros before first tokens in the weights' gradient.
    assert expected < counter.get_total_flops() < 1.03 * expected


def test_padding_and_first_states_cost_nothing():
    config = ModelConfig(embedding_size=2, units=3, classes=5)
    one = training_flops(config, texts=1, tokens=1)
    assert one == 6 * (2 * (2 + 6) * 12 + 14 * 5)
    assert training_flops(config, texts=1, tokens=2) - one == 6 * 2 * (2 + 6 + 3 + 3) * 12


def test_a_peak_is_measured(monkeypatch):
    monkeypatch.setattr("benchmarks.arithmetic._SIZES", {"cpu": (64,)})
    assert peak_gflops("cpu", "32-true") > 0
    assert peak_gflops("cpu", "bf16-mixed") > 0


def test_a_watch_adds_up_parts():
    watch = Watch("cpu")
    for name in ("before", "one", "two", "one"):
        watch.mark(name)
    assert watch.seconds().keys() == {"one", "two"}
    watch.clear()
    watch.mark("one")
    assert watch.seconds() == pytest.approx({})
