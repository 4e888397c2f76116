"""A finished corpus folder, read for training: NumPy arrays, no dataframes.

Needs pyarrow and numpy alone, so that training does not depend on what builds a corpus.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from deepmoji.corpus.layout import (
    EVALUATION_SPLITS,
    FORMAT_VERSION,
    LABELS,
    REPORT,
    TRAIN_FOLDER,
    VOCABULARY,
    part_name,
    split_name,
)
from deepmoji.errors import InputError
from deepmoji.files import read_json
from deepmoji.text.vocabulary import Vocabulary

Split = Literal["validation", "test"]
_PAIRS = ("train", *EVALUATION_SPLITS)


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Pairs as flat arrays; row ``i`` has the ids ``ids[offsets[i] : offsets[i + 1]]``.

    Attributes:
        ids: uint16 or uint32 [tokens].
        offsets: int64 [rows + 1].
        labels: int64 [rows], class of each pair.
        texts: the inputs as written, emojis removed; None for training pairs.
        balanced: bool [rows], pairs of the balanced set; None for training pairs.
        natural: bool [rows], pairs of the posts as they occur; None for training pairs.
    """

    ids: NDArray[np.unsignedinteger[Any]]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int64]
    texts: list[str] | None = None
    balanced: NDArray[np.bool_] | None = None
    natural: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.labels)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of each pair, int64 [rows]."""
        return np.diff(self.offsets)


@dataclass(frozen=True, kw_only=True)
class CorpusFolder:
    """An opened corpus: its labels, vocabulary and report; pairs are read when asked for."""

    path: Path
    labels: tuple[str, ...]
    vocabulary: Vocabulary
    report: dict[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> "CorpusFolder":
        """Open a folder that ``deepmoji corpus build`` has finished.

        Raises:
            InputError: if it is no corpus, is not finished, is of a newer format, or a part of it
                is missing.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; build one with: deepmoji corpus build")
        if not (folder / REPORT).exists():
            raise InputError(
                f"{folder}: no finished corpus ({REPORT} is missing); "
                "run its deepmoji corpus build command (again)"
            )
        report = read_json(folder / REPORT)
        _check_report(report, folder / REPORT)
        if report["format_version"] > FORMAT_VERSION:
            raise InputError(
                f"{folder}: corpus format {report['format_version']}, this version reads up to "
                f"{FORMAT_VERSION}; update deepmoji"
            )
        corpus = cls(
            path=folder,
            labels=_read_labels(folder / LABELS),
            vocabulary=Vocabulary.load(folder / VOCABULARY),
            report=report,
        )
        splits = [folder / split_name(split) for split in EVALUATION_SPLITS]
        for part in (*corpus.train_parts(), *splits):
            if not part.exists():
                raise InputError(f"{folder}: {part.name} is missing; build the corpus again")
        return corpus

    def train_parts(self) -> list[Path]:
        """Return the files of the training pairs, in order."""
        count = self.report["train_parts"]
        return [self.path / TRAIN_FOLDER / part_name(number) for number in range(count)]

    def read_train(self) -> Shard:
        """Return all training pairs, in their stored (random, reproducible) order."""
        return _read(self.train_parts(), ["ids", "label"])

    def read_split(self, split: Split) -> Shard:
        """Return the pairs of an evaluation split, with texts and the sets that each is in."""
        columns = ["ids", "label", "text", "balanced", "natural"]
        return _read([self.path / split_name(split)], columns)


def _check_report(report: Any, path: Path) -> None:
    """Raise InputError unless a report says what is read of it: the version, parts and pairs."""
    content: dict[str, Any] = report if isinstance(report, dict) else {}
    version, pairs = content.get("format_version"), content.get("pairs")
    if isinstance(version, int) and version > FORMAT_VERSION:
        return  # of a newer version, whatever else it says
    counts = [version, content.get("train_parts")]
    counts += [pairs.get(name) if isinstance(pairs, dict) else None for name in _PAIRS]
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise InputError(f"{path}: not the report of a corpus; build the corpus again")


def _read_labels(path: Path) -> tuple[str, ...]:
    labels = read_json(path)
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise InputError(f"{path}: not a list of emojis; build the corpus again")
    return tuple(labels)


def _read(paths: Sequence[Path], columns: list[str]) -> Shard:
    try:
        tables = [pq.read_table(path, columns=columns) for path in paths]
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read the corpus: {error}; build it again") from error
    table = pa.concat_tables(tables).combine_chunks()
    ids = table["ids"].combine_chunks()
    offsets = ids.offsets.to_numpy().astype(np.int64)
    flags = {name: table[name].to_numpy() for name in ("balanced", "natural") if name in columns}
    return Shard(
        ids=ids.flatten().to_numpy(),
        offsets=offsets - offsets[0],
        labels=table["label"].to_numpy().astype(np.int64),
        texts=table["text"].to_pylist() if "text" in columns else None,
        **flags,
    )
