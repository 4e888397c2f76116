"""The network against references of its parts, and its blindness to padding and neighbours."""

import numpy as np
import pytest
import torch
from torch import nn

from deepmoji.config import ModelConfig
from deepmoji.training.network import Network
from deepmoji.training.recurrence import Packing, Recurrence

TOLERANCE = 1e-6  # of fp32 results that have to be the same


def make_network(gates="sigmoid", **changes):
    torch.manual_seed(0)
    sizes = {"vocabulary_size": 60, "embedding_size": 6, "units": 7, "classes": 5} | changes
    network = Network(ModelConfig(gates=gates, **sizes)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.6)
    return network


def batch():
    torch.manual_seed(1)
    lengths = torch.tensor([1, 4, 9, 6])
    ids = torch.randint(2, 60, (4, 9))
    return ids, lengths


@pytest.mark.parametrize("gates", ["sigmoid", "hard_sigmoid"])
@torch.no_grad()
def test_padding_and_neighbours_have_no_influence(gates):
    network = make_network(gates)
    ids, lengths = batch()
    together = network(ids, lengths)
    other_padding = ids.clone()
    for row, length in enumerate(lengths):
        other_padding[row, length:] = 0
    padded = network(torch.nn.functional.pad(other_padding, (0, 5)), lengths)
    for row, length in enumerate(lengths):
        alone = network(ids[row : row + 1, :length], lengths[row : row + 1])
        for output in (together, padded):
            torch.testing.assert_close(
                output.logits[row], alone.logits[0], atol=TOLERANCE, rtol=TOLERANCE
            )
            torch.testing.assert_close(
                output.features[row], alone.features[0], atol=TOLERANCE, rtol=TOLERANCE
            )
            assert float(output.attention[row, length:].sum()) == 0.0
            assert float(output.attention[row].sum()) == pytest.approx(1.0, abs=1e-6)


@torch.no_grad()
def test_layers_are_torchs_packed_bidirectional_lstm():
    network = make_network()
    ids, lengths = batch()
    layer = network.lstm_1
    reference = nn.LSTM(6, 7, bidirectional=True)
    reference.load_state_dict(
        {
            **layer.ahead.state_dict(),
            **{f"{name}_reverse": value for name, value in layer.back.state_dict().items()},
        }
    )
    words = torch.tanh(network.embedding(ids)).transpose(0, 1)
    packed = nn.utils.rnn.pack_padded_sequence(words, lengths, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(reference(packed)[0])
    packing = Packing.of(lengths)
    result = layer(words[packing.steps, packing.texts], packing)
    torch.testing.assert_close(
        result, expected[packing.steps, packing.texts], atol=TOLERANCE, rtol=TOLERANCE
    )


def by_autograd(projected, recurrent, sizes, gates):
    """The same recurrence, step by step, for autograd to differentiate."""
    open_gate = torch.sigmoid if gates == "sigmoid" else lambda x: (0.2 * x + 0.5).clamp(0, 1)
    states, start = [], 0
    hidden = cell = projected.new_zeros(sizes[0], recurrent.shape[1])
    for size in sizes:
        sums = projected[start : start + size] + hidden[:size] @ recurrent.t()
        i, f, g, o = sums.chunk(4, dim=-1)
        cell = open_gate(f) * cell[:size] + open_gate(i) * torch.tanh(g)
        hidden = open_gate(o) * torch.tanh(cell)
        states.append(hidden)
        start += size
    return torch.cat(states)


@pytest.mark.parametrize("gates", ["sigmoid", "hard_sigmoid"])
def test_recurrence_and_its_gradients_are_autograds(gates):
    torch.manual_seed(3)
    sizes = (4, 3, 3, 2, 1)
    projected = torch.randn(sum(sizes), 20, requires_grad=True)
    recurrent = torch.randn(20, 5, requires_grad=True)
    wanted = torch.randn(sum(sizes), 5)
    inputs = (projected, recurrent)
    expected = by_autograd(*inputs, sizes, gates)
    result = Recurrence.apply(*inputs, sizes, gates)
    torch.testing.assert_close(result, expected, atol=1e-6, rtol=1e-6)
    found = torch.autograd.grad((result * wanted).sum(), inputs)
    true = torch.autograd.grad((expected * wanted).sum(), inputs)
    for one, other in zip(found, true, strict=True):
        torch.testing.assert_close(one, other, atol=2e-5, rtol=2e-5)


def test_products_have_few_shapes(monkeypatch):
    """OneDNN keeps 6 MB for each shape: with any number of rows memory would not stop growing."""
    rows = set()
    linear = nn.functional.linear

    def spy(given, *arguments):
        rows.add(len(given))
        return linear(given, *arguments)

    monkeypatch.setattr(nn.functional, "linear", spy)
    network = make_network()
    for longest in range(2, 12):
        network(torch.randint(2, 60, (40, longest)), torch.full((40,), longest))
    assert rows - {40} <= {256, 512}  # 40: the last layer, of encodings


def test_a_process_without_a_text_has_gradients_of_zero():
    network = make_network().train()
    output = network(torch.zeros(0, 3, dtype=torch.int64), torch.zeros(0, dtype=torch.int64))
    assert output.logits.shape == (0, 5)
    output.logits.sum().backward()
    assert all(float(p.grad.abs().sum()) == 0 for p in network.parameters() if p.grad is not None)


@torch.no_grad()
def test_hard_sigmoid_is_keras_and_not_torchs():
    """One step by hand: gates clip(0.2 x + 0.5, 0, 1), order i, f, g, o."""
    torch.manual_seed(2)
    sums = 4 * torch.randn(3, 8)
    i, f, g, o = np.split(sums.numpy(), 4, axis=1)
    hard = [np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o)]
    expected = hard[2] * np.tanh(hard[0] * np.tanh(g))
    result = Recurrence.apply(sums, torch.zeros(8, 2), (3,), "hard_sigmoid")
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-6)


@torch.no_grad()
def test_encoding_is_second_layer_first_layer_embedding():
    """A text of one word has attention 1, so its encoding is its own states: 2304 at full size."""
    network = make_network()
    output = network(torch.tensor([[7]]), torch.tensor([1]))
    assert output.features.shape == (1, 4 * 7 + 6)
    torch.testing.assert_close(output.features[0, -6:], torch.tanh(network.embedding.weight[7]))
    assert ModelConfig().features == 2304


def test_dropped_words_are_read_as_the_unknown_one():
    config = ModelConfig(vocabulary_size=50, embedding_size=4, units=3, classes=2)
    network = Network(config, word_dropout=0.25)
    lengths = torch.full((400,), 10)
    ids = torch.randint(2, 50, (4000,))
    packing = Packing.of(lengths)
    words, unknown = network.read_words(ids, packing), torch.tanh(network.embedding.weight[1])
    is_dropped = (words == unknown).all(dim=1)
    assert abs(float(is_dropped.float().mean()) - 0.25) < 0.04  # six standard deviations
    kept = torch.tanh(network.embedding(ids))
    torch.testing.assert_close(words[~is_dropped], kept[~is_dropped], atol=0, rtol=0)
    network.eval()
    torch.testing.assert_close(network.read_words(ids, packing), kept, atol=0, rtol=0)


def test_dropout_takes_whole_channels_of_a_text_and_nothing_in_inference():
    config = ModelConfig(vocabulary_size=60, embedding_size=50, units=2, classes=3)
    network = Network(config, embedding_dropout=0.5)
    with torch.no_grad():
        network.embedding.weight.fill_(1.0)
    packing = Packing.of(torch.tensor([6, 6, 6, 6]))
    ids = torch.zeros(24, dtype=torch.int64)
    torch.manual_seed(0)
    dropped = network.train().read_words(ids, packing).detach() / np.tanh(1.0)
    by_text = torch.stack([dropped[packing.texts == text] for text in range(4)])
    assert set(by_text.round(decimals=4).unique().tolist()) == {0.0, 2.0}
    assert (by_text == by_text[:, :1]).all()  # the same channels in every word of a text
    assert not (by_text[0] == by_text[1]).all()  # others in another text
    whole = network.eval().read_words(ids, packing).detach() / np.tanh(1.0)
    assert set(whole.round(decimals=4).unique().tolist()) == {1.0}


def test_it_starts_from_the_originals_distributions():
    config = ModelConfig(vocabulary_size=2000, embedding_size=32, units=16, classes=4)
    network = Network(config).requires_grad_(False)
    embedding = network.embedding.weight
    assert 0.49 < float(embedding.max()) <= 0.5
    recurrent = network.lstm_2.back.weight_hh_l0
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(16), atol=1e-5, rtol=0)
    forget = network.lstm_1.ahead.bias_ih_l0.chunk(4)
    assert [float(gate.mean()) for gate in forget] == [0.0, 1.0, 0.0, 0.0]
