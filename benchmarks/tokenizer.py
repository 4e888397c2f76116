"""Texts tokenised a second on one core, beside a straightforward implementation in the same run.

The straightforward one does what the rules say, step by step: one pattern that ignores case, run
over whole texts, and one pass for each rule over each word. Its tokens are checked to be the same.
"""

import re
import statistics
import time
import unicodedata
from collections.abc import Callable, Sequence
from itertools import groupby

from text_unidecode import unidecode

from benchmarks.record import tweets, write
from deepmoji.text import tokenizer
from deepmoji.text.tokenizer import tokenize, tokenize_spans, train_words

ROUNDS = 5
PUNCTUATION = "!\"#$'()+,-.:;<=>?@`~"
SYMBOLS = "()<!?.,/'\"-_=\\§|´ˇ°[]{}~$^&*;:%+€`>"
STARTS, MIDDLES, ENDS = (">:", ":", "=", ";"), "-,^'\"", "DdpPv)oO(3/|\\"
EXTRA = ("-_-", "x_x", "^_^", "o.o", "o_o", "(:", "):", ");", "(;")
EMOTICONS = [re.escape(each) for each in EXTRA] + [
    f"{re.escape(start)}{re.escape(middle)}?{re.escape(end)}+"
    for start in STARTS
    for middle in MIDDLES
    for end in ENDS
]
PATTERN = re.compile(
    "|".join(
        (
            r"(?:https?://|www\.)(?:[a-z]|[0-9]|[$-_@.&+]|[!*(),]|%[0-9a-f][0-9a-f])+",
            r"\b[a-z0-9_.+-]+@[a-z0-9-]+\.[a-z0-9-.]+\b",
            r"[a-z]+[-_][a-z]+",
            r"#[a-z0-9_]+",
            r"@[a-z0-9_]+",
            r"(?:<+/?3+)+",
            *EMOTICONS,
            r"[a-z]+'[a-z]+",
            r"mr\.|ms\.|mrs\.|dr\.|prof\.",
            r"\b(?<!\.)(?:[a-z]\.){2,}",
            r"[0-9]+",
            r"[a-z]+",
            *(f"{re.escape(symbol)}+" for symbol in SYMBOLS),
            r"#+(?=#[a-z0-9_]+)|@+(?=@[a-z0-9_]+)|#+|@+",
            r"\S",
        )
    ),
    re.IGNORECASE,
)


def straightforward(text: str) -> list[str]:
    """The rules one after another."""
    text = text.strip().replace("İ", "i").replace("Σ", "σ").lower()
    for spelling in ("\\\\n", "\\n", "\n", "\\\\r", "\\r", "\r", "<br>"):
        text = text.replace(spelling, " CUSTOM_BREAK ")
    for selector in range(0xFE00, 0xFE10):
        text = text.replace(chr(selector), "")
    words = [word if word.isascii() else _to_ascii(word) for word in text.split()]
    return [_special(_shorten(token)) for token in PATTERN.findall(" ".join(words))]


def _to_ascii(word: str) -> str:
    converted = []
    for character in unicodedata.normalize("NFKC", word):
        plain = unidecode(character).lower()
        punctuation = plain and all(each in PUNCTUATION for each in plain)
        converted.append(plain if punctuation else character)
    return "".join(converted)


def _shorten(word: str) -> str:
    if not word.isascii() or len(word) < 3:
        return word
    for run in ["".join(group) for _, group in groupby(word)]:
        if len(run) >= 3:
            word = word.replace(run, run[0] * 2)
    return word


def _special(word: str) -> str:
    if word.isdecimal():
        return "CUSTOM_NUMBER"
    if re.search("@[a-zA-Z0-9_]+", word):
        return "CUSTOM_AT"
    return "CUSTOM_URL" if re.search(r"(?:https?://|www\.)[!$-_a-z]+", word) else word


def rate(read: Callable[[str], object], texts: Sequence[str], *, fresh: bool = True) -> float:
    """Texts a second of processor time, the median of several rounds.

    Args:
        read: what is measured.
        texts: what it reads.
        fresh: whether it forgets, before each round, the words of the last one.
    """
    seconds: list[float] = []
    for _ in range(ROUNDS):
        if fresh:
            tokenizer._READ.clear()
            tokenizer._READ_STRICT.clear()
        begun = time.process_time()
        for text in texts:
            read(text)
        seconds.append(time.process_time() - begun)
    return len(texts) / statistics.median(seconds)


def main() -> None:
    texts = tweets(5_000)
    same = sum(tokenize(text) == straightforward(text) for text in texts)
    rates = {
        "tokenize": rate(tokenize, texts),
        "tokenize, words seen before": rate(tokenize, texts, fresh=False),
        "train_words": rate(train_words, texts),
        "tokenize_spans": rate(tokenize_spans, texts),
        "straightforward": rate(straightforward, texts),
    }
    write(
        "tokenizer",
        {
            "data": f"{len(texts)} validation texts of TweetEval emoji, one core",
            "texts_per_second": {name: round(value) for name, value in rates.items()},
            "ratio_to_straightforward": round(rates["tokenize"] / rates["straightforward"], 2),
            "same_tokens": same,
        },
    )


if __name__ == "__main__":
    main()
