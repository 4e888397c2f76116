"""A run with a time limit stops before it, with a checkpoint, and goes on as if it never had."""

import itertools
import time
from types import SimpleNamespace

import pytest
import torch
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import DeepmojiError, InputError
from deepmoji.training import clock
from deepmoji.training.checkpoint import State
from deepmoji.training.clock import Clock
from deepmoji.training.hardware import leave_group
from deepmoji.training.pretrain import pretrain, train
from deepmoji.training.trainer import Trainer
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    TWO,
    assert_same_weights,
    best,
    latest,
    nothing,
    settings,
    tiny_run,
)


@pytest.fixture
def ticking(monkeypatch):
    """Time passes by a second whenever a run looks at the clock."""
    look = itertools.count().__next__
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=look))
    return look


def test_a_run_in_pieces_is_the_run_in_one(corpus, tmp_path, ticking):
    whole, pieces = (tiny_run(corpus, tmp_path / name) for name in ("whole", "pieces"))
    assert train(whole, ONE, nothing)
    steps = []
    while not train(pieces, ONE, nothing, until := ticking() + 100.0):
        assert ticking() < until
        steps.append(latest(pieces.folder)["state"]["step"])
    assert len(steps) > 1
    assert steps == sorted(steps)
    assert steps[-1] < latest(pieces.folder)["state"]["step"]
    assert_same_weights(latest(whole.folder)["network"], latest(pieces.folder)["network"])
    assert_same_weights(best(whole.folder), best(pieces.folder))
    assert train(pieces, ONE, nothing, 0.0)  # nothing is left to do


class Stopping:
    """What each of two processes does; the second one's clock would let it go on for ever."""

    def __init__(self, run):
        self.run = run

    def __call__(self, fabric):
        trainer = Trainer(
            fabric,
            corpus=CorpusFolder.open(self.run.corpus),
            network=self.run.network(),
            config=self.run.config,
            checkpoint=self.run.checkpoint(),
            report=nothing,
        )
        until = time.monotonic() + (3 if fabric.is_global_zero else 1e9)
        is_finished = trainer.run(until)
        steps = fabric.all_gather(torch.tensor(trainer.state.step)).tolist()
        leave_group()  # one that ends as a member may be aborted
        return is_finished, steps


def test_all_processes_stop_together(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path, epochs=1e6, evaluate_every=10**8)
    is_finished, steps = TWO.fabric(32).launch(Stopping(run))
    assert not is_finished
    assert steps == [latest(tmp_path)["state"]["step"]] * 2


def test_no_model_before_the_end(corpus, tmp_path):
    common = {"model": TINY, "config": settings(epochs=0.2), "hardware": ONE}
    out = tmp_path / "model"
    assert pretrain(corpus, out, time_limit=1e-9, **common) is None
    assert not out.exists()
    assert pretrain(corpus, out, time_limit=60, **common) == out
    assert out.exists()


@pytest.mark.parametrize("minutes", [0, -1.0, float("nan")])
def test_an_impossible_limit_is_refused(corpus, tmp_path, minutes):
    with pytest.raises(InputError, match="time_limit"):
        pretrain(corpus, tmp_path / "model", hardware=ONE, time_limit=minutes)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_that_it_goes_on(corpus, tmp_path):
    sizes = ["--units", "8", "--embedding-size", "8", "--device", "cpu", "--processes", "1"]
    command = ["pretrain", str(corpus), "--out", str(tmp_path / "model"), *sizes]
    result = CliRunner().invoke(app, [*command, "--time-limit", "0.0001"])
    assert result.exit_code == 0
    assert "the same command goes on" in result.stdout
    assert result.stdout.count("\n") == 1


def test_what_comes_next_is_reckoned_with(monkeypatch):
    now = 0.0
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: now))
    state = State()
    watch = Clock(state, steps=100, batch_size=8, every=2, evaluation=5.0, save=4.0)
    for _ in range(2):
        now += 10
        state.step += 1
        watch.tick(torch.tensor(1.0))
    # Two steps of 10 s and two checkpoints of 4 s, a quarter more and 1 s.
    assert not watch.reaches(20 + 1.25 * 28 + 1.1, evaluation=False)
    assert watch.reaches(20 + 1.25 * 28 + 0.9, evaluation=False)
    assert watch.reaches(20 + 1.25 * 78 + 0.9, evaluation=True)
    now += 7
    watch.lap("evaluation")
    now += 1
    watch.lap("save")
    assert not watch.reaches(28 + 1.25 * 29 + 1.1, evaluation=True)
    assert watch.reaches(28 + 1.25 * 29 + 0.9, evaluation=True)


def test_losses_are_read_together_and_the_bad_one_is_named():
    state = State(step=10)
    watch = Clock(state, steps=100, batch_size=8, every=4)
    for loss in (3.0, 1.0):
        state.step += 1
        watch.tick(torch.tensor(loss))
    assert watch.progress({}).loss == 2.0
    state.step += 1
    watch.tick(torch.tensor(float("nan")))
    state.step += 1
    with pytest.raises(DeepmojiError, match="at step 12"):
        watch.tick(torch.tensor(1.0))
