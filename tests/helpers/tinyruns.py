"""Pretraining runs that take a fraction of a second."""

import torch

from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.training.pretrain import Hardware, Run, train

TINY = ModelConfig(units=16, embedding_size=16)
ONE = Hardware(device="cpu", processes=1, precision="32-true")
TWO = Hardware(device="cpu", processes=2, precision="32-true")
SETTINGS = {
    "epochs": 2,
    "batch_size": 32,
    "learning_rate": 0.01,
    "warmup": 5,
    "embedding_dropout": 0.2,
    "final_dropout": 0.2,
    "max_tokens": 20,
    "evaluate_every": 8,
    "checkpoint_every": 4,
}


class KilledError(RuntimeError):
    """What stops a run in the middle."""


def nothing(progress):
    """Picklable, for processes that are started anew."""


def settings(**changes):
    return PretrainConfig(**(SETTINGS | changes))


def tiny_run(corpus, folder, *, files=None, **changes):
    """A run with a few steps; `files` are those that it is given besides the corpus."""
    files = dict(files or {})
    if "teacher" in files:
        files["teachers"] = (files.pop("teacher"),)
    opened = CorpusFolder.open(corpus)
    sizes = {"vocabulary_size": len(opened.vocabulary), "classes": len(opened.labels)}
    return Run(
        corpus=corpus,
        folder=folder,
        model=ModelConfig(**(TINY.to_dict() | sizes)),
        config=settings(**changes),
        **files,
    )


def latest(folder):
    return torch.load(folder / "latest.pt", weights_only=True)


def best(folder):
    return torch.load(folder / "best.pt", weights_only=True)


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, atol=0, rtol=0)


def assert_continues_exactly(make_run):
    """A run that is killed and started again ends where one ends that never stopped.

    Args:
        make_run: from a name to a run in a folder of that name.
    """

    def kill(progress):
        if progress.step >= 16 and not progress.stage:
            raise KilledError

    whole, killed = make_run("whole"), make_run("killed")
    train(whole, ONE, nothing)
    try:
        train(killed, ONE, kill)
    except KilledError:
        assert 0 < latest(killed.folder)["state"]["step"] < 16
        train(killed, ONE, nothing)
    else:
        raise AssertionError("the run was not stopped")
    assert_same_weights(latest(whole.folder)["network"], latest(killed.folder)["network"])
    assert_same_weights(best(whole.folder), best(killed.folder))
    return whole, killed


def assert_two_processes_are_one(make_run):
    """Two processes learn what one does with the batches of both.

    Args:
        make_run: from a name to a run, without dropout, in a folder of that name.
    """
    one, two = make_run("one"), make_run("two")
    train(one, ONE, nothing)
    train(two, TWO, nothing)
    wanted, found = latest(one.folder)["network"], latest(two.folder)["network"]
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        # Adam's division amplifies rounding, as in test_pretrain.
        torch.testing.assert_close(found[name], value, atol=5e-3, rtol=0)
