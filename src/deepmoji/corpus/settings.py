"""What a corpus build is asked to do."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from deepmoji.errors import InputError

# The filters, in the order in which they judge a post, with what each drops.
RULES: Mapping[str, str] = MappingProxyType(
    {
        "retweet": "starts with rt",
        "link": "holds a link",
        "language": "is in another language",
        "length": "has no normal word, only punctuation, numbers, mentions, emojis",
        "wanted-emoji": "holds none of the wanted emojis",
        "non-ascii": "has a word with a character outside ASCII",
    }
)

# The filters, and what some settings drop besides, in the order in which they judge a post.
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "deleted": "is in the list of posts to delete",
        **{rule: RULES[rule] for rule in ("retweet", "link", "language")},
        "language-score": "is in that language less surely than wanted",
        **RULES,
        "excluded": "is a text to exclude, or a near copy of one",
        "near-duplicate": "has most of its three-word phrases in common with a kept post",
        "author-cap": "is by someone of whom as many posts are kept as may be",
    }
)
# What puts the steps in force that are no filters.
_SETTING_OF = {
    "deleted": "delete_ids",
    "language-score": "min_language_score",
    "excluded": "exclude",
    "near-duplicate": "near_duplicates",
    "author-cap": "cap_author",
}
# A column is read for the step that needs it.
_COLUMN_OF = {
    "lang_score_column": "min_language_score",
    "author_column": "cap_author",
    "id_column": "delete_ids",
}
_WORDS = 50_000
_LIST_WORDS = 2**31  # what the lists of a shard, whose offsets Arrow has as int32, must stay below
_LISTS = frozenset({"without", "exclude"})
# Left out of a report where they are not set: settings name a build, and what it makes by default
# has not changed since it had these.
_YOUNGER = frozenset({"vocabulary", *_COLUMN_OF, *_SETTING_OF.values()})


@dataclass(frozen=True, kw_only=True)
class CorpusSettings:
    """Everything that decides a corpus's content; the number of workers does not.

    Attributes:
        text_column: column or field of the post; None tries the usual names.
        lang_column: column or field of the language code; None tries the usual names.
        language: ISO 639 code that is kept, or ``"any"``.
        without: names of the filters that are switched off, of :data:`RULES`.
        labels: ``"deepmoji"`` (the 64 emojis of the paper), ``"top:K"`` (the most frequent),
            ``"deepmoji+K"`` (the 64, then the most frequent others), or a path of a list.
        vocabulary_size: words of the vocabulary, special tokens included; 50,000 unless
            ``vocabulary`` is given.
        max_tokens: ids stored for a post; longer ones are cut at the right.
        per_emoji: pairs for each emoji in the balanced validation and test sets.
        natural: posts in the validation and test sets as they occur.
        seed: seeds the hashes that split, choose and order.
        strict: an unreadable file or row stops the build.
        shard_rows: rows of one training shard.
        exclude: corpus folders, whose evaluation texts, and files, whose texts neither a training
            nor an evaluation text may be or be a near copy of.
        min_language_score: confidence that the language must have, in its column or by the
            detector where that is empty; None asks for none.
        lang_score_column: column or field of that confidence; None tries the usual names.
        near_duplicates: whether to keep one of the posts that have most of their phrases in common.
        cap_author: posts kept of one author; None keeps all.
        author_column: column or field of the author; None tries the usual names.
        delete_ids: a file of the ids of posts that must not be used, one a line.
        id_column: column or field of the id; None tries the usual names.
        vocabulary: a corpus folder, a model bundle or a ``vocabulary.json`` whose words and ids are
            used as they are.

    Raises:
        InputError: if a value makes no sense.
    """

    text_column: str | None = None
    lang_column: str | None = None
    language: str = "en"
    without: tuple[str, ...] = ()
    labels: str = "deepmoji"
    vocabulary_size: int | None = None
    max_tokens: int = 64
    per_emoji: int = 120
    natural: int = 8_000
    seed: int = 0
    strict: bool = False
    shard_rows: int = 2**18
    exclude: tuple[str, ...] = ()
    vocabulary: str | None = None
    min_language_score: float | None = None
    lang_score_column: str | None = None
    near_duplicates: bool = False
    cap_author: int | None = None
    author_column: str | None = None
    delete_ids: str | None = None
    id_column: str | None = None

    def __post_init__(self) -> None:
        if self.vocabulary is None and self.vocabulary_size is None:
            object.__setattr__(self, "vocabulary_size", _WORDS)
        elif self.vocabulary is not None and self.vocabulary_size is not None:
            raise InputError(
                "vocabulary-size is given, but a vocabulary that is taken as it is has its size; "
                "leave out one of --vocabulary and --vocabulary-size"
            )
        for name in _LISTS:
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        unknown = sorted(set(self.without) - set(RULES))
        if unknown:
            raise InputError(f"no filter is called {unknown[0]!r}; there are: {', '.join(RULES)}")
        object.__setattr__(self, "language", self.language.lower())
        if self.language != "any" and not (self.language.isalpha() and self.language.isascii()):
            raise InputError(f"language {self.language!r}: give a code such as en, or any")
        smallest = {
            "vocabulary_size": 11,  # the ten special tokens and one word
            "max_tokens": 1,
            "per_emoji": 0,
            "natural": 0,
            "seed": 0,
            "shard_rows": 1,
            "cap_author": 1,
        }
        for name, least in smallest.items():
            given = getattr(self, name)
            if given is not None and given < least:
                raise InputError(
                    f"{name.replace('_', '-')} is {given}; it must be at least {least}"
                )
        if self.max_tokens > 65_535:
            raise InputError(f"max-tokens is {self.max_tokens}; lengths are stored up to 65535")
        self._check_shards()
        self._check_columns()
        if self.seed >= 2**64:
            raise InputError(f"seed is {self.seed}; it must be below 2**64")

    def _check_shards(self) -> None:
        most = (_LIST_WORDS - 1) // self.shard_rows
        if self.max_tokens > most:
            raise InputError(
                f"max-tokens is {self.max_tokens}; a shard of {self.shard_rows} rows, which has to "
                f"stay below 2**31 words, leaves room for at most {most}: give less, or, in "
                "Python, fewer shard-rows"
            )

    def _check_columns(self) -> None:
        for column, purpose in _COLUMN_OF.items():
            if getattr(self, column) is not None and getattr(self, purpose) is None:
                column, purpose = column.replace("_", "-"), purpose.replace("_", "-")
                raise InputError(f"{column} is only read for --{purpose}")
        least = self.min_language_score
        if least is not None and not 0 < least <= 1:
            raise InputError(f"min-language-score is {least}; it must be above 0, and at most 1")
        if least is not None and not self.applies("language"):
            raise InputError("min-language-score is given, but no language is asked for")

    @property
    def more_columns(self) -> tuple[tuple[str, str | None], ...]:
        """What is read of a post besides text and language, with its name if that is given."""
        wanted = {
            "score": (self.min_language_score, self.lang_score_column),
            "author": (self.cap_author, self.author_column),
            "id": (self.delete_ids, self.id_column),
        }
        return tuple((kind, name) for kind, (use, name) in wanted.items() if use is not None)

    def applies(self, rule: str) -> bool:
        """Tell whether a filter or another step is in force."""
        if rule == "language" and self.language == "any":
            return False
        if rule in _SETTING_OF:
            return bool(getattr(self, _SETTING_OF[rule]))
        return rule not in self.without

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return {
            field.name: list(value) if field.name in _LISTS else value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default or field.name not in _YOUNGER
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "CorpusSettings":
        """Return the settings that :meth:`to_dict` gave."""
        return cls(**content)

    @property
    def hash_key(self) -> bytes:
        """The key of every hash of this build."""
        return self.seed.to_bytes(8, "little")


def fingerprint(content: Mapping[str, Any]) -> str:
    """Return a short stable name for settings or the state of an input.

    >>> fingerprint({"a": 1}) == fingerprint({"a": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
