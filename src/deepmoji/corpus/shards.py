"""A finished corpus folder, read for training: NumPy arrays, no dataframes.

Needs pyarrow and numpy alone, so that training does not depend on what builds a corpus.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
from deepmoji.text.vocabulary import SPECIAL_TOKENS, UNKNOWN, Vocabulary

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
    is_cut: bool = False  # the vocabulary has fewer words than the pairs have ids

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

    def with_words(self, count: int) -> "CorpusFolder":
        """Return the corpus as a model reads it that knows fewer words; others are unknown.

        Args:
            count: of the vocabulary's tokens, special ones included, from its beginning: the most
                frequent ones, unless it was given to the corpus in another order. 0: all of them.

        Raises:
            InputError: if the vocabulary has fewer, or no word would be left.
        """
        words = self.vocabulary.words
        if not count:
            return self
        if not len(SPECIAL_TOKENS) < count <= len(words):
            raise InputError(
                f"words is {count}, but the vocabulary of {self.path} has {len(words)}, of which "
                f"{len(SPECIAL_TOKENS)} are special tokens; ask for more than these and no more "
                "than all"
            )
        return replace(
            self, vocabulary=Vocabulary(words[:count]), is_cut=self.is_cut or count < len(words)
        )

    def train_parts(self) -> list[Path]:
        """Return the files of the training pairs, in order."""
        count = self.report["train_parts"]
        return [self.path / TRAIN_FOLDER / part_name(number) for number in range(count)]

    @cached_property
    def train_rows(self) -> int:
        """How many training pairs there are.

        Raises:
            InputError: if a part cannot be read.
        """
        return sum(group.rows for group in _groups(self.train_parts()))

    def count_train(self, rows: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """Return how many training pairs each class has, int64 [C].

        Args:
            rows: of these pairs alone, ascending; all by default.

        Raises:
            InputError: if a part cannot be read.
        """
        counts = np.zeros(len(self.labels), np.int64)
        for table in _tables(self.train_parts(), ["label"], rows):
            counts += np.bincount(table["label"].to_numpy(), minlength=len(counts))
        return counts

    def read_train(self, rows: NDArray[np.int64] | None = None) -> Shard:
        """Return training pairs, in their stored (random, reproducible) order.

        Args:
            rows: these, ascending, of which only the row groups that hold one are read; all by
                default.

        Raises:
            InputError: if a part cannot be read.
        """
        return self._as_known(_read(self.train_parts(), ["ids", "label"], rows))

    def read_split(self, split: Split) -> Shard:
        """Return the pairs of an evaluation split, with texts and the sets that each is in."""
        columns = ["ids", "label", "text", "balanced", "natural"]
        return self._as_known(_read([self.path / split_name(split)], columns, None))

    def _as_known(self, pairs: Shard) -> Shard:
        if not self.is_cut:
            return pairs
        ids = np.where(pairs.ids < len(self.vocabulary), pairs.ids, UNKNOWN)
        return replace(pairs, ids=ids.astype(pairs.ids.dtype, copy=False))


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


class _Group(NamedTuple):
    """A row group of a file: where its rows begin among those of all files, and how many."""

    path: Path
    number: int
    first: int
    rows: int


def _groups(paths: Sequence[Path]) -> Iterator[_Group]:
    first = 0
    for path in paths:
        with _plain_errors():
            metadata = pq.read_metadata(path)
        for number in range(metadata.num_row_groups):
            rows = metadata.row_group(number).num_rows
            yield _Group(path, number, first, rows)
            first += rows


def _tables(
    paths: Sequence[Path], columns: list[str], rows: NDArray[np.int64] | None
) -> Iterator[pa.Table]:
    """Yield rows of files, a row group at a time; groups without one are not read.

    Raises:
        InputError: if a file cannot be read.
    """
    for group in _groups(paths):
        wanted: NDArray[np.int64] | None = None
        if rows is not None:
            begin, end = rows.searchsorted((group.first, group.first + group.rows))
            if begin == end:
                continue
            wanted = rows[begin:end] - group.first
        with _plain_errors(), pq.ParquetFile(group.path) as file:
            table = file.read_row_group(group.number, columns=columns)
        yield table if wanted is None or len(wanted) == group.rows else table.take(wanted)


@contextmanager
def _plain_errors() -> Generator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read the corpus: {error}; build it again") from error


def _read(paths: Sequence[Path], columns: list[str], rows: NDArray[np.int64] | None) -> Shard:
    """Read rows of files into arrays, a row group at a time: their lists may be beyond Arrow's."""
    pieces = [
        _arrays(table) for table in (_nothing(paths[0], columns), *_tables(paths, columns, rows))
    ]
    arrays = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    texts = arrays.pop("text", None)
    offsets = np.concatenate([[0], np.cumsum(arrays.pop("lengths"), dtype=np.int64)])
    return Shard(
        offsets=offsets,
        labels=arrays.pop("label").astype(np.int64),
        texts=None if texts is None else texts.tolist(),
        **arrays,
    )


def _nothing(path: Path, columns: list[str]) -> pa.Table:
    """Return no rows, of the types that a file has."""
    with _plain_errors():
        schema: pa.Schema = pq.read_schema(path)
    if missing := set(columns) - set(schema.names):
        raise InputError(
            f"cannot read the corpus: {path} has no column {min(missing)!r}; build it again"
        )
    return schema.empty_table().select(columns)


def _arrays(table: pa.Table) -> dict[str, NDArray[Any]]:
    arrays = {
        name: table[name].to_numpy() for name in table.column_names if name not in ("ids", "text")
    }
    if "text" in table.column_names:
        arrays["text"] = np.array(table["text"].to_pylist(), dtype=object)
    ids = table["ids"].combine_chunks()
    return arrays | {"ids": ids.flatten().to_numpy(), "lengths": ids.value_lengths().to_numpy()}


def take(pairs: Shard, rows: NDArray[np.int64]) -> Shard:
    """Return some of the pairs, in the order given."""
    lengths = pairs.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(pairs.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Shard(ids=pairs.ids[places], offsets=offsets, labels=pairs.labels[rows])
