"""What each word does to an answer: the answer to the text without it."""

from collections.abc import Iterator, Sequence

import numpy as np

from deepmoji.inference.engine import WINDOW, Array, Ids
from deepmoji.inference.reading import Reader
from deepmoji.text.vocabulary import UNKNOWN

_LEAST = 1e-9  # a probability of nothing has no logarithm


def occlusions(reader: Reader, ids: Ids, probabilities: Array) -> list[Array]:
    """Return how much more probable each word makes the most probable label of its text.

    Of a text x with the most probable label k, the occlusion of word i is
    ``log p(k | x) - log p(k | x without word i)``, in nats: 0.7 says that without the word the
    label would be half as probable, a negative number that the word speaks against the label. Words
    are left out as ids, so the others stay what they are, and of a text that was cut no further
    word moves up; one that was read in windows is read again in windows. Without its only word a
    text is one unknown word, as an empty one.

    Source: leave-one-out, as in Li, Monroe and Jurafsky, "Understanding Neural Networks through
    Representation Erasure", 2016, section 3 (they divide by ``log p(k | x)``).

    Args:
        reader: the model.
        ids: n texts, none of them empty.
        probabilities: float32 [n, classes], the model's answers to them.

    Returns:
        for each text float32 [its words].
    """
    best = probabilities.argmax(axis=1)
    targets = np.repeat(best, [len(text) for text in ids])
    without = np.empty(len(targets), np.float32)
    done = 0
    for (rows,) in reader.blocks(_variants(ids), ("probabilities",), WINDOW):
        wanted = targets[done : done + len(rows)]
        without[done : done + len(rows)] = rows[np.arange(len(rows)), wanted]
        done += len(rows)
    whole = probabilities[np.arange(len(ids)), best]
    ends = np.cumsum([len(text) for text in ids])
    parts = np.split(np.log(np.maximum(without, _LEAST)), ends[:-1])
    return [
        np.log(np.maximum(share, _LEAST)) - part for share, part in zip(whole, parts, strict=True)
    ]


def _variants(ids: Ids) -> Iterator[Sequence[int]]:
    for text in ids:
        for index in range(len(text)):
            yield [*text[:index], *text[index + 1 :]] or [UNKNOWN]
