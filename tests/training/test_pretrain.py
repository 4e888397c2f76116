"""A tiny model fits generated pairs; a run that was stopped goes on as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import BundleError, DeepmojiError, InputError
from deepmoji.training.pretrain import Hardware, Run, pretrain, train
from tests.helpers.corpora import EMOJIS, make_posts
from tests.helpers.signals import heed_interrupts
from tests.helpers.tinyruns import latest

TINY = ModelConfig(units=16, embedding_size=16)
ONE = Hardware(device="cpu", processes=1, precision="32-true")
SETTINGS = {
    "batch_size": 32,
    "learning_rate": 0.01,
    "warmup": 5,
    "final_dropout": 0.2,
    "max_tokens": 20,
    "evaluate_every": 8,
    "checkpoint_every": 4,
}


def settings(**changes):
    return PretrainConfig(**(SETTINGS | changes))


@pytest.fixture(scope="module")
def model(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "tiny"
    seen = []
    pretrain(corpus, out, model=TINY, config=settings(epochs=6), hardware=ONE, report=seen.append)
    return out, seen


def test_it_learns_what_the_words_tell(model):
    out, seen = model
    predictor = deepmoji.load(out)
    assert predictor.labels == EMOJIS
    posts = make_posts(200, seed=99)
    texts, truth = [post[:-2] for post in posts], [EMOJIS.index(post[-1]) for post in posts]
    accuracy = (predictor.scores(texts).argmax(axis=1) == truth).mean()
    assert accuracy > 0.95  # the posts are new, their cues are not; chance is 0.25
    assert Bundle.open(out).training["scores"]["this model"]["natural_top1"] > 0.9
    assert seen[-1].is_last
    assert seen[-1].step == seen[-1].steps
    assert seen[-1].loss < seen[0].loss


def test_the_bundle_tells_how_it_was_made(model):
    bundle = Bundle.open(model[0])
    record = bundle.training
    assert record["settings"]["seed"] == 0
    assert record["settings"]["learning_rate"] == 0.01
    assert record["made_with"]["torch"] == torch.__version__
    assert sum(record["prior"]) == pytest.approx(1, abs=1e-6)
    assert record["agreement_with_torch"]["max_probability_difference"] <= 1e-5
    assert "natural top 1" in bundle.card
    assert "learning_rate" in bundle.card


class KilledError(RuntimeError):
    pass


def weights(folder):
    return torch.load(folder / "latest.pt", weights_only=True)["network"]


def run_of(corpus, folder, **changes):
    sizes = TINY.to_dict() | {
        "vocabulary_size": len(CorpusFolder.open(corpus).vocabulary),
        "classes": len(EMOJIS),
    }
    config = settings(epochs=2, embedding_dropout=0.2, **changes)
    return Run(corpus=corpus, folder=folder, model=ModelConfig(**sizes), config=config)


def test_a_killed_run_continues_exactly(corpus, tmp_path):
    def kill(progress):
        if progress.step >= 16:
            raise KilledError

    def nothing(progress):
        pass

    train(run_of(corpus, tmp_path / "whole"), ONE, nothing)
    with pytest.raises(KilledError):
        train(run_of(corpus, tmp_path / "killed"), ONE, kill)
    stopped_at = torch.load(tmp_path / "killed" / "latest.pt", weights_only=True)["state"]["step"]
    assert 0 < stopped_at < 16
    train(run_of(corpus, tmp_path / "killed"), ONE, nothing)
    whole, continued = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    for name, value in whole.items():
        torch.testing.assert_close(continued[name], value, atol=0, rtol=0)


def test_what_a_killed_writer_left_is_removed(corpus, tmp_path):
    folder = tmp_path / "model.training"
    folder.mkdir()
    for name in (".latest.pt.4711.partial", ".notes.partial"):
        (folder / name).write_bytes(b"half")
    pretrain(corpus, tmp_path / "model", model=TINY, config=settings(epochs=0.1), hardware=ONE)
    assert {path.name for path in folder.glob(".*")} == {".notes.partial"}  # that is not ours


def test_another_run_in_the_folder_is_refused(corpus, tmp_path):
    train(run_of(corpus, tmp_path / "run"), ONE, lambda progress: None)
    with pytest.raises(InputError, match="settings"):
        train(run_of(corpus, tmp_path / "run", seed=5), ONE, lambda progress: None)


def test_two_processes_are_one_with_the_batch_of_both(corpus, tmp_path):
    """Without dropout, whose masks differ between processes by design."""
    # The penalty on the embedding, which Adam weighs against the gradient, would show a gradient
    # of the wrong size.
    plain = {"final_dropout": 0.0, "embedding_l2": 0.01}
    two = Hardware(device="cpu", processes=2, precision="32-true")
    for name, hardware in (("one", ONE), ("two", two)):
        run = run_of(corpus, tmp_path / name, **plain)
        run = Run(
            corpus=run.corpus,
            folder=run.folder,
            model=run.model,
            config=PretrainConfig(**(run.config.to_dict() | {"embedding_dropout": 0.0})),
        )
        train(run, hardware, _nothing)
    one, two_ = weights(tmp_path / "one"), weights(tmp_path / "two")
    for name, value in one.items():
        # Adam's division amplifies rounding; measured: 2e-4 after these steps.
        torch.testing.assert_close(two_[name], value, atol=5e-3, rtol=0)


def _fill_the_disk(progress):
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_and_loses_nothing(corpus, tmp_path, monkeypatch):
    def full(content, path):
        raise RuntimeError("[enforce fail at inline_container.cc] unexpected pos\nmore")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(DeepmojiError, match="make room"):
        train(run_of(corpus, tmp_path / "run"), ONE, _nothing)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_damaged_checkpoint_is_told(corpus, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "latest.pt").write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match="damaged"):
        train(run_of(corpus, tmp_path / "run"), ONE, _nothing)


@pytest.mark.parametrize("count", [2, 3])
def test_the_last_states_are_kept_and_a_spoilt_one_is_passed_over(corpus, tmp_path, count):
    run = run_of(corpus, tmp_path / "run", checkpoints=count)
    train(run, ONE, _nothing)
    kept = sorted(path.name for path in run.folder.glob("step-*.pt"))
    assert len(kept) == count
    steps = [int(name[5:-3]) for name in kept]
    assert latest(run.folder)["state"]["step"] == steps[-1]
    for name in ("latest.pt", kept[-1]):
        whole = (run.folder / name).read_bytes()
        (run.folder / name).unlink()
        (run.folder / name).write_bytes(whole[: len(whole) // 2])
    assert run.checkpoint().load_state().step == steps[-2]
    train(run, ONE, _nothing)  # goes on from there
    assert latest(run.folder)["state"]["step"] == steps[-1]


def test_a_loss_that_is_no_number_ends_the_run(corpus, tmp_path):
    with pytest.raises(DeepmojiError, match="lower --learning-rate"):
        train(run_of(corpus, tmp_path / "run", learning_rate=1e38, clip_norm=1e38), ONE, _nothing)


def test_epochs_may_change_until_the_rate_falls(corpus, tmp_path):
    class StoppedError(KeyError):
        pass

    def stop(progress):
        if progress.step >= 8:
            raise StoppedError

    def run(epochs):
        run = run_of(corpus, tmp_path / "run")
        config = PretrainConfig(**(run.config.to_dict() | {"epochs": epochs}))
        return Run(corpus=run.corpus, folder=run.folder, model=run.model, config=config)

    with pytest.raises(StoppedError):
        train(run(2.0), ONE, stop)
    train(run(1.0), ONE, _nothing)
    with pytest.raises(InputError, match="falling"):
        train(run(3.0), ONE, _nothing)


def test_a_foreign_output_folder_is_refused_before_training(corpus, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    with pytest.raises(BundleError, match="choose another folder"):
        pretrain(corpus, tmp_path / "photos", model=TINY, config=settings(), hardware=ONE)
    assert not (tmp_path / "photos.training").exists()


@pytest.mark.parametrize(
    "choice",
    [{"device": "toaster"}, {"precision": "3-bit"}, {"processes": -1}],
)
def test_impossible_hardware_is_refused(choice):
    with pytest.raises(InputError):
        Hardware(**choice)


def test_what_fails_in_another_process_is_told_in_this_one(corpus, tmp_path):
    two = Hardware(device="cpu", processes=2, precision="32-true")
    with pytest.raises(DeepmojiError, match="No space left on device; once that is mended"):
        train(run_of(corpus, tmp_path / "run"), two, _fill_the_disk)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("moment", ["it trains", "its processes start"])
def test_no_process_outlives_a_killed_run(corpus, tmp_path, moment):
    run = subprocess.Popen(
        _endless(corpus, tmp_path),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # As in the background of a script; torch's own remedy is to interrupt the children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    latest = tmp_path / "model.training" / "latest.pt"
    try:
        # The run, what tracks its resources, and two processes.
        _wait_for(latest.exists if moment == "it trains" else lambda: len(_session(run.pid)) > 3)
        assert len(_session(run.pid)) > 3
    finally:
        run.kill()
        if moment != "it trains":  # the other one would wait for this one before anything else
            os.kill(max(map(int, _session(run.pid))), signal.SIGKILL)
        run.wait()
    _wait_for(lambda: not _session(run.pid))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_signal_to_the_command_alone_ends_its_processes(corpus, tmp_path, number):
    run = subprocess.Popen(
        _endless(corpus, tmp_path),
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    try:
        _wait_for((tmp_path / "model.training" / "latest.pt").exists)
        run.send_signal(number)
        run.wait(60)
        assert run.returncode == 1
        assert run.stderr.read().splitlines()[-1] == b"error: interrupted"
        _wait_for(lambda: not _session(run.pid))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def _endless(corpus, folder):
    """A run of two processes that saves every five steps and never ends."""
    command = [sys.executable, "-m", "deepmoji", "pretrain", corpus, "--out", folder / "model"]
    command += ["--units", 8, "--embedding-size", 8, "--batch-size", 64, "--epochs", 1000000]
    command += ["--processes", 2, "--evaluate-every", 100000000, "--checkpoint-every", 5]
    return list(map(str, command))


def _wait_for(condition):
    end = time.monotonic() + 180  # a busy machine takes a minute to start three processes
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def _session(leader):
    """The live processes that a session leader has started, by /proc/PID/stat."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(") ")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(session) == leader and state != "Z":
            found.append(path.parent.name)
    return found


def _nothing(progress):
    """Picklable, for processes that are started anew."""


def test_it_stops_when_validation_no_longer_improves(corpus, tmp_path):
    seen = []
    config = {"learning_rate": 1e-9, "evaluate_every": 2, "patience": 3, "warmup": 1}
    train(run_of(corpus, tmp_path / "run", **config), ONE, seen.append)
    assert seen[-1].is_last
    assert seen[-1].step < seen[-1].steps


def test_no_corpus_is_a_clear_error(tmp_path):
    with pytest.raises(InputError, match="corpus build"):
        pretrain(tmp_path / "nothing", tmp_path / "model", hardware=ONE)
    assert not (tmp_path / "model").exists()
