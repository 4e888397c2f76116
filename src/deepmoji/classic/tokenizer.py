"""``SentenceTokenizer``: texts to rows of ids, as DeepMoji and torchMoji give them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deepmoji.classic.renamed import check_count, refuse_gone, shown
from deepmoji.config import check_seed
from deepmoji.errors import InputError
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import MASK, SPECIAL_TOKENS, UNKNOWN, Vocabulary
from deepmoji.transfer.words import extended, read_words

Ids = NDArray[np.unsignedinteger[Any]]
Known = Vocabulary | Mapping[str, int] | str | os.PathLike[str]

_FILTERS = ("pretokenization_filtered", "unicode_filtered", "posttokenization_filtered")
_SHARES = (0.7, 0.1, 0.2)
_ROUNDING = 1e-6
_NARROW = 1 << 16  # ids that 16 bits hold
_LONGEST = 1_000_000  # words of a row: every row takes the room of so many


class SentenceTokenizer:
    """Turns texts into rows of ids of the same length.

    >>> st = SentenceTokenizer({}, 4)
    >>> st.tokenize_sentences(["@bob is 42"])[0]
    array([[2, 1, 4, 0]], dtype=uint16)

    Args:
        vocabulary: word → id as in the original's ``vocabulary.json``, the path of such a file, or
            a :class:`Vocabulary`. It is copied. An empty mapping is the ten special tokens.
        fixed_length: of the rows, 1 to 1,000,000: longer texts are cut at the right, shorter ones
            padded with 0.
        options: none; those of 2017 are refused with what to do instead.

    Attributes:
        words: the vocabulary, as it is after extensions.
        fixed_length: of the rows.

    Raises:
        InputError: if the vocabulary is none, or the length is out of range.
    """

    def __init__(self, vocabulary: Known, fixed_length: int, **options: object) -> None:
        refuse_gone("SentenceTokenizer", options, {})
        check_count("fixed_length", fixed_length, most=_LONGEST)
        self.words = as_vocabulary(vocabulary)
        self.fixed_length = fixed_length

    @property
    def vocabulary(self) -> dict[str, int]:
        """The words and their ids, a new dict."""
        return {word: index for index, word in enumerate(self.words.words)}

    def tokenize_sentences(
        self, sentences: Sequence[str], **options: object
    ) -> tuple[Ids, list[dict[str, Any]], dict[str, int]]:
        """Return the ids of texts, one row for each, whatever the text.

        A text without a word is a row of padding (the original tripped an assertion).

        Args:
            sentences: n texts.
            options: none, see the class.

        Returns:
            ids uint16 [n, fixed_length] (uint32 if the vocabulary has more than 65,536 words); n
            empty dicts; and how many texts there are and how many have a word.

        Raises:
            InputError: if something else than texts is given.
        """
        refuse_gone("tokenize_sentences", options, {})
        texts = _checked(sentences)
        tokens = np.full((len(texts), self.fixed_length), MASK, self._type())
        with_words = 0
        for row, text in enumerate(texts):
            ids = self.words.ids(tokenize(text)[: self.fixed_length])
            tokens[row, : len(ids)] = ids
            with_words += bool(ids)
        stats = dict.fromkeys(_FILTERS, 0) | {"total": len(texts), "valid": with_words}
        return tokens, [{} for _ in texts], stats

    def split_train_val_test(
        self,
        sentences: Sequence[str],
        info_dicts: Sequence[Any],
        split_parameter: Sequence[float] | Sequence[Sequence[int]] = _SHARES,
        extend_with: int = 0,
        *,
        seed: int = 0,
    ) -> tuple[list[Ids], list[NDArray[Any]], int]:
        """Split texts for training, validation and test, and return the ids of each part.

        Args:
            sentences: n texts.
            info_dicts: n dicts or labels, which are split alike.
            split_parameter: the three shares of all texts, or three lists of row numbers. (The
                original took the second share of what the third had left.)
            extend_with: how many words are added to the vocabulary at the most: the most frequent
                ones of the training part that it lacks.
            seed: of the random split. (The original's had none: each call split otherwise.)

        Returns:
            ids of the three parts, their infos as arrays, and how many words were added.

        Raises:
            InputError: if the arguments do not fit each other, or a row number is none or stands
                twice. (The original dropped what was out of range.)
        """
        texts = _checked(sentences)
        if not hasattr(info_dicts, "__len__"):
            raise InputError(
                f"info_dicts have to be a list, one for each text, not {shown(info_dicts)}"
            )
        if len(info_dicts) != len(texts):
            raise InputError(f"{len(texts)} sentences, but {len(info_dicts)} info_dicts")
        check_count("extend_with", extend_with, least=0)
        check_seed(seed)
        rows = _rows(split_parameter, len(texts), seed)
        parts = [[texts[row] for row in part] for part in rows]
        longer = extended(self.words, read_words(parts[0]), extend_with)
        added = len(longer) - len(self.words)
        self.words = longer
        infos = [_as_array([info_dicts[row] for row in part]) for part in rows]
        return [self.tokenize_sentences(part)[0] for part in parts], infos, added

    def to_sentence(self, sentence_idx: Iterable[int]) -> str:
        """Return the words of a row of ids, joined by spaces, without padding.

        Raises:
            InputError: if it is no row of ids, or the vocabulary has no such id.
        """
        return " ".join(words_of(sentence_idx, self.words))

    def _type(self) -> type[np.uint16] | type[np.uint32]:
        return np.uint16 if len(self.words) <= _NARROW else np.uint32


def coverage(dataset: NDArray[Any]) -> float:
    """Return the share of words that the vocabulary knows, padding not counted.

    Args:
        dataset: ids [n, length] of :class:`SentenceTokenizer`.

    Raises:
        InputError: if there is no word.
    """
    words = int(np.count_nonzero(dataset))
    if not words:
        raise InputError("there is no word to be covered")
    return 1 - int(np.count_nonzero(dataset == UNKNOWN)) / words


def as_vocabulary(given: Known) -> Vocabulary:
    """Return a vocabulary from whatever holds one, see :class:`SentenceTokenizer`.

    Raises:
        InputError: if it is none.
    """
    if isinstance(given, Vocabulary):
        return given
    if isinstance(given, Mapping):
        return Vocabulary.from_ids(given, name="the vocabulary") if given else _SPECIAL
    # Users may not check types.
    if not isinstance(given, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InputError(
            "the vocabulary has to be a dict of words and ids, a Vocabulary or the path of a "
            f"vocabulary.json, not {shown(given)}"
        )
    return Vocabulary.load(os.fspath(given))


def words_of(ids: Iterable[int], vocabulary: Vocabulary) -> list[str]:
    """Return the words of a row of ids, without padding.

    Raises:
        InputError: if it is no row of ids, or the vocabulary has no such id.
    """
    row = _row(ids)
    if any(index < 0 or index >= len(vocabulary) for index in row):
        raise InputError(
            f"ids from {min(row)} to {max(row)}, but the vocabulary has {len(vocabulary)} words; "
            "if it was extended, give the SentenceTokenizer that did: "
            "define_deepmoji(…, vocabulary=tokenizer)"
        )
    return [vocabulary.words[index] for index in row if index != MASK]


_SPECIAL = Vocabulary(SPECIAL_TOKENS)


def _row(ids: object) -> list[int]:
    """Return ids as a list: of a list, an array or whatever else gives one after the other."""
    whole = isinstance(ids, str | bytes) or hasattr(ids, "__array__")
    try:
        row = np.asarray(ids if whole else list(cast("Iterable[Any]", ids)))
    except (TypeError, ValueError):  # none, of different lengths, or on another device
        row = np.empty((), object)
    if row.ndim != 1 or (row.size and row.dtype.kind not in "iu"):
        raise InputError(
            f"expected one row of ids, a list of int or an array [length], got {shown(ids)}; "
            "of several rows give one after the other"
        )
    return row.tolist() if row.size else []


def _checked(sentences: object) -> list[str]:
    if isinstance(sentences, str | bytes) or not hasattr(sentences, "__iter__"):
        raise InputError(f"expected several texts, got a {type(sentences).__name__}; give a list")
    texts = list(cast("Iterable[Any]", sentences))
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"text {row} is a {type(text).__name__}; every text has to be a str")
    return [str.__str__(text) for text in texts]  # numpy's become plain ones


def _rows(split: object, count: int, seed: int) -> list[list[int]]:
    """Return the numbers of the rows of the three parts."""
    try:
        given = list(cast("Iterable[Any]", split))
        parts = [np.asarray(part) for part in given]
    except (TypeError, ValueError):  # no list, or rows of different lengths
        given, parts = [], []
    if len(given) == 3 and all(isinstance(part, int | float) for part in given):
        return _drawn(given, count, seed)
    if len(given) != 3 or not all(
        part.ndim == 1 and (not part.size or part.dtype.kind in "iu") for part in parts
    ):
        raise InputError(
            f"split_parameter has to be three shares, or three lists of rows, not {shown(split)}"
        )
    for part in parts:
        if part.size and (part.min() < 0 or part.max() >= count):
            raise InputError(
                f"rows go from 0 to {count - 1}; asked for {part.min()} to {part.max()}"
            )
    rows: list[list[int]] = [part.astype(int).tolist() for part in parts]
    together = [row for part in rows for row in part]
    if len(set(together)) < len(together):
        raise InputError("a row stands twice in split_parameter: the parts would share texts")
    return rows


def _drawn(shares: Sequence[float], count: int, seed: int) -> list[list[int]]:
    # Asked for what has to hold: of a nan nothing does.
    if not (all(share >= 0 for share in shares) and abs(sum(shares) - 1) <= _ROUNDING):
        raise InputError(
            f"the three shares have to be 0 or more and add up to 1, not {shown(shares)}"
        )
    order: list[int] = np.random.default_rng(seed).permutation(count).tolist()
    train = round(shares[0] * count)
    end = train + round(shares[1] * count)
    return [order[:train], order[train:end], order[end:]]


def _as_array(infos: list[Any]) -> NDArray[Any]:
    """Return labels as numbers or names, [n] or [n, C]; dicts and the like as objects [n]."""
    try:
        return np.array(infos)
    except ValueError:  # of different lengths
        array = np.empty(len(infos), object)
        array[:] = infos
        return array
