"""Kept posts that there are enough of: near duplicates, and more than a few of one author.

Both need all posts at once, so they come after the stages, in one process; and before the splits,
so that no evaluation set holds what is too much for training. Of each group the posts that come
first in a random order stay, whatever the order of the input.

Source of the method: Broder, "On the resemblance and containment of documents" (1997), with the
banding of Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from deepmoji.corpus.pairs import Posts
from deepmoji.corpus.settings import CorpusSettings

SHINGLE = 3  # words of a phrase
HASHES = 64
# Two posts are compared if one of 16 bands of 4 hashes is the same: that finds 89 % of those that
# share 60 % of their phrases, and 99 % of those that share 70 %.
_BANDS = 16
# Least share of equal hashes, which estimates that of the phrases (measured: to 0.04). Seen on real
# posts: at 0.6 greetings, offers and templates with another name in them, at 0.5 chance as well.
_ALIKE = 0.6
_AT_ONCE = 2**16  # comparisons
_NONE = np.iinfo(np.uint32).max  # all hashes of a text without phrases

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def near_duplicates(
    parts: Sequence[Path], posts: Posts, settings: CorpusSettings
) -> NDArray[np.int64]:
    """Return the rows of posts that have most of their phrases in common with one that stays.

    Phrases are the runs of three words of what near copies share, without repetitions. Posts that
    are compared are those with a band in common with the first post of that band; two posts that
    are alike may so be missed, but none is dropped that is not like one that stays.
    """
    ranks = posts.ranks(_authors(parts) if settings.cap_author is not None else None)
    bands = _bands(parts)
    bands[:, np.diff(posts.offsets) == 0] = 0  # what makes no pair replaces nothing
    later, first = _candidates(bands, ranks)
    rows = np.unique(np.concatenate([later, first]))
    signatures = _signatures(parts, rows)
    later, first = np.searchsorted(rows, later), np.searchsorted(rows, first)
    alike = _compare(signatures, later, first)
    kept_as: dict[int, int] = {}
    # In order of the first member, so that the second is judged before anything is compared to it.
    compared: Iterator[tuple[int, int, bool]] = zip(
        later.tolist(), first.tolist(), alike.tolist(), strict=True
    )
    for one, other, same in compared:
        if one in kept_as:
            continue
        stays = kept_as.get(other, other)
        if stays != other:
            same = _alike(signatures[one], signatures[stays])
        if same:
            kept_as[one] = stays
    return rows[np.array(sorted(kept_as), np.int64)]


def over_cap(parts: Sequence[Path], posts: Posts, settings: CorpusSettings) -> NDArray[np.int64]:
    """Return the rows of posts beyond the cap of their author; those without one have no cap."""
    authors = _authors(parts)
    known = np.flatnonzero((authors != 0) & (np.diff(posts.offsets) > 0))
    known = known[np.lexsort((posts.ranks()[known], authors[known]))]
    ranked = authors[known]
    place = np.arange(len(ranked)) - np.searchsorted(ranked, ranked, side="left")
    return np.sort(known[place >= (settings.cap_author or 0)])


# In this order: an author's near duplicates do not use up what may be kept.
STEPS_AFTER: Mapping[str, Callable[[Sequence[Path], Posts, CorpusSettings], NDArray[np.int64]]] = (
    MappingProxyType({"near-duplicate": near_duplicates, "author-cap": over_cap})
)


def _authors(parts: Sequence[Path]) -> NDArray[np.uint64]:
    """Return a hash of each post's author, 0 where there is none."""
    columns = [pq.read_table(part, columns=["author"])["author"].to_numpy() for part in parts]
    return np.concatenate([np.zeros(0, np.uint64), *columns])


def _read(parts: Sequence[Path]) -> Iterator[NDArray[np.uint32]]:
    """Yield the hashes of the posts of each part, [posts, HASHES]."""
    for part in parts:
        column: Any = pq.read_table(part, columns=["minhash"]).column(0).combine_chunks()
        yield column.flatten().to_numpy().reshape(-1, HASHES)


def _bands(parts: Sequence[Path]) -> NDArray[np.uint64]:
    """Return a hash of each band of each post, [bands, posts]; 0 for a post without phrases."""
    count = sum(pq.read_metadata(part).num_rows for part in parts)
    found = np.empty((_BANDS, count), np.uint64)  # most of the memory of a build: no second copy
    start = 0
    for hashes in _read(parts):
        bands = hashes.reshape(len(hashes), _BANDS, HASHES // _BANDS).astype(np.uint64)
        mixed = np.ones(bands.shape[:2], np.uint64)
        with np.errstate(over="ignore"):
            for place in range(bands.shape[2]):
                mixed = (mixed ^ bands[:, :, place]) * _MULTIPLIER
                mixed ^= mixed >> np.uint64(32)
        mixed[hashes[:, 0] == _NONE] = 0
        found[:, start : start + len(hashes)] = mixed.T
        start += len(hashes)
    return found


def _candidates(
    bands: NDArray[np.uint64], ranks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of posts with a band in common: each post, and the first one of that band.

    They are in the order of the first member's rank, then the second's.
    """
    pairs: list[NDArray[np.int64]] = [np.zeros((0, 2), np.int64)]
    for band in bands:
        there = np.flatnonzero(band)
        there = there[np.lexsort((ranks[there], band[there]))]
        values = band[there]
        first = there[np.searchsorted(values, values, side="left")]
        pairs.append(np.stack([there, first], axis=1)[there != first])
    both = np.unique(np.concatenate(pairs), axis=0)
    later, first = both[:, 0], both[:, 1]
    order = np.lexsort((ranks[first], ranks[later]))
    return later[order], first[order]


def _signatures(parts: Sequence[Path], rows: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the hashes of some posts, [rows, HASHES]."""
    found: list[NDArray[np.uint32]] = [np.zeros((0, HASHES), np.uint32)]
    start = 0
    for hashes in _read(parts):
        low, high = np.searchsorted(rows, [start, start + len(hashes)])
        found.append(hashes[rows[low:high] - start])
        start += len(hashes)
    return np.concatenate(found)


def _compare(
    signatures: NDArray[np.uint32], one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell which posts of two lists are alike, row by row."""
    starts = range(0, len(one), _AT_ONCE)
    parts = [
        _alike(
            signatures[one[start : start + _AT_ONCE]], signatures[other[start : start + _AT_ONCE]]
        )
        for start in starts
    ]
    return np.concatenate([np.zeros(0, bool), *parts])


def _alike(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> Any:
    return (one == other).mean(axis=-1) >= _ALIKE
