"""From kept posts to (text, emoji) pairs, each in one split, near copies never in two."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Shares of the key space that may be drawn on for an evaluation set; what is not drawn is trained
# on. A tenth holds enough for 120 pairs even of emojis that make up one pair in a thousand.
TEST_SHARE = VALIDATION_SHARE = 0.1
TRAIN, TEST, VALIDATION, DROPPED = 0, 1, 2, 3


@dataclass(frozen=True)
class Posts:
    """The kept posts, column by column.

    Attributes:
        post: uint64 [posts], hash of the words: equal words, equal hash.
        key: uint64 [posts], hash of what near copies share, even over its range.
        order: uint64 [posts], hash of the text, which decides between equal words.
        offsets: int64 [posts + 1], where the labels of each post start.
        labels: uint16 [labels].
    """

    post: NDArray[np.uint64]
    key: NDArray[np.uint64]
    order: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    labels: NDArray[np.uint16]

    def without(self, dropped: NDArray[np.bool_]) -> "Posts":
        """Return the posts with no labels, and so no pairs, for those dropped; rows stay."""
        counts = np.diff(self.offsets)
        kept = np.where(dropped, 0, counts)
        labels = self.labels[np.repeat(~dropped, counts)]
        return replace(self, offsets=np.concatenate([[0], np.cumsum(kept)]), labels=labels)

    def ranks(self, ties: NDArray[np.uint64] | None = None) -> NDArray[np.int64]:
        """Return the place of each post in a random order that does not depend on the input's.

        It is by text, then labels, then ``ties``.
        """
        with np.errstate(over="ignore"):
            each = (self.labels.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
            sums = np.concatenate(
                [np.zeros(1, np.uint64), np.cumsum(each ^ (each >> np.uint64(29)))]
            )
            labels = sums[self.offsets[1:]] - sums[self.offsets[:-1]]
        ranks = np.empty(len(self.post), np.int64)
        ranks[np.lexsort((*(() if ties is None else (ties,)), labels, self.order))] = np.arange(
            len(ranks)
        )
        return ranks


@dataclass(frozen=True)
class Pairs:
    """Distinct pairs, sorted by (post, label).

    Attributes:
        row: int64 [pairs], index of the post.
        label: uint16 [pairs].
        split: uint8 [pairs], TRAIN, TEST, VALIDATION, or DROPPED: a near copy of an evaluation
            pair that no evaluation set has room for.
        balanced, natural: bool [pairs], which evaluation set the pair belongs to.
        duplicates: number of pairs that occurred before.
    """

    row: NDArray[np.int64]
    label: NDArray[np.uint16]
    split: NDArray[np.uint8]
    balanced: NDArray[np.bool_]
    natural: NDArray[np.bool_]
    duplicates: int


def make_pairs(posts: Posts, *, per_emoji: int, natural: int) -> Pairs:
    """Return the distinct pairs of the posts and the split of each.

    Test candidates are the keys in the first tenth of the hash range, validation candidates those
    in the second. Each evaluation set takes, by smallest hash, up to ``per_emoji`` pairs for each
    emoji, no two with one key, and the pairs of ``natural`` posts. A key that is taken leaves the
    training set whole.
    """
    row = np.repeat(np.arange(len(posts.post)), np.diff(posts.offsets))
    label = posts.labels
    by_pair = np.lexsort((posts.order[row], label, posts.post[row]))
    row, label = row[by_pair], label[by_pair]
    post = posts.post[row]
    first = np.ones(len(row), bool)
    first[1:] = (post[1:] != post[:-1]) | (label[1:] != label[:-1])
    row, label = row[first], label[first]
    key = posts.key[row]
    split = np.full(len(row), TRAIN, np.uint8)
    balanced, as_found = np.zeros(len(row), bool), np.zeros(len(row), bool)
    for number, (low, high) in _candidate_ranges().items():
        inside = np.flatnonzero((key >= low) & (key < high))
        # By key, then post: one order for both sets, the same for any order of the input.
        inside = inside[np.lexsort((label[inside], posts.post[row[inside]], key[inside]))]
        chosen = inside[_first_per_label(label[inside], key[inside], per_emoji)]
        balanced[chosen] = True
        as_found[inside[_first_posts(posts.post[row[inside]], natural)]] = True
        taken = np.unique(key[inside][balanced[inside] | as_found[inside]])
        inside = inside[np.isin(key[inside], taken)]
        flagged = balanced[inside] | as_found[inside]
        split[inside] = np.where(flagged, number, DROPPED)
    return Pairs(row, label, split, balanced, as_found, int(len(first) - first.sum()))


def _candidate_ranges() -> dict[int, tuple[np.uint64, np.uint64]]:
    test = int(TEST_SHARE * 2**64)
    validation = int((TEST_SHARE + VALIDATION_SHARE) * 2**64)
    return {
        TEST: (np.uint64(0), np.uint64(test)),
        VALIDATION: (np.uint64(test), np.uint64(validation)),
    }


def _first_per_label(
    label: NDArray[np.uint16], key: NDArray[np.uint64], count: int
) -> NDArray[np.int64]:
    """Return the positions of the first ``count`` pairs of each label, one for each key."""
    # Stable: within a label the given order, in which equal keys stand together.
    by_label = np.argsort(label, kind="stable")
    label, key = label[by_label], key[by_label]
    new = np.ones(len(label), bool)
    new[1:] = (label[1:] != label[:-1]) | (key[1:] != key[:-1])
    by_label, label = by_label[new], label[new]
    starts = np.searchsorted(label, label, side="left")
    return by_label[np.arange(len(label)) - starts < count]


def _first_posts(post: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
    """Return the positions of all pairs of the first ``count`` posts."""
    new = np.ones(len(post), bool)
    new[1:] = post[1:] != post[:-1]
    return np.flatnonzero(np.cumsum(new) <= count)


def training_order(post: NDArray[np.uint64], label: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return the order in which training pairs are stored: random, but the same every time.

    Sorted by a hash of the pair, so that it does not depend on the order of the input.
    """
    with np.errstate(over="ignore"):
        # splitmix64's finaliser over the post's (seeded) hash and the label.
        mixed = post + (label.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return np.lexsort((label, post, mixed))
