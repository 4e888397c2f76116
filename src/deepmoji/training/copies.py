"""Which rows of a corpus are the same text: posts with several emojis stand there once for each."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from deepmoji.training.batches import Pairs

_CHUNK = 1 << 16  # rows hashed at once


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Rows in groups of identical ids.

    Attributes:
        first: the first row of each group, ascending: int64 [groups].
        starts: where each group begins in ``rows``, and the end: int64 [groups + 1].
        rows: all rows, group by group: int64 [rows].
    """

    first: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def among(cls, pairs: Pairs) -> Self:
        """Find the rows of identical ids, by hashes of 64 bits.

        That two of a million different texts are taken for one has a chance of 1 in 10 million.
        """
        _, first, group = np.unique(_hashes(pairs), return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        group = rank[group]
        counts = np.bincount(group, minlength=len(first))
        return cls(
            first=first[order].astype(np.int64),
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            rows=np.argsort(group, kind="stable").astype(np.int64),
        )

    def of(self, groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows of groups, and for each its group's place in ``groups``: int64 [n]."""
        counts = self.starts[groups + 1] - self.starts[groups]
        places = np.repeat(np.arange(len(groups)), counts)
        ends = np.cumsum(counts)
        within = np.arange(len(places)) - np.repeat(ends - counts, counts)
        return self.rows[np.repeat(self.starts[groups], counts) + within], places


def _hashes(pairs: Pairs) -> NDArray[np.uint64]:
    """Hash rows: random numbers of their words times random numbers of the places, uint64."""
    random = np.random.default_rng(0)
    whole = np.iinfo(np.uint64).max
    largest, longest = pairs.ids.max(initial=0), np.diff(pairs.offsets).max(initial=0)
    words = random.integers(0, whole, int(largest) + 1, dtype=np.uint64)
    places = random.integers(0, whole, int(longest), dtype=np.uint64) | np.uint64(1)
    result = np.zeros(len(pairs.labels), dtype=np.uint64)
    for begin in range(0, len(result), _CHUNK):
        offsets = pairs.offsets[begin : begin + _CHUNK + 1]
        lengths = np.diff(offsets)
        within = np.arange(offsets[0], offsets[-1]) - np.repeat(offsets[:-1], lengths)
        products = words[pairs.ids[offsets[0] : offsets[-1]]] * places[within]
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(products)])  # modulo 2 ** 64
        result[begin : begin + _CHUNK] = np.diff(sums[offsets - offsets[0]])
    return result
