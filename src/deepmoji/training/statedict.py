"""Torch state dicts of other programs, read and written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def read_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """Return a state dict's floating-point tensors by name; what else it holds is passed over.

    Nothing in the file is executed: torch unpickles tensors and plain containers alone. On damaged
    files it raises errors of many types, so it is called in a process of its own.

    Raises:
        ValueError: if the file holds no dictionary of tensors.
    """
    content: Any = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}, no state dict")
    if isinstance(content.get("state_dict"), dict):  # a checkpoint of a whole training run
        content = content["state_dict"]
    tensors = {
        str(name).removeprefix("module."): each  # a network trained on several devices
        for name, each in content.items()
        if isinstance(each, torch.Tensor) and each.is_floating_point()
    }
    for name, each in tensors.items():
        # A view may repeat one number a billion times.
        if each.numel() * each.itemsize > each.untyped_storage().nbytes():
            raise ValueError(f"{name} is larger than what the file holds of it")
    return {name: each.float().numpy() for name, each in tensors.items()}


def write_state_dict(arrays: Mapping[str, NDArray[np.float32]], path: Path) -> None:
    """Write a state dict that every torch since 1.6 reads."""
    tensors = {name: torch.from_numpy(np.array(each)) for name, each in arrays.items()}
    torch.save(tensors, path)
