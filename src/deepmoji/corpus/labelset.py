"""Which emojis label a corpus: the paper's, the most frequent ones, both, or a list."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from deepmoji.errors import InputError
from deepmoji.labels import EMOJIS
from deepmoji.text.emojis import DROP_VARIATION_SELECTORS, EMOJI_CHARACTERS

_TOP = re.compile(r"(?:top:|deepmoji\+)(\d+)")
_MOST = 65_536  # labels are stored as uint16


def top_count(labels: str) -> int | None:
    """Return K of ``top:K`` and ``deepmoji+K``, None for another choice.

    Raises:
        InputError: if K is no number, or makes less than 1 or more than 65,536 labels.
    """
    start = next((each for each in ("top:", "deepmoji+") if labels.startswith(each)), None)
    if start is None:
        return None
    match, most = _TOP.fullmatch(labels), _MOST - len(fixed_labels(labels))
    if match is None or not 1 <= int(match[1]) <= most:
        raise InputError(f"labels {labels!r}: after {start} comes a number from 1 to {most:,}")
    return int(match[1])


def most_frequent(
    counts: Mapping[str, int], count: int, first: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the labels in ``first``, then the ``count`` most frequent emojis besides them.

    Those of one frequency are in the order of their code points.

    Raises:
        InputError: if there are not that many different emojis.
    """
    others = counts.keys() - set(first)
    if len(others) < count:
        besides = f" besides the {len(first)}" if first else ""
        raise InputError(
            f"labels: {count} emojis are wanted{besides}; the posts that pass the other filters "
            f"hold only {len(others)} different ones"
        )
    return (*first, *sorted(others, key=lambda emoji: (-counts[emoji], emoji))[:count])


def fixed_labels(labels: str) -> tuple[str, ...]:
    """Return the labels that need no counting.

    They are the paper's emojis for ``deepmoji`` and ``deepmoji+K``, none for ``top:K``, otherwise
    those that a file lists, one emoji a line or as JSON. Variation selectors are dropped.

    Raises:
        InputError: if the file is missing or is no list of different emojis.
    """
    if labels == "deepmoji" or labels.startswith("deepmoji+"):
        return EMOJIS
    if labels.startswith("top:"):
        return ()
    path = Path(labels).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"labels {labels!r}: {error.strerror}; give deepmoji, deepmoji+K, top:K or the path of "
            "a list"
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
