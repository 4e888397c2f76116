"""Which rows each process trains on: its own part of the corpus, of which it reads no other.

The rows are divided into streams, one behind the other, and a step takes its share of each: stream
after stream, these make up its batch, which the processes cut into equal pieces. So a process needs
the streams that its piece is made of, in one piece of the corpus, whatever the step; and what a
batch consists of does not depend on how many processes there are. As a corpus is stored in random
order, a batch of streams is as random as one out of everything.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from deepmoji.config import PretrainConfig

# Rows of a stream, at least: a row group. Where rows are drawn by their class, a stream has to hold
# enough of each class to stand for all.
LEAST_ROWS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Share:
    """One of several processes that train together."""

    rank: int = 0
    world_size: int = 1

    def piece(self, size: int) -> tuple[int, int]:
        """Return where this process's piece of a batch begins and ends."""
        return self.rank * size // self.world_size, (self.rank + 1) * size // self.world_size


ALONE = Share()


@dataclass(frozen=True, kw_only=True)
class Streams:
    """The streams of a run.

    Attributes:
        rows: how many there are.
        batch_size: rows a step; the last batch of an epoch has what is left.
        wanted: how many streams, if there are rows enough for so many.
    """

    rows: int
    batch_size: int
    wanted: int

    @property
    def count(self) -> int:
        """How many streams there are, each in every full batch.

        As many as are wanted, or the largest divisor of that: two, four or eight processes share
        what would be 16 streams evenly also if there are fewer.
        """
        most = max(1, min(self.wanted, self.batch_size, self.rows // LEAST_ROWS))
        return next(count for count in range(most, 0, -1) if self.wanted % count == 0)

    @property
    def full_batches(self) -> int:
        """Batches of an epoch that have ``batch_size`` rows."""
        return self.rows // self.batch_size

    @property
    def rest(self) -> int:
        """Rows of the last batch of an epoch, if it is a smaller one."""
        return self.rows % self.batch_size

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return self.full_batches + (self.rest > 0)

    def size(self, batch: int) -> int:
        """Return how many rows a batch of an epoch has."""
        return self.batch_size if batch < self.full_batches else self.rest

    def places(self, size: int) -> NDArray[np.int64]:
        """Return where in a batch of this size each stream begins, and the end: int64 [S + 1]."""
        full = np.arange(self.count + 1, dtype=np.int64) * self.batch_size // self.count
        return size * full // self.batch_size

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """Where among the rows each stream begins, and the end: int64 [S + 1]."""
        return self.full_batches * self.places(self.batch_size) + self.places(self.rest)

    def of(self, share: Share) -> range:
        """Return the streams that a process reads."""
        touched = list[int]()
        for size in (self.batch_size if self.full_batches else 0, self.rest):
            begin, end = share.piece(size)
            if begin < end:
                ends = self.places(size).searchsorted((begin, end - 1), side="right") - 1
                touched.extend(ends.tolist())
        return range(min(touched), max(touched) + 1) if touched else range(0)

    def rows_of(self, share: Share) -> tuple[int, int]:
        """Return where the rows that a process reads begin and end."""
        streams = self.of(share)
        if not streams:
            return 0, 0
        return int(self.bounds[streams.start]), int(self.bounds[streams.stop])


@dataclass(frozen=True, kw_only=True)
class Part:
    """Which of a run's rows a process has.

    Attributes:
        streams: all rows.
        share: the process.
        first: the first row that it has; they are one behind the other.
        counts: how many of all rows each class has, int64 [C].
    """

    streams: Streams
    share: Share
    first: int
    counts: NDArray[np.int64]

    @classmethod
    def whole(
        cls, counts: NDArray[np.int64], config: PretrainConfig, share: Share = ALONE
    ) -> "Part":
        """Return the part of a process that has all rows."""
        streams = streams_of(int(counts.sum()), config)
        return cls(streams=streams, share=share, first=0, counts=counts)


def streams_of(rows: int, config: PretrainConfig) -> Streams:
    """Return the streams of a run over so many rows."""
    return Streams(rows=rows, batch_size=config.batch_size, wanted=config.streams)
