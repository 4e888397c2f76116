"""Words as the original DeepMoji read them, in linear time, each with its place in the input.

Two readings: :func:`tokenize`, what a model is fed, and :func:`train_words`, the stricter one for
vocabularies and pretraining. Source: the original's tokenizer and word generator; parity is held
by the golden cases in ``tests/text``.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from deepmoji.text.emojis import EMOJI_CHARACTERS
from deepmoji.text.normalise import Spans, chunk_spans, chunks, normalise_chunk, normalise_spans

AT_TOKEN, URL_TOKEN, NUMBER_TOKEN = "CUSTOM_AT", "CUSTOM_URL", "CUSTOM_NUMBER"

# The original's pattern ignores case throughout, and Python then lets [a-z] match these as well;
# spelling them out lets the pattern itself be case-sensitive, which is faster.
_L = "a-zA-Zİıſ\u212a"
_WORD = f"[{_L}0-9_]"
_LINK = f"(?:[hH][tT][tT][pP][sSſ]?://|[wW][wW][wW]\\.)[!$-_{_L}]+"
_EMAIL_TAIL = f"@[{_L}0-9-]+\\.[{_L}0-9.-]+\\b"
_EMAIL = f"\\b[{_L}0-9_.+-]+{_EMAIL_TAIL}"
_EMOTICON_END = r"(?:[dD]+|[pP]+|[vV]+|[oO]+|\)+|\(+|3+|/+|\|+|\\+)"
_EMOTICON = (
    rf"-_-|[xX]_[xX]|\^_\^|[oO][._][oO]|\(:|\):|\);|\(;|(?:>:|[:=;])[-,^'\"]?{_EMOTICON_END}"
)
_TITLE = r"(?:[mM][rR][sSſ]?|[mM][sSſ]|[dD][rR]|[pP][rR][oO][fF])\."
_SYMBOLS = r"()<!?.,/'\"_=\\§|´ˇ°\[\]{}~$^&*;:%+€`>-"

_AFTER_EMAIL = "|".join(
    (
        f"[{_L}]+[-_][{_L}]+",
        f"#{_WORD}+",
        f"@{_WORD}+",
        "(?:<+/?3+)+",
        _EMOTICON,
        f"[{_L}]+'[{_L}]+",
        _TITLE,
        rf"\b(?<!\.)(?:[{_L}]\.){{2,}}",
        "[0-9]+",
        f"[{_L}]+",
        rf"([{_SYMBOLS}])\1*",
        f"#+(?=#{_WORD})|@+(?=@{_WORD})|#+|@+",
        r"\S",
    )
)
_PATTERN = re.compile(f"{_LINK}|{_AFTER_EMAIL}")
_PATTERN_WITH_EMAIL = re.compile(f"{_LINK}|{_EMAIL}|{_AFTER_EMAIL}")
_EMAIL_TAIL_PATTERN = re.compile(_EMAIL_TAIL)
_EMAIL_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-İıſ\u212a"

# Recognised inside a finished token, here with regard to case, as the original did.
_MENTION = re.compile("@[a-zA-Z0-9_]")
_URL = re.compile("(?:https?://|www\\.)[!$-_a-z]")
_THREE = re.compile(r"(.)\1{2,}")


class Token(NamedTuple):
    """A word and the characters of the untouched input that it stands for."""

    word: str
    start: int
    end: int


def tokenize(text: str) -> list[str]:
    """Return the original's words for any string.

    >>> tokenize("I LOVE it!!!! @bob http://t.co/x 42 don't 😂")
    ['i', 'love', 'it', '!!', 'CUSTOM_AT', 'CUSTOM_URL', 'CUSTOM_NUMBER', "don't", '😂']
    """
    words: list[str] = []
    for chunk in chunks(text):
        words += _READ[chunk]
    return words


def train_words(text: str) -> list[str]:
    """Return the words for vocabularies and pretraining; none if one of them is foreign.

    Emojis are taken out of words that are not ASCII. If a character outside ASCII is then left
    anywhere, the whole text is refused, as the original does.

    >>> train_words("so funny😂"), train_words("muy cómico")
    (['so', 'funny'], [])
    """
    words: list[str] = []
    for chunk in chunks(text):
        read = _READ_STRICT[chunk]
        if read is None:
            return []
        words += read
    return words


def tokenize_spans(text: str) -> list[Token]:
    """Return the words of :func:`tokenize`, each with its character span in ``text``.

    >>> tokenize_spans("Soooo good…")
    [Token(word='soo', start=0, end=5), Token(word='good', start=6, end=10), \
Token(word='..', start=10, end=11)]
    """
    tokens: list[Token] = []
    for chunk, spans in chunk_spans(text):
        normalised, places = normalise_spans(chunk, spans)
        for start, end in _split(normalised):
            word = _finish(normalised[start:end])
            tokens.append(Token(word, places[start][0], places[end - 1][1]))
    return tokens


def _split(chunk: str) -> Spans:
    """Cut a normalised chunk into tokens, as (start, end) pairs."""
    spans: Spans = []
    position = 0
    for name_start, at in _emails(chunk):
        while position < at:
            pattern = _PATTERN if position < name_start else _PATTERN_WITH_EMAIL
            match = pattern.match(chunk, position)
            if match:
                spans.append(match.span())
            position = match.end() if match else position + 1
    spans.extend(match.span() for match in _PATTERN.finditer(chunk, position))
    return spans


def _emails(chunk: str) -> Iterator[tuple[int, int]]:
    """Yield where the name of an e-mail address may start, and where its @ is.

    Trying the e-mail pattern only there keeps the time linear: elsewhere it would read the rest
    of a long word again from each of its letters.
    """
    if "@" not in chunk:
        return
    previous = 0
    for tail in _EMAIL_TAIL_PATTERN.finditer(chunk):
        before = chunk[previous : tail.start()]
        name = len(before) - len(before.rstrip(_EMAIL_NAME))
        if name:
            yield tail.start() - name, tail.start()
        previous = tail.start()


def _finish(token: str) -> str:
    """Shorten repeats, then replace numbers, mentions and links by their special tokens."""
    if len(token) > 2 and token.isascii():
        token = shorten(token)
    if token.isdecimal():
        return NUMBER_TOKEN
    if "@" in token and _MENTION.search(token):
        return AT_TOKEN
    return URL_TOKEN if _URL.search(token) else token


def shorten(word: str) -> str:
    """Shorten runs of three or more of one character to two, as the original does.

    The original replaces each run's text wherever it occurs in the word, in order, so a short run
    also eats into longer ones of its character: ``aaabaaaaa`` becomes ``aabaaaa``.
    """
    runs = [match.group() for match in _THREE.finditer(word)]
    if len(runs) < 2:
        return word.replace(runs[0], runs[0][:2]) if runs else word
    lengths = {run: len(run) for run in runs}
    still_long: dict[str, set[str]] = {}
    for run in lengths:
        still_long.setdefault(run[0], set()).add(run)
    for step in runs:
        for run in tuple(still_long[step[0]]):
            if lengths[run] >= len(step):
                lengths[run] = lengths[run] // len(step) * 2 + lengths[run] % len(step)
            if lengths[run] < 3:
                still_long[step[0]].discard(run)
    return _THREE.sub(lambda match: match[1] * lengths[match[0]], word)


_Result = TypeVar("_Result")


class _Memory(dict[str, _Result]):
    """Results by chunk, made when first asked for; posts repeat their words endlessly."""

    _LIMIT, _LONGEST = 1 << 17, 40

    def __init__(self, read: Callable[[str], _Result]) -> None:
        self._read = read

    def __missing__(self, chunk: str) -> _Result:
        result = self._read(chunk)
        if len(chunk) <= self._LONGEST:
            if len(self) >= self._LIMIT:
                self.clear()
            self[chunk] = result
        return result


def _read(chunk: str) -> tuple[str, ...]:
    normalised = normalise_chunk(chunk)
    return tuple(_finish(normalised[start:end]) for start, end in _split(normalised))


def _read_strict(chunk: str) -> tuple[str, ...] | None:
    if chunk.isascii():
        return _read(chunk)
    kept = "".join(c for c in normalise_chunk(chunk) if c not in EMOJI_CHARACTERS)
    return _read(kept) if kept.isascii() else None


_READ = _Memory(_read)
_READ_STRICT = _Memory(_read_strict)
