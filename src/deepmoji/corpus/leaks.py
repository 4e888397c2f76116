"""What could give an answer away: traces of emojis in the inputs, texts in two splits."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from deepmoji.corpus.pairs import TEST, TRAIN, VALIDATION, Pairs, Posts
from deepmoji.labels import EMOJIS
from deepmoji.text.emojis import EMOJI_CHARACTERS, VARIATION_SELECTORS

_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAG_LETTERS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
_JOINER, _KEYCAP = "\u200d", "\u20e3"


def count_traces(inputs: Iterable[pa.Array], labels: Sequence[str]) -> dict[str, int]:
    """Return in how many inputs each kind of trace stands; all are 0 unless something is wrong.

    Args:
        inputs: the texts of pairs, in arrays.
        labels: the emojis of the corpus.
    """
    selectors = frozenset(VARIATION_SELECTORS)
    emojis = EMOJI_CHARACTERS | _FLAG_LETTERS | {_KEYCAP} | set("".join((*EMOJIS, *labels)))
    emojis = {each for each in emojis if not each.isascii()} - _SKIN_TONES - selectors - {_JOINER}
    kinds = {
        "emoji": _any_of(emojis),
        "variation_selector": _any_of(selectors),
        "joiner": _JOINER,
        "skin_tone": _any_of(_SKIN_TONES),
    }
    found = dict.fromkeys(kinds, 0)
    for texts in inputs:
        # Few hold anything outside ASCII: looking for that first takes a quarter of the time.
        foreign = texts.filter(_matches(texts, r"[^\x00-\x7f]"))
        for kind, pattern in kinds.items():
            found[kind] += _matches(foreign, pattern).true_count
    return found


def count_shared(posts: Posts, pairs: Pairs) -> int:
    """Return how many texts, near copies taken for one, stand in more than one split."""
    splits = (TRAIN, VALIDATION, TEST)
    keys = [np.unique(posts.key[pairs.row[pairs.split == split]]) for split in splits]
    together = np.concatenate(keys)
    return len(together) - len(np.unique(together))


def _matches(texts: pa.Array, pattern: str) -> Any:
    return pc.call_function("match_substring_regex", [texts], pc.MatchSubstringOptions(pattern))


def _any_of(characters: Iterable[str]) -> str:
    return f"[{''.join(re.escape(each) for each in sorted(characters))}]"
