"""The text work on one post: which rule it fails, its input, words, labels and hashes."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from deepmoji.corpus.settings import RULES, STEPS, CorpusSettings
from deepmoji.labels import EMOJIS
from deepmoji.text.emojis import (
    DROP_VARIATION_SELECTORS,
    EMOJI_CHARACTERS,
    find_emojis,
    remove_emojis,
)
from deepmoji.text.tokenizer import tokenize, train_words

KEPT = 0
CODES = {rule: code for code, rule in enumerate(STEPS, start=1)}

# Shorter texts are no near duplicates: different people write the same few words.
LEAST_WORDS = 8

# Surely a normal word, seen without reading the whole post: letters between white space.
_PLAIN_WORD = re.compile(r"(?:^|\s)[A-Za-z]+(?:\s|$)")
_RUN = re.compile(r"(.)\1+")
_SPECIAL = "CUSTOM_"
# Emojis are only looked for in what is not ASCII, and the same few stand in most posts:
# measured, 30 times faster than one search through whole posts.
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_remove = lru_cache(1 << 16)(remove_emojis)


class Reading(NamedTuple):
    """A post after the text work; ``code`` is KEPT or the code of the rule that it failed."""

    code: int
    text: str = ""
    words: Sequence[str] = ()
    labels: Sequence[int] = ()
    post: int = 0
    key: int = 0
    order: int = 0
    phrases: str = ""  # what near duplicates are found by; empty where they are not looked for


# For counting emojis: flags, and sequences around joiners, skin tones left out.
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_GENDER = re.compile("\u200d[\u2640\u2642]")
_EMOJI = f"[{''.join(sorted(EMOJI_CHARACTERS | set(EMOJIS)))}]"
_UNIT = re.compile(f"[\U0001f1e6-\U0001f1ff]{{2}}|{_EMOJI}(?:\u200d{_EMOJI})*")


def is_normal(word: str) -> bool:
    """Tell whether a word is neither a special token nor punctuation alone."""
    return not word.startswith(_SPECIAL) and any(map(str.isalnum, word))


def split_key(words: Sequence[str]) -> str:
    """Return what near copies of a post share: its letters, without what varies in a template.

    Special tokens, digits, punctuation and emoticons are dropped, a # or an apostrophe is no
    difference, repeated letters and words count once. Posts without a letter keep their words.

    >>> split_key(["so", "so", "goood", "!!", "CUSTOM_NUMBER", "#yay"])
    'so god yay'
    """
    letters = [
        word if word.isalpha() else "".join(filter(str.isalpha, word))
        for word in words
        if (word[0].isalpha() or word[0] == "#") and not word.startswith(_SPECIAL)
    ]
    kept: list[str] = []
    for word in _RUN.sub(r"\1", " ".join(letters)).split():
        if not kept or kept[-1] != word:
            kept.append(word)
    return " ".join(kept) if kept else "\n".join(words)


def hash64(text: str, key: bytes) -> int:
    """Return the seeded 64-bit hash of a string, the same on every machine."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "little")


@dataclass(kw_only=True)
class TextRules:
    """Reads posts by the rules that need their words: length, wanted emoji, non-ASCII word.

    Attributes:
        wanted: the labels in class order.
        active: names of the filters in force.
        language: code that a detected language must have.
        hash_key: key of the hashes, up to 64 bytes.
        detect: returns a text's language code and how sure it is; None takes every language.
        least_sure: that it has to be.
        phrases: whether to return what near duplicates are found by.
    """

    wanted: tuple[str, ...]
    active: frozenset[str]
    language: str
    hash_key: bytes
    detect: Callable[[str], tuple[str, float]] | None = None
    least_sure: float = 0.0
    phrases: bool = False

    def read(self, text: str, lang: str | None) -> Reading:
        """Read one post that passed the rules on the raw text.

        Args:
            text: the post as written.
            lang: its language code if that was checked already; None has it detected.
        """
        cleaned = self._without_labels(text)
        if not lang and self.detect is not None:
            found, sure = self.detect(cleaned)
            if found != self.language:
                return Reading(CODES["language"])
            if sure < self.least_sure:
                return Reading(CODES["language-score"])
        if "length" in self.active and not self._long_enough(cleaned):
            return Reading(CODES["length"])
        labels = self._labels(text)
        if not labels and self.wanted and "wanted-emoji" in self.active:
            return Reading(CODES["wanted-emoji"])
        words = self._words(cleaned)
        if not words and "non-ascii" in self.active and tokenize(cleaned):
            return Reading(CODES["non-ascii"])
        return self._kept(cleaned, words, labels)

    def key(self, text: str) -> int:
        """Return the hash that near copies of a text share, as in its reading if it is kept."""
        cleaned = self._without_labels(text)
        return hash64(split_key(self._words(cleaned) or tokenize(cleaned)), self.hash_key)

    def _words(self, text: str) -> list[str]:
        return train_words(text) if "non-ascii" in self.active else tokenize(text)

    def _without_labels(self, text: str) -> str:
        """Remove emojis, and labels that are no emojis."""
        if text.isascii():
            return text
        if self._symbols:
            text = text.translate(DROP_VARIATION_SELECTORS)
        for label in self._symbols:
            text = text.replace(label, " ")
        return _FOREIGN.sub(lambda match: _remove(match[0]), text)

    @cached_property
    def _symbols(self) -> tuple[str, ...]:
        return tuple(label for label in self.wanted if remove_emojis(label).strip())

    @cached_property
    def _find(self) -> Callable[[str], list[int]]:
        return lru_cache(1 << 16)(lambda part: find_emojis(part, self.wanted))

    @cached_property
    def _has_keycap(self) -> bool:
        return any(c.isascii() for label in self.wanted for c in label)

    def _labels(self, text: str) -> list[int]:
        """Return the labels of a post, in class order."""
        if text.isascii():
            return []
        if self._has_keycap:  # part of such a label is ASCII
            return find_emojis(text, self.wanted)
        return self._find(" ".join(_FOREIGN.findall(text)))

    def _long_enough(self, text: str) -> bool:
        return bool(_PLAIN_WORD.search(text)) or any(map(is_normal, tokenize(text)))

    def _kept(self, text: str, words: Sequence[str], labels: Sequence[int]) -> Reading:
        key = split_key(words)
        return Reading(
            KEPT,
            text.strip(),
            words,
            labels,
            hash64("\n".join(words), self.hash_key),
            hash64(key, self.hash_key),
            hash64(text, self.hash_key),
            key if self.phrases and key.count(" ") >= LEAST_WORDS - 1 else "",
        )


def text_rules(settings: CorpusSettings, wanted: Sequence[str]) -> TextRules:
    """Return the rules of a build, without a detector; no wanted labels take any post."""
    return TextRules(
        wanted=tuple(wanted),
        active=frozenset(rule for rule in RULES if settings.applies(rule)),
        language=settings.language,
        hash_key=settings.hash_key,
        least_sure=settings.min_language_score or 0.0,
        phrases=settings.near_duplicates,
    )


def emoji_units(text: str) -> set[str]:
    """Return the emojis of a text as people count them, for finding the most frequent ones.

    A flag is one emoji, and so is a sequence held together by joiners; skin tones, gender signs
    and variation selectors make no difference.

    >>> sorted(emoji_units("🤷🏽‍♀️ ok 👍🏿"))
    ['👍', '🤷']
    """
    if text.isascii():
        return set()
    plain = _SKIN_TONE.sub("", text.translate(DROP_VARIATION_SELECTORS))
    return set(_UNIT.findall(_GENDER.sub("", plain)))
