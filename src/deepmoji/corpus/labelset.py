"""Which emojis a corpus is labelled with: the paper's, the most frequent ones, or a list."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS
from deepmoji.text.emojis import DROP_VARIATION_SELECTORS, EMOJI_CHARACTERS

_TOP = re.compile(r"top:(\d+)")
_MOST = 65_536  # labels are stored as uint16


def top_count(labels: str) -> int | None:
    """Return K of ``top:K``, None for another choice.

    Raises:
        InputError: if K is no number between 1 and 65,536.
    """
    if not labels.startswith("top:"):
        return None
    match = _TOP.fullmatch(labels)
    if match is None or not 1 <= int(match[1]) <= _MOST:
        raise InputError(f"labels {labels!r}: after top: comes a number from 1 to {_MOST:,}")
    return int(match[1])


def most_frequent(counts: Mapping[str, int], count: int) -> tuple[str, ...]:
    """Return the most frequent emojis, those of one frequency in the order of their code points.

    Raises:
        InputError: if there are not that many different emojis.
    """
    if len(counts) < count:
        raise InputError(
            f"labels top:{count}: the posts that pass the other filters hold only "
            f"{len(counts)} different emojis"
        )
    return tuple(sorted(counts, key=lambda emoji: (-counts[emoji], emoji))[:count])


def fixed_labels(labels: str) -> tuple[str, ...]:
    """Return the paper's emojis for ``deepmoji``, otherwise those that a file lists.

    The file has one emoji a line, or is a JSON list. Variation selectors are dropped.

    Raises:
        InputError: if the file is missing or is no list of different emojis.
    """
    if labels == "deepmoji":
        return EMOJIS
    path = Path(labels).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"labels {labels!r}: {error.strerror}; give deepmoji, top:K or the path of a list"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a list of emojis: {error}") from error
    found = tuple(emoji.translate(DROP_VARIATION_SELECTORS) for emoji in _listed(text, path))
    _check(found, path)
    return found


def _listed(text: str, path: Path) -> list[str]:
    if not text.lstrip().startswith("["):
        return text.split()
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: not a JSON list of emojis: {error}") from error
    if not all(isinstance(emoji, str) for emoji in listed):
        raise InputError(f"{path}: not a JSON list of emojis: it has other values")
    return [emoji.strip() for emoji in listed]


def _check(found: tuple[str, ...], path: Path) -> None:
    if not 1 <= len(found) <= _MOST:
        raise InputError(f"{path}: {len(found)} emojis; there can be 1 to {_MOST:,}")
    seen: set[str] = set()
    for number, emoji in enumerate(found, start=1):
        if emoji.isascii() or (emoji.isalpha() and emoji not in EMOJI_CHARACTERS):
            raise InputError(f"{path}: {emoji!r} (number {number}) is no emoji")
        if emoji in seen:
            raise InputError(f"{path}: {emoji!r} is listed twice")
        seen.add(emoji)
