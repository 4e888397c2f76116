"""Which column or field of a file holds the post, and which its language."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from deepmoji.errors import InputError

TEXT_COLUMNS = ("text", "full_text", "tweet", "post", "content", "body", "comment", "message")
LANG_COLUMNS = ("lang", "language")
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


class Columns(NamedTuple):
    """Names given with --text-column and --lang-column; None looks for the usual ones."""

    text: str | None
    lang: str | None

    def choose(self, there: Sequence[str], path: Path) -> tuple[str, str | None]:
        """Return the names of the text column and, if there is one, of the language column.

        Raises:
            InputError: if a named column does not exist, or no text column is found.
        """
        text, lang = _first(self.text, TEXT_COLUMNS, there), _first(self.lang, LANG_COLUMNS, there)
        for name, option in ((self.text, "--text-column"), (self.lang, "--lang-column")):
            if name is not None and name not in there:
                listed = ", ".join(there)
                raise InputError(f"{path}: no column {name!r} (see {option}); it has: {listed}")
        if text is None:
            listed = ", ".join(there)
            raise InputError(f"{path}: no text column; name one with --text-column, of: {listed}")
        return text, lang

    def of_object(self, post: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return text and language of a JSON post; text None if it has none.

        Named fields may be nested, as in ``data.text``. Otherwise objects of Twitter's versions 1.1
        and 2 are read by their longest text, others by the usual names.
        """
        inner = post["data"] if isinstance(post.get("data"), dict) else post
        text = _longest_text(inner) if self.text is None else _field(post, self.text)
        lang = _usual(inner, LANG_COLUMNS) if self.lang is None else _field(post, self.lang)
        return text, lang


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
