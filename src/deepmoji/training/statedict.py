"""Torch state dicts of other programs, read and written."""

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

# Where torch keeps what belongs to a state dict, beside its tensors; other readers pass over it.
_BESIDE, _OURS = "_metadata", "deepmoji"


def read_state_dict(path: Path) -> tuple[dict[str, NDArray[Any]], str]:
    """Return a state dict's floating-point tensors by name, and the gates that we noted, or "".

    What else it holds is passed over.

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
    beside = getattr(content, _BESIDE, None)
    ours: Any = beside.get(_OURS) if isinstance(beside, dict) else None
    gates = ours.get("gates") if isinstance(ours, dict) else None
    return {name: each.float().numpy() for name, each in tensors.items()}, str(gates or "")


def write_state_dict(arrays: Mapping[str, NDArray[np.float32]], path: Path, *, gates: str) -> None:
    """Write a state dict that every torch since 1.6 reads, with a note of its gates beside it."""
    tensors = OrderedDict((name, torch.from_numpy(np.array(each))) for name, each in arrays.items())
    setattr(tensors, _BESIDE, {_OURS: {"gates": gates}})
    torch.save(tensors, path)
