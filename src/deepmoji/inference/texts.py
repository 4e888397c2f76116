"""What callers give as texts: checked, and taken apart into words a bounded number at a time."""

from collections.abc import Iterable, Iterator

from deepmoji.errors import InputError
from deepmoji.inference.engine import WINDOW
from deepmoji.text.tokenizer import Token, tokenize_spans

_WORDS = 1 << 18  # that are held at a time, or those of one text if it has more


def checked(texts: Iterable[str]) -> Iterator[str]:
    """Check that ``texts`` are several texts, and each of them as it comes.

    Letters and bytes would pass for texts, or fail far from their cause.

    Raises:
        InputError: if they are not, later if one of them is not a ``str``.
    """
    given: object = texts
    if isinstance(given, str):
        raise InputError("expected several texts, got a single str; for one text, give [text]")
    # An array without dimensions has the method, and cannot.
    if isinstance(given, bytes) or not hasattr(given, "__iter__") or _shape(given) == ():
        raise InputError(f"expected several texts, got {type(given).__name__}; give a list of str")
    return _each_checked(texts)


def _shape(given: object) -> object:
    return getattr(given, "shape", None)


def in_words(texts: Iterable[str]) -> Iterator[list[tuple[str, list[Token]]]]:
    """Yield texts, each with all of its words, as many as may be held at a time.

    Raises:
        InputError: as :func:`checked`.
    """
    group: list[tuple[str, list[Token]]] = []
    words = 0
    for text in checked(texts):
        tokens = tokenize_spans(text)
        group.append((text, tokens))
        words += len(tokens)
        if len(group) == WINDOW or words >= _WORDS:
            yield group
            group, words = [], 0
    if group:
        yield group


def _each_checked(texts: Iterable[str]) -> Iterator[str]:
    for index, text in enumerate(texts):
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may not check types
            raise InputError(
                f"text {index} is a {type(text).__name__}, {str(text)[:40]!r}; every text has to "
                "be a str: convert or leave out missing values first"
            )
        yield text
