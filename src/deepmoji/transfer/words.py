"""The words of a set of labelled texts: what the vocabulary lacks, and where texts are cut."""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence

from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import LONGEST_WORD, UNKNOWN, Vocabulary

# Half a character, as of an emoji that was cut in two: Python holds it, no file does.
_HALF = re.compile("[\ud800-\udfff]")

Words = list[list[str]]
Reading = Callable[[str], list[str]]  # a text's words


def read_words(texts: Sequence[str], read: Reading = tokenize) -> Words:
    """Return the words of each text, as the model reads them, or as ``read`` does."""
    return [read(text) for text in texts]


def extended(vocabulary: Vocabulary, texts: Words, most: int) -> Vocabulary:
    """Return the vocabulary with the most frequent words of texts that it lacks, emojis too.

    Words of the same frequency come in alphabetical order.

    Args:
        vocabulary: to begin with.
        texts: the words of training texts.
        most: how many words are added at the most.
    """
    counts = Counter(word for words in texts for word in words if word not in vocabulary)
    new = [word for word in counts if len(word) <= LONGEST_WORD and not _HALF.search(word)]
    new.sort(key=lambda word: (-counts[word], word))
    return Vocabulary([*vocabulary.words, *new[:most]])


def usual_length(texts: Words, share: float = 0.8) -> int:
    """Return the number of words that this share of texts does not pass, rounded up to ten."""
    lengths = sorted(map(len, texts))
    # Linear interpolation between ranks, as NumPy's percentile, which the original called.
    place = share * (len(lengths) - 1)
    low = lengths[math.floor(place)]
    length = low + (place - math.floor(place)) * (lengths[math.ceil(place)] - low)
    return max(10, math.ceil(length / 10) * 10)


def unknown_share(vocabulary: Vocabulary, texts: Words, max_tokens: int) -> float:
    """Return the share of the words that are read, of all texts, that the vocabulary lacks."""
    read = [index for words in texts for index in vocabulary.ids(words[:max_tokens])]
    return read.count(UNKNOWN) / len(read) if read else 0.0
