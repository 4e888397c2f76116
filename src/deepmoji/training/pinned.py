"""Copies to a GPU that the program does not wait for."""

import torch
from torch import Tensor


def copy_to(device: torch.device, values: Tensor) -> Tensor:
    """Copy values to a device; from the CPU to a GPU without waiting for what it is doing."""
    if device.type != "cuda" or values.is_cuda:
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
