"""A run with another model's encodings learns to say them, and its model keeps nothing else."""

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from deepmoji.bundle import Bundle
from deepmoji.cli import app
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.training.guide import Encodings, Guide, GuidedNetwork, without_guess
from deepmoji.training.loop import to_tensors
from deepmoji.training.material import read_material, sources_of
from deepmoji.training.network import Network
from deepmoji.training.pretrain import pretrain, train
from deepmoji.training.weights import read_weights
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    assert_continues_exactly,
    assert_two_processes_are_one,
    latest,
    nothing,
    settings,
    tiny_run,
)

FILLERS = ("the", "my", "today", "really", "so")


@pytest.fixture(scope="module")
def encodings(corpus, tmp_path_factory):
    """Which of some words, that tell nothing of the emoji, a text has; of a tenth it is unknown."""
    path = tmp_path_factory.mktemp("encodings") / "encodings.npy"
    folder = CorpusFolder.open(corpus)
    rows = folder.read_train()
    words = [folder.vocabulary.words.index(word) for word in FILLERS]
    known = np.array(
        [np.isin(words, rows.ids[rows.offsets[k] : rows.offsets[k + 1]]) for k in range(len(rows))]
    ).astype(np.float16)
    known[::10] = np.nan
    np.save(path, known)
    return path


def opened(path, rows):
    np.save(path, np.array(rows, dtype=np.float32))
    return Encodings.open(path, pairs=len(rows))


def explained(network, corpus, path):
    """R² of the guesses, on the training pairs with encodings."""
    rows, wanted = CorpusFolder.open(corpus).read_train(), np.load(path).astype(np.float32)
    is_known = ~np.isnan(wanted).any(axis=1)
    with torch.no_grad():
        ids, lengths = to_tensors(rows, np.arange(len(rows)), 20, torch.device("cpu"))
        guess = network.eval()(ids, lengths).guess.numpy()
    wanted, guess = wanted[is_known], guess[is_known]
    wanted = wanted - wanted.mean(axis=0)
    return 1 - ((guess - wanted) ** 2).sum() / (wanted**2).sum()


def test_the_loss_is_of_labels_and_guesses(tmp_path):
    missing = [np.nan, np.nan]
    encodings = opened(tmp_path / "e.npy", [[1, 0], missing, [3, 4]])
    assert encodings.mean.tolist() == [2, 2]
    assert (encodings.variance, encodings.known, encodings.size) == (5, 2, 2)
    guide = Guide(encodings, sources=None, weight=0.5)
    guess = torch.tensor([[0.0, 0.0], [7.0, 7.0], [1.0, 0.0]], requires_grad=True)
    loss = guide(torch.tensor(3.0), guess, np.array([0, 1, 2]))
    # From the mean, the encodings are (-1, -2) and (1, 2).
    assert loss.item() == pytest.approx(3 + 0.5 * ((1 + 4) + (0 + 4)) / 5)
    loss.backward()
    assert guess.grad[1].tolist() == [0, 0]
    np.testing.assert_allclose(guess.grad[2], [0, 0.5 * 2 * (0 - 2) / 5])


def test_who_guesses_the_mean_loses_the_weight(tmp_path):
    rows = np.random.default_rng(0).normal(3, 2, size=(400, 7))
    guide = Guide(opened(tmp_path / "e.npy", rows), sources=None, weight=2.0)
    loss = guide(torch.tensor(0.0), torch.zeros(400, 7), np.arange(400))
    assert loss.item() / 400 == pytest.approx(2.0, rel=1e-5)


def test_rows_are_those_of_the_corpus(tmp_path):
    encodings = opened(tmp_path / "e.npy", [[1, 0], [3, 4], [5, 5]])
    guide = Guide(encodings, sources=np.array([2, 0]), weight=1.0)
    right = torch.from_numpy(np.array([[1.0, 0.0]]) - encodings.mean).float()
    assert guide(torch.tensor(0.0), right, np.array([1])).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("changes", [{"pairs": 120}, {"soft_labels": True}, {}], ids=str)
def test_sources_are_the_rows_of_a_run(corpus, changes):
    folder, config = CorpusFolder.open(corpus), settings(**changes)
    rows, sources = read_material(folder, config).rows, sources_of(folder, config)
    everything = folder.read_train(sources)
    assert (sources is None) == (not changes)
    assert len(rows) == len(everything)
    np.testing.assert_array_equal(rows.ids, everything.ids)
    np.testing.assert_array_equal(rows.offsets, everything.offsets)


def test_it_learns_them_besides_the_labels(corpus, encodings, tmp_path):
    """What no emoji needs, without losing what they need; the model has no layer more."""
    out = tmp_path / "guided"
    config = settings(epochs=12, encodings_weight=4.0)
    pretrain(corpus, out, model=TINY, config=config, hardware=ONE, encodings=encodings)
    bundle = Bundle.open(out)
    network = GuidedNetwork(bundle.config, size=len(FILLERS))
    before = explained(network, corpus, encodings)
    state = latest(tmp_path / "guided.training")["network"]
    network.load_state_dict(state)
    assert before < 0.1
    assert explained(network, corpus, encodings) > 0.6
    assert read_weights(bundle).keys() == without_guess(state).keys() < state.keys()
    assert bundle.training["history"][-1]["natural_top1"] > 0.9  # chance is 0.25
    assert bundle.training["encodings"]["numbers"] == len(FILLERS)
    assert bundle.training["encodings"]["pairs"] < CorpusFolder.open(corpus).train_rows
    given = tiny_run(corpus, tmp_path / "next", files={"init": out}).given()
    assert given["started_from"]["encodings"] == bundle.training["encodings"]


def test_without_weight_nothing_else_is_learnt(corpus, encodings, tmp_path):
    """The network is that of a run without encodings, number for number."""
    given = {"encodings": encodings}
    train(tiny_run(corpus, tmp_path / "a", files=given, encodings_weight=0.0), ONE, nothing)
    train(tiny_run(corpus, tmp_path / "b"), ONE, nothing)
    one = without_guess(latest(tmp_path / "a")["network"])
    other = latest(tmp_path / "b")["network"]
    assert one.keys() == other.keys()
    for name, value in other.items():
        torch.testing.assert_close(one[name], value, atol=1e-6, rtol=0)


def test_a_killed_run_continues_exactly(corpus, encodings, tmp_path):
    given = {"encodings": encodings}
    assert_continues_exactly(lambda name: tiny_run(corpus, tmp_path / name, files=given))


@pytest.mark.slow
def test_two_processes_learn_what_one_does(corpus, encodings, tmp_path):
    plain = {"embedding_dropout": 0.0, "final_dropout": 0.0, "epochs": 1, "pairs": 200}
    given = {"encodings": encodings}
    assert_two_processes_are_one(
        lambda name: tiny_run(corpus, tmp_path / name, files=given, **plain)
    )


def test_it_starts_from_a_model(corpus, encodings, tmp_path):
    first = pretrain(corpus, tmp_path / "first", model=TINY, config=settings(), hardware=ONE)
    run = tiny_run(corpus, tmp_path / "run", files={"init": first, "encodings": encodings})
    network, weights = run.network(), read_weights(Bundle.open(first))
    assert isinstance(network, GuidedNetwork)
    for name, value in without_guess(network.state_dict()).items():
        np.testing.assert_array_equal(value.numpy(), weights[name])


def test_other_encodings_are_another_run(corpus, encodings, tmp_path):
    train(tiny_run(corpus, tmp_path, files={"encodings": encodings}, epochs=0.1), ONE, nothing)
    np.save(tmp_path / "other.npy", np.load(encodings) + 1)
    for files, changes, message in (
        ({"encodings": tmp_path / "other.npy"}, {}, "another encodings;"),
        ({}, {}, "another encodings;"),
        (
            {"encodings": encodings},
            {"encodings_weight": 0.4},
            r"another encodings_weight \(not given there, 0.4 now\);",
        ),
    ):
        with pytest.raises(InputError, match=message):
            train(tiny_run(corpus, tmp_path, files=files, epochs=0.1, **changes), ONE, nothing)


def archive(path):
    with path.open("wb") as file:
        np.savez(file, np.ones((4, 2)))


BAD = {
    "rows": (lambda path: np.save(path, np.ones((3, 2))), "has 3 rows, but the corpus 4"),
    "flat": (lambda path: np.save(path, np.ones(4)), r"an array \[4\] of float64; wanted"),
    "whole": (lambda path: np.save(path, np.ones((4, 2), int)), "of int64; wanted"),
    "nothing": (
        lambda path: np.save(path, np.full((4, 2), np.nan)),
        "only rows of not-a-number; write",
    ),
    "same": (lambda path: np.save(path, np.full((4, 2), 0.3)), "all the same"),
    "infinite": (lambda path: np.save(path, np.diag([np.inf, 1, 2, 3])), "infinite"),
    "objects": (lambda path: np.save(path, np.array([{}] * 4)), "cannot read"),
    "archive": (archive, "an archive"),
    "text": (lambda path: path.write_text("1 2 3"), "cannot read"),
    "empty": (lambda path: path.touch(), "cannot read"),
    "missing": (lambda path: None, "cannot read .*: No such file"),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_hold_no_encodings_are_refused(name, tmp_path):
    write, message = BAD[name]
    write(tmp_path / "e.npy")
    with pytest.raises(InputError, match=message):
        Encodings.open(tmp_path / "e.npy", pairs=4)


def test_a_weight_without_encodings_is_refused(corpus, tmp_path):
    with pytest.raises(InputError, match="encodings_weight means nothing without encodings"):
        tiny_run(corpus, tmp_path, encodings_weight=2.0)
    with pytest.raises(InputError, match="encodings_weight must not be negative"):
        settings(encodings_weight=-1.0)


def test_the_command_takes_them(corpus, encodings, tmp_path):
    sizes = ["--units", "8", "--embedding-size", "8", "--processes", "1", "--epochs", "0.5"]
    files = ["--encodings", str(encodings), "--encodings-weight", "2", "--device", "cpu"]
    out = tmp_path / "model"
    result = CliRunner().invoke(app, ["pretrain", str(corpus), "--out", str(out), *sizes, *files])
    assert result.exit_code == 0, result.output
    record = Bundle.open(out).training
    assert record["settings"]["encodings_weight"] == 2
    assert len(record["encodings"]["sha256"]) == 64


def test_a_network_without_a_guess_has_none(corpus):
    folder = CorpusFolder.open(corpus)
    sizes = {"vocabulary_size": len(folder.vocabulary), "classes": len(folder.labels)}
    network = Network(type(TINY)(**(TINY.to_dict() | sizes)))
    ids, lengths = to_tensors(folder.read_train(), np.arange(3), 20, torch.device("cpu"))
    assert network(ids, lengths).guess is None
