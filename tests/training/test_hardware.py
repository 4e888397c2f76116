"""Where training runs, and in which precision."""

import pytest
import torch

from deepmoji.training.hardware import Hardware


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
