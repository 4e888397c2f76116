"""A tuned model that carries its files with it, so that it can be pickled."""

import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deepmoji.bundle import Bundle, check_replaceable
from deepmoji.files import atomic_folder
from deepmoji.inference.predictor import Predictor


class Tuned(Protocol):
    """What fine-tuning gives; ``transfer.finetune.FineTuned`` is one."""

    @property
    def predictor(self) -> Predictor:
        """The model."""
        ...

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it as a bundle."""
        ...


class PortableModel:
    """A tuned model, and in a pickle all files of its bundle.

    Another process, or another machine, answers as this one does. As with any pickle, load only
    your own; a bundle, see :meth:`save`, is safe to share.

    Args:
        tuned: the model.
    """

    def __init__(self, tuned: Tuned) -> None:
        self._tuned: Tuned | None = tuned
        self._predictor = tuned.predictor
        self._files: dict[str, bytes] = {}

    def scores(self, texts: list[str]) -> NDArray[np.float32]:
        """Return the probabilities of the classes, float32 [n, C]."""
        return self._predictor.scores(texts)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model as a bundle, see ``FineTuned.save``.

        Raises:
            BundleError: if the folder holds something that is no bundle.
        """
        if self._tuned is not None:
            return self._tuned.save(folder)
        folder = Path(folder)
        check_replaceable(folder)
        with atomic_folder(folder) as temporary:
            self._write(temporary)
        return folder

    def __getstate__(self) -> dict[str, Any]:
        if self._tuned is None:
            return {"files": self._files}
        with tempfile.TemporaryDirectory(prefix="deepmoji-") as scratch:
            folder = self._tuned.save(Path(scratch) / "model")
            return {"files": {path.name: path.read_bytes() for path in sorted(folder.iterdir())}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._tuned = None
        self._files = state["files"]
        with tempfile.TemporaryDirectory(prefix="deepmoji-") as scratch:
            self._write(Path(scratch))
            self._predictor = Predictor(Bundle.open(scratch))  # which holds it in memory

    def _write(self, folder: Path) -> None:
        for name, content in self._files.items():
            (folder / name).write_bytes(content)
