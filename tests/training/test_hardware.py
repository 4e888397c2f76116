"""Where training runs, and in which precision."""

from types import SimpleNamespace

import pytest
import torch

from deepmoji.errors import InputError
from deepmoji.training import hardware
from deepmoji.training.hardware import Hardware, share_cores
from deepmoji.training.pretrain import pretrain


@pytest.mark.parametrize(
    ("capabilities", "used"),
    [
        ({"avx512_f": True, "avx512_bf16": True}, "bf16-mixed"),
        ({"amx_bf16": True}, "bf16-mixed"),
        ({"neon": True, "bf16": True}, "bf16-mixed"),
        ({"avx512_f": True, "avx512_bf16": False}, "32-true"),
        ({}, "32-true"),
    ],
)
def test_bf16_is_used_where_the_processor_has_it(monkeypatch, capabilities, used):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert Hardware(device="cpu").arithmetic == used
    assert Hardware(device="cpu", precision="bf16-mixed").arithmetic == "bf16-mixed"
    assert Hardware(device="cpu", precision="32-true").arithmetic == "32-true"


def test_a_torch_that_does_not_say_what_a_processor_has_computes_in_fp32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert Hardware(device="cpu").arithmetic == "32-true"


def test_the_precision_that_is_used_reaches_the_library():
    fabric = Hardware(device="cpu", processes=1, precision="32-true").fabric(64)
    assert fabric._precision.precision == "32-true"
    assert Hardware(device="cpu", processes=1).fabric(64)._precision.precision == (
        Hardware(device="cpu").arithmetic
    )


@pytest.fixture
def second_host(monkeypatch):
    """This process is one of eight that torchrun has started, two on each of four machines."""
    names = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "2", "RANK": "2"}
    for name, value in names.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("second_host")
def test_processes_are_those_of_torchrun():
    assert Hardware(device="cpu").count(32) == 8  # however few rows each of them has


@pytest.mark.usefixtures("second_host")
def test_processes_of_ones_own_are_refused_under_torchrun(corpus, tmp_path):
    with pytest.raises(InputError, match="--nproc-per-node"):
        pretrain(corpus, tmp_path / "model", hardware=Hardware(device="cpu", processes=2))
    assert not (tmp_path / "model.training").exists()


@pytest.mark.usefixtures("second_host")
def test_cores_are_shared_with_the_processes_of_this_machine(monkeypatch):
    chosen = []
    monkeypatch.setattr(hardware, "available_cores", lambda: 16)
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    share_cores(SimpleNamespace(device=torch.device("cpu"), world_size=8))
    assert chosen[-1] == 8
