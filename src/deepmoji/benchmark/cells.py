"""Cells: what one system answered on one task with one seed, kept on disk whole or not at all."""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.errors import InputError
from deepmoji.files import atomic_path, read_json, write_json

Array = NDArray[np.float32]
Size = int | Literal["all"]  # training texts of a cell of a learning curve
_SPLITS = ("validation", "test")
_CURVE = "curve"


@dataclass(frozen=True, kw_only=True)
class CellKey:
    """Everything that a cell's answers depend on.

    The first five fields say where it lies; the last three are compared when it is found there, so
    that answers to other data, of another base model or of other settings are never taken for it.

    Attributes:
        suite: paper or tweeteval.
        task: the set's name.
        system: the system's name.
        seed: of the fit.
        size: training texts, in a learning curve; None in a suite.
        data: ``Task.digest``.
        model: sha256 of the base model's files; None for systems that start from none.
        settings: what the system says of its settings; plain JSON values.
    """

    suite: str
    task: str
    system: str
    seed: int
    size: Size | None = None
    data: str
    model: str | None
    settings: Mapping[str, Any]

    def path(self, out: Path) -> Path:
        """Return where the cell lies, without the endings of its files."""
        place = out / (self.suite if self.size is None else _CURVE) / self.task / self.system
        name = f"seed-{self.seed}"
        return place / (name if self.size is None else f"size-{self.size}-{name}")

    def differences(self, other: "CellKey") -> list[str]:
        """Return in which of data, model and settings two cells of one place differ."""
        return [
            name
            for name in ("data", "model", "settings")
            if getattr(self, name) != getattr(other, name)
        ]

    @property
    def digest(self) -> str:
        """Return what is different for cells that differ in anything."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Finished answers.

    Attributes:
        key: what they are answers of.
        validation: probabilities float32 [n, C] for the validation texts.
        test: probabilities float32 [n, C] for the test texts.
        seconds: wall clock of fitting and answering.
        machine: where.
        versions: of the libraries.
        report: what the system tells of its fit: choices made on validation, seconds, ….
    """

    key: CellKey
    validation: Array
    test: Array
    seconds: float
    machine: str
    versions: Mapping[str, str]
    report: Mapping[str, Any]

    def save(self, out: Path) -> None:
        """Write the cell: the answers first, then the JSON file that says that they are whole."""
        path = self.key.path(out)
        arrays, record = _files(path)
        record.unlink(missing_ok=True)  # what stood here is no cell any more until the new one is
        with atomic_path(arrays) as temporary, temporary.open("wb") as file:
            np.savez(file, validation=self.validation, test=self.test)
        content = self.key.to_dict() | {
            "seconds": round(self.seconds, 3),
            "machine": self.machine,
            "versions": dict(self.versions),
            "answers": _digest(arrays),
            "report": dict(self.report),
        }
        write_json(record, content)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a cell.

        Args:
            path: of its files, without their endings.

        Raises:
            InputError: if there is none, or it is damaged.
        """
        arrays, record = _files(path)
        content: Any = read_json(record)
        try:
            values = cast("dict[str, Any]", content)
            key = CellKey(**{name: values[name] for name in CellKey.__dataclass_fields__})
            if _digest(arrays) != values["answers"]:
                raise ValueError("the answers are not those that were written")
            with np.load(arrays, allow_pickle=False) as stored:
                validation, test = (np.asarray(stored[name], np.float32) for name in _SPLITS)
            return cls(
                key=key,
                validation=validation,
                test=test,
                seconds=float(values["seconds"]),
                machine=values["machine"],
                versions=values["versions"],
                report=values["report"],
            )
        except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{record} is no whole cell ({error}); delete it and run the benchmark again"
            ) from error


def state(key: CellKey, out: Path) -> str:
    """Return ``done``, ``missing``, or why the cell that is there cannot be used."""
    path = key.path(out)
    if not _files(path)[1].exists():
        return "missing"
    try:
        found = Cell.load(path).key
    except InputError:
        return "damaged"
    differences = key.differences(found)
    return f"made with other {' and '.join(differences)}" if differences else "done"


def read_cells(out: Path, place: str, task: str) -> Iterator[Cell]:
    """Yield the cells of a task, by system, size and seed.

    Args:
        out: the folder of the benchmark.
        place: a suite, or ``curve``.
        task: the set's name.

    Raises:
        InputError: if one is damaged.
    """
    records = (out / place / task).glob("*/*seed-*.json")
    cells = [Cell.load(record.with_suffix("")) for record in records]
    yield from sorted(cells, key=_order)


def _order(cell: Cell) -> tuple[str, float, int]:
    size = cell.key.size
    return cell.key.system, float("inf") if not isinstance(size, int) else size, cell.key.seed


def _files(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.npz"), path.with_name(f"{path.name}.json")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
