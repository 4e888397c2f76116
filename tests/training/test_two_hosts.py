"""Two hosts, each with a network of its own and a wire between them, train one model."""

import os
import shutil
import subprocess

import pytest
import torch

from tests.helpers.tinyruns import latest
from tests.training.test_torchrun import PARTED, finish, start

PORT = 29511  # the hosts are the test's own: nobody else listens there
NAMES = [f"deepmoji-{os.getpid()}-{number}" for number in range(2)]
ADDRESSES = ["10.77.0.1", "10.77.0.2"]


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr.strip()


def _connect():
    """Make the two hosts; say why it cannot be done, if so."""
    if shutil.which("ip") is None:
        return "needs the command ip (Debian: iproute2)"
    steps = [["netns", "add", name] for name in NAMES]
    ends = [name[-14:] for name in NAMES]  # an interface's name is short
    steps += [["link", "add", ends[0], "type", "veth", "peer", "name", ends[1]]]
    for name, end, address in zip(NAMES, ends, ADDRESSES, strict=True):
        steps += [["link", "set", end, "netns", name]]
        inside = ["-n", name]
        steps += [[*inside, "link", "set", end, "name", "wire"]]
        steps += [[*inside, "addr", "add", f"{address}/24", "dev", "wire"]]
        steps += [[*inside, "link", "set", each, "up"] for each in ("wire", "lo")]
    for step in steps:
        worked, why = ip(*step)
        if not worked:
            return f"network namespaces cannot be made here: ip {' '.join(step)}: {why}"
    return ""


@pytest.fixture(scope="module")
def hosts():
    try:
        if why := _connect():
            pytest.skip(why)
        yield NAMES
    finally:
        if shutil.which("ip"):
            ip("link", "delete", NAMES[0][-14:])  # where it was not moved
            for name in NAMES:
                ip("netns", "delete", name)


def run_on(hosts, corpus, out):
    """Start `torchrun` on each host; return how the runs ended."""
    runs = []
    for rank, host in enumerate(hosts):
        torchrun = ["-m", "torch.distributed.run", "--nnodes", 2, "--nproc-per-node", 1]
        torchrun += ["--node-rank", rank, "--master-addr", ADDRESSES[0], "--master-port", PORT]
        there = ("ip", "netns", "exec", host)
        runs.append(start(torchrun, corpus, out, program=PARTED, host=there, wire="wire"))
    return [finish(run) for run in runs]


@pytest.mark.slow
def test_two_hosts_are_one_process_with_the_batch_of_both(hosts, corpus, tmp_path):
    for status, _, errors in run_on(hosts, corpus, tmp_path / "two"):
        assert status == 0, errors
    status, _, errors = finish(start([], corpus, tmp_path / "one", program=PARTED, processes=1))
    assert status == 0, errors
    one, two = (latest(tmp_path / f"{name}.training") for name in ("one", "two"))
    assert one["state"]["step"] == two["state"]["step"] > 8
    for name, value in one["network"].items():
        # As on one host: Adam's division amplifies rounding.
        torch.testing.assert_close(two["network"][name], value, atol=5e-3, rtol=0)
    assert (tmp_path / "two" / "model.onnx").is_file()
