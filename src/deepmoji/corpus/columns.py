"""Which column or field of a file holds the post, its language, and what else is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from deepmoji.errors import InputError

if TYPE_CHECKING:
    from deepmoji.corpus.urls import Url

TEXT_COLUMNS = ("text", "full_text", "tweet", "post", "content", "body", "comment", "message")
LANG_COLUMNS = ("lang", "language")
# What is only looked for where a setting needs it: the option that names it, its usual names.
MORE: Mapping[str, tuple[str, Sequence[str]]] = MappingProxyType(
    {
        "score": ("--lang-score-column", ("lang_score", "language_score")),
        "author": (
            "--author-column",
            ("author_id", "user.id_str", "user_id", "author", "user", "username"),
        ),
        "id": ("--id-column", ("id_str", "id", "tweet_id", "post_id")),
    }
)
# What a stream of the Twitter API sends between posts.
_NOTICES = frozenset(
    {
        "delete",
        "disconnect",
        "limit",
        "scrub_geo",
        "status_withheld",
        "user_withheld",
        "warning",
    }
)


class Fields(NamedTuple):
    """What a post has, or the names of the columns that have it; None where there is nothing."""

    text: Any
    lang: Any = None
    score: Any = None
    author: Any = None
    id: Any = None


class Columns(NamedTuple):
    """Names given with --text-column and --lang-column; None looks for the usual ones.

    ``more`` has what else is wanted, of MORE, with its name or None.
    """

    text: str | None
    lang: str | None
    more: Sequence[tuple[str, str | None]] = ()

    def choose(self, there: Sequence[str], path: "Path | Url") -> Fields:
        """Return the names of the columns; a language, and with it its score, may be missing.

        Raises:
            InputError: if a named column does not exist, or one that is needed is not found.
        """
        text, lang = _first(self.text, TEXT_COLUMNS, there), _first(self.lang, LANG_COLUMNS, there)
        for name, option in ((self.text, "--text-column"), (self.lang, "--lang-column")):
            if name is not None and name not in there:
                listed = ", ".join(there)
                raise InputError(f"{path}: no column {name!r} (see {option}); it has: {listed}")
        if text is None:
            listed = ", ".join(there)
            raise InputError(f"{path}: no text column; name one with --text-column, of: {listed}")
        more: dict[str, str | None] = {}
        for kind, named in self.more:
            option, usual = MORE[kind]
            found = _first(named, usual, there)
            if found in there:
                more[kind] = found
            elif named is not None or lang is not None or kind != "score":
                listed = ", ".join(there)
                what = f"of the {kind}" if named is None else repr(named)
                raise InputError(f"{path}: no column {what} (see {option}); it has: {listed}")
        return Fields(text, lang, **more)

    def of_object(self, post: Mapping[str, Any]) -> Fields:
        """Return what a JSON post has; text None if it has none.

        Named fields may be nested, as in ``data.text``. Otherwise objects of Twitter's versions 1.1
        and 2 are read by their longest text, others by the usual names.
        """
        inner = post["data"] if isinstance(post.get("data"), dict) else post
        text = _longest_text(inner) if self.text is None else _field(post, self.text)
        lang = _usual(inner, LANG_COLUMNS) if self.lang is None else _field(post, self.lang)
        more = {
            kind: _plain(inner, MORE[kind][1]) if named is None else _field(post, named)
            for kind, named in self.more
        }
        return Fields(text, lang, **more)


def json_posts(value: Any) -> Iterator[Any]:
    """Yield the posts of one JSON value: a post, a list of them, or a page of Twitter's API."""
    if isinstance(value, list):
        for each in value:
            yield from json_posts(each)
    elif isinstance(value, dict) and isinstance(value.get("data"), list):
        yield from value["data"]
    elif not (isinstance(value, dict) and len(value) == 1 and _NOTICES & value.keys()):
        yield value


def _first(named: str | None, usual: Sequence[str], there: Sequence[str]) -> str | None:
    return named or next((name for name in usual if name in there), None)


def _field(post: Mapping[str, Any], name: str) -> Any:
    """Return a field by its name, or by the names on the way to it, joined by dots."""
    if name in post:
        return post[name]
    value: Any = post
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _longest_text(post: Mapping[str, Any]) -> Any:
    for name in ("extended_tweet.full_text", "note_tweet.text", "full_text"):
        text = _field(post, name)
        if isinstance(text, str):
            return text
    return _usual(post, TEXT_COLUMNS)


def _usual(post: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((post[name] for name in names if isinstance(post.get(name), str)), None)


def _plain(post: Mapping[str, Any], names: Sequence[str]) -> Any:
    found = (_field(post, name) for name in names)
    return next((value for value in found if isinstance(value, str | int | float)), None)
