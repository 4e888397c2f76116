"""Rows of one file with all their columns, a slice at a time, whatever the format."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import pyarrow as pa

from deepmoji.scoring.scorer import SLICE

# Of one row. What is larger is no text but a damaged file.
LONGEST = 1 << 24
# Of one slice: with long rows it has fewer of them.
SLICE_SIZE = 1 << 24
# What reading a damaged file raises: the disk, a compression's end or checksum, pyarrow.
READ_ERRORS = (OSError, EOFError, pa.ArrowException)


class Rows(NamedTuple):
    """Some rows of a file, in order.

    Attributes:
        table: all columns as they are.
        texts: the text of each row; "" where it is missing.
    """

    table: pa.Table
    texts: list[str]


class Source(Protocol):
    """A file that was looked through."""

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        ...

    @property
    def rows(self) -> int:
        """How many there are."""
        ...

    def read(self, skip: int) -> Iterator[Rows]:
        """Yield the rows, but for the first ``skip``, in slices that depend on the file alone.

        Raises:
            InputError: if a row cannot be read.
            OSError, EOFError, pyarrow.ArrowException: if the file breaks off.
        """
        ...


def slice_rows(size: int, rows: int) -> int:
    """Return how many rows a slice of a file has, given the size of all of them."""
    return max(1, min(SLICE, SLICE_SIZE * rows // max(1, size)))
