"""The original's reading of a string, up to the pattern that cuts it into tokens.

Everything works on *chunks*: the pieces between white space. No token of the original crosses
white space and none of its rules looks further than a neighbouring character, so chunks can be
read one by one, remembered, and kept short enough for linear time.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby

from text_unidecode import unidecode  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType] - untyped

from deepmoji.text.emojis import DROP_VARIATION_SELECTORS, VARIATION_SELECTORS

BREAK_TOKEN = "CUSTOM_BREAK"  # noqa: S105 - a word, not a secret
# A line break as such, or spelt out after one or two backslashes, or as HTML.
_BREAK = re.compile(r"\\{1,2}[nr]|[\n\r]|<br>")
_HAS_SELECTOR = re.compile(f"[{VARIATION_SELECTORS}]")

# Python 2 lower-cased character by character; only these two do something else today:
# İ would become two characters, and Σ would look at its neighbours.
_SIMPLE_LOWER = {0x130: "i", 0x3A3: "σ"}

Spans = list[tuple[int, int]]

_REACH = 16  # no character that composes looks further back than this
_LONG = 256  # chunks beyond this take the slower way that is linear in their length
_PUNCTUATION = frozenset("!\"#$'()+,-.:;<=>?@`~")


class _Transliteration(dict[int, str]):
    """``str.translate`` table: characters that transliterate to punctuation alone become it."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        ascii_form = str(unidecode(character)).lower()
        result = ascii_form if ascii_form and set(ascii_form) <= _PUNCTUATION else character
        self[code] = result
        return result


_TO_PUNCTUATION = _Transliteration()


def lower(text: str) -> str:
    """Lower-case character by character, so that the length never changes."""
    return text.translate(_SIMPLE_LOWER).lower() if "İ" in text or "Σ" in text else text.lower()


def normalise_chunk(chunk: str) -> str:
    """Convert a lower-cased chunk: NFKC, then punctuation to ASCII; ASCII stays as it is.

    The result may hold white space, which NFKC gives for a few characters.

    >>> normalise_chunk("what…")
    'what...'
    """
    if chunk.isascii():
        return chunk
    return _nfkc(chunk).translate(_TO_PUNCTUATION)


def chunks(text: str) -> list[str]:
    r"""Cut a string into lower-cased chunks; a line break becomes the chunk ``CUSTOM_BREAK``.

    >>> chunks("So TIRED\nof this")
    ['so', 'tired', 'CUSTOM_BREAK', 'of', 'this']
    """
    text = lower(text.strip())
    if "\n" in text or "\r" in text or "\\" in text or "<br>" in text:
        text = _BREAK.sub(f" {BREAK_TOKEN} ", text)
    if not text.isascii() and _HAS_SELECTOR.search(text):
        text = text.translate(DROP_VARIATION_SELECTORS)
    return text.split()


def chunk_spans(text: str) -> Iterator[tuple[str, Spans]]:
    """Yield the chunks of :func:`chunks`, each with where its characters stand in ``text``.

    Yields:
        (chunk, spans): ``spans[i]`` is the (start, end) in ``text`` that ``chunk[i]`` came from;
        for a line break, every character carries the whole break.
    """
    lowered = lower(text)
    position, end = len(text) - len(text.lstrip()), len(text.rstrip())
    for match in _BREAK.finditer(lowered, position, end):
        yield from _plain_chunks(lowered, position, match.start())
        yield BREAK_TOKEN, [match.span()] * len(BREAK_TOKEN)
        position = match.end()
    yield from _plain_chunks(lowered, position, end)


def _plain_chunks(text: str, start: int, end: int) -> Iterator[tuple[str, Spans]]:
    characters: list[str] = []
    spans: Spans = []
    for position in range(start, end):
        character = text[position]
        if character in VARIATION_SELECTORS:
            if spans:  # shown as part of the character before it
                spans[-1] = (spans[-1][0], position + 1)
        elif character.isspace():
            if characters:
                yield "".join(characters), spans
            characters, spans = [], []
        else:
            characters.append(character)
            spans.append((position, position + 1))
    if characters:
        yield "".join(characters), spans


def normalise_spans(chunk: str, spans: Spans) -> tuple[str, Spans]:
    """:func:`normalise_chunk` with a span for each character of the result."""
    if chunk.isascii():
        return chunk, spans
    pieces: list[str] = []
    result: Spans = []
    for start, end in _independent(chunk):
        piece = normalise_chunk(chunk[start:end])
        pieces.append(piece)
        result.extend([(spans[start][0], spans[end - 1][1])] * len(piece))
    whole = normalise_chunk(chunk)
    if "".join(pieces) != whole:  # marks that act over a distance: point at the chunk as a whole
        return whole, [(spans[0][0], spans[-1][1])] * len(whole)
    return whole, result


def _independent(chunk: str) -> Iterator[tuple[int, int]]:
    """Cut a chunk where NFKC of both sides together is NFKC of each side alone."""
    start = 0
    for position in range(1, len(chunk)):
        before, after = chunk[max(start, position - _REACH) : position], chunk[position]
        if (before.isascii() and after.isascii()) or (
            not unicodedata.combining(after)
            and _nfkc(before + after) == _nfkc(before) + _nfkc(after)
        ):
            yield start, position
            start = position
    yield start, len(chunk)


def _nfkc(chunk: str) -> str:
    if len(chunk) > _LONG:
        # CPython sorts a run of combining marks by exchanging neighbours, in quadratic time.
        decomposed = "".join(unicodedata.normalize("NFKD", character) for character in chunk)
        runs = (list(run) for _, run in groupby(decomposed, key=_is_mark))
        chunk = "".join("".join(sorted(run, key=unicodedata.combining)) for run in runs)
    return unicodedata.normalize("NFKC", chunk)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) != 0
