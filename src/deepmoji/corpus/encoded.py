"""Posts as ids: gathered for a shard, and counted, no more than a shard at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from deepmoji.text.vocabulary import UNKNOWN


@dataclass(frozen=True)
class Encoded:
    """The posts' ids, one after the other, cut to the longest length that is stored."""

    ids: NDArray[np.unsignedinteger[Any]]
    offsets: NDArray[np.int64]
    words: NDArray[np.int64]  # number of words of each post, before the cut

    def gather(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.int64]]:
        """Return the ids of some posts, one after the other, and their lengths."""
        begin = self.offsets[rows]
        lengths = self.offsets[rows + 1] - begin
        ends = np.cumsum(lengths)
        starts = np.repeat(begin - (ends - lengths), lengths)
        return self.ids[starts + np.arange(ends[-1] if len(ends) else 0)], lengths

    def rows(self, rows: NDArray[np.int64]) -> tuple[pa.ListArray, NDArray[np.int64]]:
        """Return the ids of some posts as a list array, and their lengths."""
        flat, lengths = self.gather(rows)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        # Arrow refuses what is beyond int32, where NumPy would wrap it.
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(flat)), lengths

    def unknown_share(self, rows: NDArray[np.int64], at_once: int) -> float:
        """Return the share of unknown words in some posts, of which so many are gathered at once.

        All training posts would take many times their size, or have no room in a list array.
        """
        unknown = total = 0
        for start in range(0, len(rows), at_once):
            ids, _ = self.gather(rows[start : start + at_once])
            unknown += int(np.count_nonzero(ids == UNKNOWN))
            total += len(ids)
        return round(unknown / total, 6) if total else 0.0


def cut(flat: NDArray[Any], counts: NDArray[np.int64], longest: int) -> Encoded:
    """Cut posts at the right; a post without words becomes one unknown word."""
    ends = np.cumsum(counts)
    place = np.arange(len(flat)) - np.repeat(ends - counts, counts)
    kept = flat[place < longest]
    lengths = np.minimum(counts, longest)
    if not lengths.all():
        empty = np.flatnonzero(lengths == 0)
        kept = np.insert(kept, (np.cumsum(lengths) - lengths)[empty], UNKNOWN)
        lengths = np.maximum(lengths, 1)
    return Encoded(kept, np.concatenate([[0], np.cumsum(lengths)]), counts)
