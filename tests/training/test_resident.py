"""Batches that are made where the pairs lie are those that are made on the CPU and copied."""

from types import SimpleNamespace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepmoji.training import trainer
from deepmoji.training.batches import collate
from deepmoji.training.pretrain import train
from deepmoji.training.resident import DevicePairs, gather_from
from tests.helpers.tinyruns import ONE, assert_same_weights, latest, nothing, tiny_run

CPU = torch.device("cpu")


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=8).filter(any),
    cut=st.integers(1, 10),
    data=st.data(),
)
def test_gathering_is_collating(lengths, cut, data):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = np.arange(60_000, 60_000 + offsets[-1], dtype=np.uint16)
    pairs = SimpleNamespace(ids=ids, offsets=offsets, labels=np.zeros(len(lengths), np.int64))
    drawn = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=12))
    rows = np.array(drawn, dtype=np.int64)
    gathered = DevicePairs(pairs, cut, CPU).gather(rows)
    for expected, tensor in zip(collate(pairs, rows, cut), gathered, strict=True):
        assert tensor.dtype == torch.int64
        np.testing.assert_array_equal(tensor.numpy(), expected)
    for one, other in zip(gather_from(pairs, cut, CPU)(rows), gathered, strict=True):
        assert torch.equal(one, other)


def test_a_run_as_on_a_gpu_is_the_same_run(corpus, tmp_path, monkeypatch):
    for name in ("usual", "resident"):
        train(tiny_run(corpus, tmp_path / name, average=0.9), ONE, nothing)
        monkeypatch.setattr(
            trainer, "gather_from", lambda *arguments: DevicePairs(*arguments).gather
        )
        monkeypatch.setattr(trainer, "_READ_EVERY", {"cpu": 50})
    usual, resident = (latest(tmp_path / name)["network"] for name in ("usual", "resident"))
    assert_same_weights(usual, resident)
