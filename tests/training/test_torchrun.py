"""Processes that torchrun starts train the same model as one, and can be killed like one."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest
import torch

from tests.helpers.tinyruns import assert_same_weights, best, latest
from tests.source_tree import ROOT

OPTIONS = {
    "units": 16,
    "embedding-size": 16,
    "batch-size": 32,
    "learning-rate": 0.01,
    "warmup": 5,
    "embedding-l2": 0.01,  # would show a gradient of the wrong size
    "embedding-dropout": 0,  # masks differ between processes by design
    "final-dropout": 0,
    "max-tokens": 20,
    "evaluate-every": 8,
    "checkpoint-every": 4,
    "epochs": 1,
    "device": "cpu",
    "precision": "32-true",
}
# A port that is free is found by torchrun itself.
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
PARTED = "tests.helpers.parted"  # each process reads its own part
PATIENCE = 300  # seconds: each process imports torch, on a machine that may be busy


def start(starter, corpus, out, *, program="deepmoji", host=(), wire=None, dying="", **changes):
    """Begin a run; on a host of its own by the command ``host``, over the network ``wire``.

    Of the program ``tests.helpers.dying`` the process of the rank ``dying`` dies.
    """
    options = [f"--{name}={value}" for name, value in (OPTIONS | changes).items()]
    network = {} if wire is None else {"GLOO_SOCKET_IFNAME": wire}
    command = [*host, sys.executable, *starter, "-m", program, "pretrain", corpus, "--out", out]
    return subprocess.Popen(
        [*map(str, command), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "DYING_RANK": dying} | network,
    )


def finish(run):
    try:
        output, errors = run.communicate(timeout=PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    return run.returncode, output, errors


@pytest.fixture(scope="module")
def two(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("torchrun") / "model"
    status, output, errors = finish(start(TORCHRUN, corpus, out, program=PARTED))
    assert status == 0, errors
    assert output.count("is a model now") == 1  # one of them says so
    return out


@pytest.mark.slow
def test_two_processes_are_one_with_the_batch_of_both(two, corpus, tmp_path):
    status, _, errors = finish(start([], corpus, tmp_path / "one", program=PARTED, processes=1))
    assert status == 0, errors
    one, other = latest(tmp_path / "one.training"), latest(two.with_name("model.training"))
    assert one["state"]["step"] == other["state"]["step"] > 8
    for name, value in one["network"].items():
        # As where deepmoji starts the processes itself: Adam's division amplifies rounding.
        torch.testing.assert_close(other["network"][name], value, atol=5e-3, rtol=0)
    curves = [
        [each["natural_loss"] for each in saved["state"]["history"]] for saved in (one, other)
    ]
    assert len(curves[0]) > 1
    assert curves[1] == pytest.approx(curves[0], abs=2e-3)
    assert (two / "model.onnx").is_file()


@pytest.mark.slow
def test_parts_are_chosen_balanced_and_taught_as_the_whole(two, corpus, tmp_path):
    """A teacher's answers and the chosen pairs are numbered over all parts."""
    options = {"pairs": 90, "balance": 0.5, "teacher": two}
    for name, starter, more in (("one", [], {"processes": 1}), ("two", TORCHRUN, {})):
        run = start(starter, corpus, tmp_path / name, program=PARTED, **options, **more)
        status, _, errors = finish(run)
        assert status == 0, errors
    one, other = (latest(tmp_path / f"{name}.training") for name in ("one", "two"))
    assert one["state"]["step"] == other["state"]["step"] > 2
    for name, value in one["network"].items():
        torch.testing.assert_close(other["network"][name], value, atol=5e-3, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_killed_run_continues_exactly(two, corpus, tmp_path, rank):
    out = tmp_path / "model"
    status, *_ = finish(start(TORCHRUN, corpus, out, program="tests.helpers.dying", dying=rank))
    assert status != 0
    assert not out.exists()
    # The first process may have written the state after eight steps before it is ended, too.
    assert latest(tmp_path / "model.training")["state"]["step"] in ((4,) if rank == "0" else (4, 8))
    status, _, errors = finish(start(TORCHRUN, corpus, out, program=PARTED))
    assert status == 0, errors
    whole, continued = two.with_name("model.training"), tmp_path / "model.training"
    assert_same_weights(latest(whole)["network"], latest(continued)["network"])
    assert_same_weights(best(whole), best(continued))


@pytest.mark.skipif(sys.platform == "win32", reason="a process has no new parent there")
def test_a_process_ends_with_the_torchrun_that_started_it():
    child = """
        import os, time
        from deepmoji.training.hardware import end_with_parent
        end_with_parent(os.getppid())
        print("up", flush=True)
        time.sleep(600)
    """
    starter = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    run = subprocess.Popen(
        [sys.executable, "-c", starter, textwrap.dedent(child)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"TORCHELASTIC_RUN_ID": "none"},
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "up\n"
    run.kill()
    run.communicate(timeout=PATIENCE)  # the child holds the pipe until it ends
