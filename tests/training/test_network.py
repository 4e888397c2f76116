"""The network against references of its parts, and its blindness to padding and neighbours."""

import numpy as np
import pytest
import torch
from torch import nn

from deepmoji.config import ModelConfig
from deepmoji.training.network import HardSigmoidLSTM, Network

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
    steps = torch.arange(9).unsqueeze(1)
    reverse = torch.where(steps < lengths, lengths - 1 - steps, steps)
    result = layer(words, reverse)
    for row, length in enumerate(lengths):
        torch.testing.assert_close(
            result[:length, row], expected[:length, row], atol=TOLERANCE, rtol=TOLERANCE
        )


@torch.no_grad()
def test_hard_sigmoid_is_keras_and_not_torchs():
    """One step by hand: gates clip(0.2 x + 0.5, 0, 1), order i, f, g, o."""
    torch.manual_seed(2)
    lstm = HardSigmoidLSTM(3, 2)
    for parameter in lstm.parameters():
        parameter.normal_(0, 2)
    x = torch.randn(1, 1, 3)
    z = (
        x[0, 0].numpy() @ lstm.weight_ih_l0.numpy().T
        + lstm.bias_ih_l0.numpy()
        + lstm.bias_hh_l0.numpy()
    )
    i, f, g, o = np.split(z, 4)
    hard = [np.clip(0.2 * gate + 0.5, 0, 1) for gate in (i, f, o)]
    expected = hard[2] * np.tanh(hard[0] * np.tanh(g))
    np.testing.assert_allclose(lstm(x)[0][0, 0].numpy(), expected, atol=1e-6)


@torch.no_grad()
def test_encoding_is_second_layer_first_layer_embedding():
    """A text of one word has attention 1, so its encoding is its own states: 2304 at full size."""
    network = make_network()
    output = network(torch.tensor([[7]]), torch.tensor([1]))
    assert output.features.shape == (1, 4 * 7 + 6)
    torch.testing.assert_close(output.features[0, -6:], torch.tanh(network.embedding.weight[7]))
    assert ModelConfig().features == 2304


def test_dropout_takes_whole_channels_of_a_text_and_nothing_in_inference():
    config = ModelConfig(vocabulary_size=60, embedding_size=50, units=2, classes=3)
    network = Network(config, embedding_dropout=0.5)
    words = torch.ones(4, 6, 50)
    torch.manual_seed(0)
    dropped = network.train()._drop_channels(words)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert (dropped == dropped[:, :1]).all()  # the same channels in every word of a text
    assert not (dropped[0] == dropped[1]).all()  # others in another text
    assert network.eval()._drop_channels(words) is words


def test_it_starts_from_the_originals_distributions():
    config = ModelConfig(vocabulary_size=2000, embedding_size=32, units=16, classes=4)
    network = Network(config).requires_grad_(False)
    embedding = network.embedding.weight
    assert 0.49 < float(embedding.max()) <= 0.5
    recurrent = network.lstm_2.back.weight_hh_l0
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(16), atol=1e-5, rtol=0)
    forget = network.lstm_1.ahead.bias_ih_l0.chunk(4)
    assert [float(gate.mean()) for gate in forget] == [0.0, 1.0, 0.0, 0.0]
