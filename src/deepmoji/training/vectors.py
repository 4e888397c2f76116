"""Word vectors of other programs, in word2vec's text format, as a start of the embedding."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from deepmoji.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """The vectors of those words of a vocabulary that a file has.

    Attributes:
        ids: of the words, int64 [found].
        numbers: float32 [found, E].
    """

    ids: NDArray[np.int64]
    numbers: NDArray[np.float32]


def read_vectors(path: Path, words: Sequence[str], *, size: int) -> Vectors:
    """Read a file with a word and its numbers a line, behind a line of their counts or without it.

    Args:
        path: the file, packed if its name ends in ``.gz``.
        words: the vocabulary, by id.
        size: how many numbers a word has to have.

    Raises:
        InputError: if the file cannot be read, a line of it is malformed, its vectors have another
            size, or it has none of the words.
    """
    ids = {word: index for index, word in enumerate(words)}
    found: dict[int, NDArray[np.float32]] = {}
    announced, last = None, 0
    for number, fields in _lines(path):
        if number == 1 and (header := _header(fields)):
            announced = header[0]
            _check_size(path, header[1], size)
            continue
        if number == 1:
            _check_size(path, len(fields) - 1, size)
        if len(fields) != size + 1:
            raise InputError(
                f"{path}, line {number}: {max(0, len(fields) - 1)} numbers behind a word, "
                f"not {size}; is it word2vec's text format, and whole?"
            )
        last = number
        index = ids.get(fields[0])
        if index is not None and index not in found:
            found[index] = _numbers(fields, f"{path}, line {number}")
    lines = last - 1 if announced is not None else last
    if announced is not None and lines != announced:
        raise InputError(
            f"{path} announces {announced} vectors and holds {max(0, lines)}; copy it again"
        )
    if not found:
        raise InputError(f"{path} has a vector for none of the corpus's {len(words)} words")
    return Vectors(ids=np.array([*found], dtype=np.int64), numbers=np.stack([*found.values()]))


@torch.no_grad()
def start_from_vectors(embedding: nn.Embedding, vectors: Vectors, *, span: float) -> None:
    """Replace the rows of words that have vectors.

    The vectors are centred, and scaled to the standard deviation of numbers that are uniform in
    +- ``span``, as those of the other rows are: what the network's tanh and its learning rate are
    made for.

    Args:
        embedding: changed in place.
        vectors: of some of its words.
        span: how far from nothing its random numbers reach.

    Raises:
        InputError: if the vectors are all the same, so that they cannot be scaled.
    """
    centred = vectors.numbers - vectors.numbers.mean(axis=0)
    deviation = float(centred.std())
    if deviation == 0:
        raise InputError("the word vectors are all the same; nothing can be learnt from them")
    scaled = centred * (span / np.sqrt(3) / deviation)
    embedding.weight[torch.from_numpy(vectors.ids)] = torch.from_numpy(scaled.astype(np.float32))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line, from 1, and its fields."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                # Words may hold any other space, and bytes that are no text.
                yield number, line.decode("utf-8", "replace").rstrip(" \r\n").split(" ")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the word vectors {path}: {reason}") from error


def _header(fields: list[str]) -> tuple[int, int] | None:
    """Return how many vectors of which size a first line announces, if it does."""
    if len(fields) == 2 and all(field.isascii() and field.isdigit() for field in fields):
        return int(fields[0]), int(fields[1])
    return None


def _check_size(path: Path, there: int, wanted: int) -> None:
    if there != wanted:
        raise InputError(
            f"{path} has vectors of {there} numbers, this run an embedding of {wanted}; "
            f"take others, or give --embedding-size {there}"
        )


def _numbers(fields: list[str], place: str) -> NDArray[np.float32]:
    try:
        numbers = np.array([float(field) for field in fields[1:]], dtype=np.float32)
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error
    if not np.isfinite(numbers).all():
        raise InputError(f"{place}: a vector holds numbers, none that is infinite or missing")
    return numbers
