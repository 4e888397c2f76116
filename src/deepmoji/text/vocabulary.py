"""The words that a model knows, and their ids."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self, cast

from deepmoji.errors import InputError
from deepmoji.files import read_json, write_json

SPECIAL_TOKENS: tuple[str, ...] = (
    "CUSTOM_MASK",
    "CUSTOM_UNKNOWN",
    "CUSTOM_AT",
    "CUSTOM_URL",
    "CUSTOM_NUMBER",
    "CUSTOM_BREAK",
    *(f"CUSTOM_BLANK_{index}" for index in range(6, 10)),
)
MASK, UNKNOWN = 0, 1
LONGEST_WORD = 30


class Vocabulary:
    """Words in the order of their ids; the first ten are the special tokens.

    >>> Vocabulary([*SPECIAL_TOKENS, "love"]).ids(["love", "xyzzy"])
    [10, 1]

    Args:
        words: every word once, beginning with :data:`SPECIAL_TOKENS`.

    Raises:
        InputError: if a word occurs twice or the special tokens do not come first.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words: tuple[str, ...] = tuple(words)
        if self.words[: len(SPECIAL_TOKENS)] != SPECIAL_TOKENS:
            raise InputError(
                f"a vocabulary begins with the {len(SPECIAL_TOKENS)} special tokens "
                f"{SPECIAL_TOKENS[0]} … {SPECIAL_TOKENS[-1]}; this one with {self.words[:3]}"
            )
        self._ids = dict(zip(self.words, count()))
        if len(self._ids) != len(self.words):
            raise InputError(
                f"{len(self.words) - len(self._ids)} words occur twice in a vocabulary"
            )

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], *, size: int = 50_000) -> Self:
        """Keep the most frequent words of up to 30 characters, ``size`` tokens in all.

        Words of the same frequency are in alphabetical order.
        """
        known = frozenset(SPECIAL_TOKENS)
        words = (word for word in counts if 0 < len(word) <= LONGEST_WORD and word not in known)
        ranked = sorted(words, key=lambda word: (-counts[word], word))
        return cls((*SPECIAL_TOKENS, *ranked[: max(0, size - len(SPECIAL_TOKENS))]))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a ``vocabulary.json``: an object of each word and its id, 0 upwards without gaps.

        Raises:
            InputError: if the file is not such an object.
        """
        content: Any = read_json(Path(path))
        if not isinstance(content, dict):
            raise InputError(f"{path} is no vocabulary: expected an object of words and ids")
        return cls.from_ids(cast("dict[str, Any]", content), name=str(path))

    @classmethod
    def from_ids(cls, ids: Mapping[str, int], *, name: str = "this mapping") -> Self:
        """Read a mapping of each word to its id, 0 upwards without gaps.

        Args:
            ids: what a ``vocabulary.json`` holds.
            name: what it is called in messages.

        Raises:
            InputError: if it is no such mapping.
        """
        if not all(type(index) is int for index in ids.values()):
            raise InputError(f"{name} is no vocabulary: every id has to be a whole number")
        words = sorted(ids, key=ids.__getitem__)
        if [ids[word] for word in words] != list(range(len(words))):
            raise InputError(f"{name} is no vocabulary: its ids are not 0 to {len(words) - 1}")
        return cls(words)

    def save(self, path: str | Path) -> None:
        """Write ``vocabulary.json``, whole or not at all."""
        write_json(Path(path), self._ids)

    def __len__(self) -> int:
        """Return the number of tokens, the special ones included."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        """Tell whether a word is known."""
        return word in self._ids

    def id(self, word: str) -> int:
        """Return a word's id, 1 (unknown) for a word that is not there."""
        return self._ids.get(word, UNKNOWN)

    def ids(self, words: Iterable[str]) -> list[int]:
        """Return the ids of words, 1 (unknown) for those that are not there."""
        get = self._ids.get
        return [get(word, UNKNOWN) for word in words]
