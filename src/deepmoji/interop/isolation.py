"""Reading foreign files in a process of their own, which may crash, hang or eat memory."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepmoji.errors import InputError, require
from deepmoji.interop.reading import ARRAYS, FACTS, Arrays

Format = Literal["keras", "torchmoji", "onnx"]
FORMATS: tuple[Format, ...] = ("keras", "torchmoji", "onnx")

SPOKEN: dict[Format, str] = {
    "keras": "weights of Keras",
    "torchmoji": "a state dict of torchMoji",
    "onnx": "a graph of deepmoji-onnx",
}

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"  # of torch, since and before its version 1.6
_NEEDED: dict[Format, tuple[tuple[str, str], ...]] = {
    "keras": (("h5py", "interop"),),
    "torchmoji": (("torch", "train"),),
    "onnx": (("onnx", "interop"),),
}
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each reserves memory
_SECONDS, _BYTES_A_SECOND = 60, 1 << 20
_MEND = "it is damaged or no such file: fetch it again"


def format_of(path: Path) -> Format:
    """Tell a weight file's format by its first bytes.

    Raises:
        InputError: if it is none that can be read, or no file.
    """
    if not path.is_file():
        raise InputError(f"there is no weight file {path}")
    with path.open("rb") as file:
        head = file.read(len(_HDF5))
    if head == _HDF5:
        return "keras"
    if head.startswith((_ZIP, _PICKLE)):
        return "torchmoji"
    if path.suffix.lower() == ".onnx":
        return "onnx"
    raise InputError(
        f"{path} is no weight file that deepmoji knows: it reads Keras' HDF5, torchMoji's state "
        "dict and deepmoji-onnx's ONNX"
    )


def read(path: Path, kind: Format, *, seconds: float | None = None) -> tuple[Arrays, Any]:
    """Read the arrays of a weight file in a process of its own.

    Args:
        path: the file.
        kind: its format.
        seconds: how long it may take; by default a minute, and a second for each mebibyte.

    Returns:
        arrays by the file's own names, and what else it says.

    Raises:
        InputError: if it cannot be read: damaged, altered, another format, too slow.
        MissingDependency: if the library that reads it is not installed.
    """
    for module, extra in _NEEDED[kind]:
        require(module, extra)
    size = path.stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | _ALONE
        environment["PYTHONPATH"] = os.pathsep.join(_import_path())
        # -P: without it, modules that lie in the working folder, beside the weights, would run.
        module = ["-P", "-m", "deepmoji.interop.reading"]
        command = [sys.executable, *module, kind, str(path.resolve()), folder]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=seconds or _SECONDS + size / _BYTES_A_SECOND,
            )
        except subprocess.TimeoutExpired:
            raise InputError(f"{path} cannot be read: it takes too long; {_MEND}") from None
        if done.returncode != 0:
            reason = _reason(done.stderr.decode("utf-8", "replace"))
            reason = reason or f"its reader ended with {done.returncode}"
            raise InputError(f"{path} cannot be read as {SPOKEN[kind]} ({reason}); {_MEND}")
        if not (Path(folder) / FACTS).is_file():
            raise InputError(f"{path} cannot be read: its reader gave no answer; {_MEND}")
        content = json.loads((Path(folder) / FACTS).read_text("utf-8"))
        with np.load(Path(folder) / ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[str(index)] for index, name in enumerate(content["names"])}
    return arrays, content["facts"]


def _reason(said: str) -> str:
    """Return the first sentence of the error that a traceback ends with.

    Torch goes on with the advice to load the file with its safety switched off.
    """
    _, frame, rest = said.rpartition('\n  File "')
    lines = [line for line in rest.splitlines()[1:] if line and not line.startswith(" ")]
    return lines[0].partition(". ")[0][:200] if frame and lines else ""


def _import_path() -> list[str]:
    """Return where this process finds modules, but for the working folder."""
    here, home = Path.cwd(), Path(__file__).parents[2]
    return [str(home), *(each for each in sys.path if each and Path(each).resolve() != here)]
