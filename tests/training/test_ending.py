"""A run that is at its end goes on as if it had never been, or says why it cannot."""

import pytest
import torch

from deepmoji.bundle import Bundle
from deepmoji.errors import InputError
from deepmoji.training.pretrain import pretrain, train
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    assert_same_weights,
    latest,
    nothing,
    settings,
    tiny_run,
)

# Nothing is learnt, so that validation soon gets worse; 34 steps in two epochs.
STILL = {"learning_rate": 1e-9, "warmup": 1, "evaluate_every": 2}
FLAT = {"decay": 0.0}


def kept(run):
    """The weights that a bundle would be made of."""
    checkpoint = run.checkpoint()
    return checkpoint.load_best(is_extra=checkpoint.load_state().is_best_extra)


def state(run):
    return latest(run.folder)["state"]


def steps_of(run):
    return [each["step"] for each in state(run)["history"]]


def assert_same_end(one, other):
    assert_same_weights(latest(one.folder)["network"], latest(other.folder)["network"])
    assert_same_weights(kept(one), kept(other))
    assert steps_of(one) == steps_of(other)
    assert state(one)["best_step"] == state(other)["best_step"]


def test_one_that_stopped_early_goes_on_with_more_patience(corpus, tmp_path):
    def run(name, patience):
        return tiny_run(corpus, tmp_path / name, **STILL, patience=patience)

    train(run("stopped", 1), ONE, nothing)
    assert state(run("stopped", 1))["step"] < 34
    assert train(run("stopped", 9), ONE, nothing)
    train(run("whole", 9), ONE, nothing)
    assert_same_end(run("whole", 9), run("stopped", 9))
    assert state(run("stopped", 9))["step"] > state(run("stopped", 9))["best_step"] + 2


@pytest.mark.parametrize("every", [8, 1000], ids=["measured before", "measured at its end alone"])
def test_a_flat_one_is_made_longer_exactly(corpus, tmp_path, every):
    def run(name, epochs):
        changes = {"epochs": epochs, "evaluate_every": every, "average": 0.9}
        return tiny_run(corpus, tmp_path / name, **FLAT, **changes)

    train(run("longer", 1), ONE, nothing)
    assert steps_of(run("longer", 1))[-1] == 17  # an evaluation that a longer run does not make
    assert state(run("longer", 1))["best_step"] == 17
    train(run("longer", 2), ONE, nothing)
    train(run("whole", 2), ONE, nothing)
    assert_same_end(run("whole", 2), run("longer", 2))


def test_weights_that_a_longer_one_needs_are_missed(corpus, tmp_path):
    """Older versions wrote those of the last evaluation over those of the best one before."""
    train(tiny_run(corpus, tmp_path, **FLAT, epochs=1), ONE, nothing)
    of_an_older_version(tmp_path)
    with pytest.raises(InputError, match="another --out"):
        train(tiny_run(corpus, tmp_path, **FLAT, epochs=2), ONE, nothing)


def of_an_older_version(folder):
    content = latest(folder)
    for name in ("settings", "hardware", "is_best_extra"):
        del content["state"][name]
    torch.save(content, folder / "latest.pt")


def test_one_whose_rate_fell_is_not_made_longer(corpus, tmp_path):
    train(tiny_run(corpus, tmp_path, epochs=1), ONE, nothing)
    with pytest.raises(InputError, match="falling"):
        train(tiny_run(corpus, tmp_path, epochs=2), ONE, nothing)


def test_less_patience_than_it_had_is_refused(corpus, tmp_path):
    train(tiny_run(corpus, tmp_path, **STILL, patience=3), ONE, nothing)
    with pytest.raises(InputError, match="would have stopped at step"):
        train(tiny_run(corpus, tmp_path, **STILL, patience=1), ONE, nothing)


def test_patience_that_would_have_changed_nothing_is_taken(corpus, tmp_path):
    for patience in (50, 40, 60):
        train(tiny_run(corpus, tmp_path, patience=patience), ONE, nothing)
        assert state(tiny_run(corpus, tmp_path))["settings"]["patience"] == patience


def test_one_of_an_older_version_stays_at_its_end(corpus, tmp_path):
    train(tiny_run(corpus, tmp_path, **STILL, patience=1), ONE, nothing)
    of_an_older_version(tmp_path)
    step = latest(tmp_path)["state"]["step"]
    assert train(tiny_run(corpus, tmp_path, **STILL, patience=1), ONE, nothing)
    assert latest(tmp_path)["state"]["step"] == step
    assert train(tiny_run(corpus, tmp_path, **STILL, patience=9), ONE, nothing)
    assert latest(tmp_path)["state"]["step"] > step


def test_the_record_says_what_the_run_was_made_with(corpus, tmp_path):
    out = tmp_path / "model"
    for changes in ({}, {"evaluate_every": 3, "checkpoints": 2}):
        pretrain(corpus, out, model=TINY, config=settings(epochs=0.5, **changes), hardware=ONE)
        record = Bundle.open(out).training
        assert record["settings"] == settings(epochs=0.5).to_dict()
    with pytest.raises(InputError, match="falling"):
        pretrain(corpus, out, model=TINY, config=settings(epochs=3), hardware=ONE)
    assert Bundle.open(out).training == record


def kill(progress):
    if progress.step >= 16:
        raise KeyError


def test_one_that_an_older_version_ended_unseen_is_looked_at(corpus, tmp_path):
    with pytest.raises(KeyError):
        train(tiny_run(corpus, tmp_path, **FLAT, checkpoint_every=5), ONE, kill)
    content = latest(tmp_path)
    content["state"] |= {"is_finished": True, "steps": 15}
    torch.save(content, tmp_path / "latest.pt")
    of_an_older_version(tmp_path)
    run = tiny_run(corpus, tmp_path, **FLAT, checkpoint_every=5, epochs=15 / 17)
    assert train(run, ONE, nothing)
    assert steps_of(run) == [8, 15]


def test_one_that_is_cut_to_where_it_is_has_an_end(corpus, tmp_path):
    def run(name, steps):
        return tiny_run(corpus, tmp_path / name, **FLAT, epochs=steps / 17, checkpoint_every=5)

    with pytest.raises(KeyError):
        train(run("cut", 34), ONE, kill)
    assert state(run("cut", 34))["step"] == 15
    assert train(run("cut", 15), ONE, nothing)
    train(run("short", 15), ONE, nothing)
    assert_same_end(run("short", 15), run("cut", 15))
    assert steps_of(run("cut", 15)) == [8, 15]
    train(run("cut", 34), ONE, nothing)
    train(run("whole", 34), ONE, nothing)
    assert_same_end(run("whole", 34), run("cut", 34))
