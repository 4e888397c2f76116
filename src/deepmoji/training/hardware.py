"""Where to train: devices, processes, precision."""

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import distributed

from deepmoji.errors import InputError
from deepmoji.machine import available_cores, under_torchrun

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "bf16-mixed", "32-true")
# What a processor has to have for bf16 to be faster than fp32, in torch's names.
_BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
_SETTLES = 0.5  # seconds
_PR_SET_PDEATHSIG = 1  # of Linux's prctl
_FEWEST_ROWS = 32  # a batch below this is not worth a process of its own


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Where to train, checked against this machine.

    Raises:
        InputError: for a device that is not here, or an impossible choice.
    """

    device: str = "auto"  # a GPU if there is one
    processes: int = 0  # data-parallel processes on this machine; 0: one a core, or one a GPU
    precision: str = "auto"  # bf16-mixed or 32-true; auto: the faster one

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise InputError(f"device has to be one of {', '.join(DEVICES)}, not {self.device!r}")
        if self.precision not in PRECISIONS:
            raise InputError(
                f"precision has to be one of {', '.join(PRECISIONS)}, not {self.precision!r}"
            )
        if type(self.processes) is not int or self.processes < 0:
            raise InputError(f"processes has to be 0 or more, not {self.processes!r}")
        available = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
        if self.device in available and not available[self.device]():
            raise InputError(f"there is no {self.device} device here; leave --device out, or cpu")
        if self.kind == "cuda" and self.processes > torch.cuda.device_count():
            raise InputError(
                f"{self.processes} processes need as many GPUs; "
                f"there are {torch.cuda.device_count()}"
            )
        if self.kind == "mps" and self.processes > 1:
            raise InputError("mps takes one process")

    @property
    def kind(self) -> str:
        """The device that is used: cpu, cuda or mps."""
        if self.device != "auto":
            return self.device
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"

    @property
    def arithmetic(self) -> str:
        """The precision that is used: bf16-mixed or 32-true."""
        if self.precision != "auto":
            return self.precision
        return "bf16-mixed" if has_bf16(self.kind) else "32-true"

    @property
    def described(self) -> dict[str, str]:
        """What is computed with, of the above, for fingerprints and records."""
        return {"device": self.kind, "precision": self.arithmetic}

    def check_starter(self) -> None:
        """Refuse a number of processes where torchrun has started them.

        Raises:
            InputError: if there is one.
        """
        if under_torchrun() and self.processes:
            raise InputError(
                "torchrun has started the processes; leave --processes out, and choose their "
                "number with --nproc-per-node"
            )

    def count(self, batch_size: int) -> int:
        """Return how many processes share a batch, on all machines."""
        if under_torchrun():
            return int(os.environ["WORLD_SIZE"])
        if self.processes or self.kind == "mps":
            return max(1, self.processes)
        if self.kind == "cuda":
            return torch.cuda.device_count()
        return max(1, min(available_cores(), batch_size // _FEWEST_ROWS))

    def fabric(self, batch_size: int) -> Fabric:
        """Set up devices; started by ``torchrun``, the processes are torchrun's."""
        quieten_fabric()
        count, nodes, strategy = self.count(batch_size), 1, "auto"
        if under_torchrun():
            count = int(os.environ["LOCAL_WORLD_SIZE"])
            nodes = int(os.environ["WORLD_SIZE"]) // count
            strategy = "ddp"
        elif count > 1:
            strategy = "ddp_spawn"  # forking after torch's threads have started can hang
        return Fabric(
            accelerator=self.kind,
            devices=count,
            num_nodes=nodes,
            strategy=strategy,
            precision=cast("Any", self.arithmetic),
        )


def has_bf16(kind: str) -> bool:
    """Tell whether a device computes in bf16 by itself.

    A processor that does is faster in bf16 than in fp32; one that does not emulates it, and is
    slower. `python -m benchmarks.training_speed` measures both on one core.

    Args:
        kind: cpu, cuda or mps.
    """
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "mps":
        return True
    # Older versions of torch do not say what a processor has.
    ask = getattr(torch.cpu, "get_capabilities", dict)
    capabilities = cast("Mapping[str, Any]", ask())
    return any(capabilities.get(name) for name in _BF16_INSTRUCTIONS)


def is_first_process() -> bool:
    """Tell whether this process writes the results."""
    return not under_torchrun() or os.environ["RANK"] == "0"


def leave_group() -> None:
    """Leave the processes that trained together, if there are others.

    A process that ends as a member may be aborted: the group's threads still run when the
    interpreter takes down what they use.
    """
    if distributed.is_available() and distributed.is_initialized():
        settle()
        distributed.destroy_process_group()


def settle() -> None:
    """Let the threads of a group of processes drop what they hold of the last exchange.

    Some of it is Python's, for which they wait until this thread pauses. One that takes the group
    down without a pause waits for these threads, for ever.
    """
    if distributed.is_available() and distributed.is_initialized():
        time.sleep(_SETTLES)


def end_at_once() -> None:
    """Let a process that was spawned end at an interrupt without taking anything down.

    torch interrupts it when its parent is gone. On the way out of the interpreter it would wait for
    those that train with it; all that lasts is in checkpoints, which are whole.
    """
    signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(1))


def end_with_parent(parent: int) -> None:
    """Let a process that spawn or torchrun started end when its parent is gone, however it went.

    A training process that is left alone would use the cores and write checkpoints for hours, also
    over those of the run that goes on, or wait half an hour for others that never come. torch
    interrupts its children then, which those ignore that were started in the background of a
    script; torchrun's are in sessions of their own.

    Args:
        parent: process id.
    """
    if sys.platform == "linux":
        # By the system itself: a thread may be shut out for ever, as when torch, on its way out of
        # a failed step, waits for a thread of its own that waits for Python.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def share_cores(fabric: Fabric) -> None:
    """Give each process of a CPU run its part of the cores."""
    fix_threads()
    if fabric.device.type == "cpu" and fabric.world_size > 1:
        here = int(os.environ["LOCAL_WORLD_SIZE"]) if under_torchrun() else fabric.world_size
        torch.set_num_threads(max(1, available_cores() // here))


def fix_threads() -> None:
    """Let MKL take as many threads as torch has, always.

    Unless their number was set, it may take fewer, and sums then round in another way: the same
    work would not give the same last digits.
    """
    torch.set_num_threads(torch.get_num_threads())


def quieten_fabric() -> None:
    """Keep Fabric's announcements of ranks and precision out of the progress display."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
