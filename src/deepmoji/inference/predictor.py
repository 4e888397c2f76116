"""Texts in, probabilities, encodings and predictions out."""

import os
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import get_args, overload

import numpy as np

from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.errors import BundleError, InputError
from deepmoji.inference.emotions import EmotionScores, EmotionTable, emotions_of
from deepmoji.inference.engine import WINDOW, Array
from deepmoji.inference.occlusion import occlusions
from deepmoji.inference.prediction import Explain, Prediction, Word
from deepmoji.inference.projection import Projection
from deepmoji.inference.reading import LongTexts, Reader, Reading
from deepmoji.inference.texts import checked, in_words
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN


def load(
    source: str | os.PathLike[str] | None = None,
    *,
    threads: int | None = None,
    max_tokens: int | None = None,
    long_texts: LongTexts = "cut",
    stride: int | None = None,
) -> "Predictor":
    """Load a model bundle; ``interop.loading.load``, the public one, takes other files too.

    Args:
        source: a bundle folder, or the name of a model that ships with the package; ``default``
            by default.
        threads: how many threads score many texts; all cores by default.
        max_tokens: words that are read at a time, instead of as many as the bundle says.
        long_texts: what becomes of texts with more words, see
            :class:`~deepmoji.inference.reading.Reading`; they are cut by default.
        stride: of windows, half of ``max_tokens`` by default.

    Raises:
        BundleError: if the bundle has a part missing, is damaged or of a newer version.
        InputError: if one of the numbers or ``long_texts`` cannot be used.
    """
    if source is None and not SHIPPED.is_dir():
        raise BundleError("this installation ships no model; give the folder of a model bundle")
    bundle = Bundle.open(SHIPPED if source is None else source)
    return Predictor(
        bundle, threads=threads, max_tokens=max_tokens, long_texts=long_texts, stride=stride
    )


class Predictor:
    """A model that reads texts.

    Every method takes any strings, also empty ones and ones that no encoding allows, and gives one
    row for each, in order. A row depends on its own text alone. A text without a word is read as
    one unknown word.

    Args:
        bundle: the opened model folder.
        threads: how many threads score many texts; all cores by default.
        max_tokens: words that are read at a time, instead of as many as the bundle says.
        long_texts: of texts with more words ``cut`` reads the first alone; ``attention`` and
            ``mean`` read windows of ``max_tokens`` words, and weigh what the model says of each by
            the attention that it draws, or all alike
            (:class:`~deepmoji.inference.reading.Reader`).
        stride: the most words from the start of a window to that of the next one; half of
            ``max_tokens`` by default.

    Raises:
        BundleError: if the bundle's graph cannot be used.
        InputError: if one of the numbers or ``long_texts`` cannot be used.
    """

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        max_tokens: int | None = None,
        long_texts: LongTexts = "cut",
        stride: int | None = None,
    ) -> None:
        most = bundle.max_tokens if max_tokens is None else max_tokens
        self.reading = Reading(max_tokens=most, long_texts=long_texts, stride=stride)
        self.bundle = bundle
        self._threads = threads
        self._reader = Reader(bundle, self.reading, threads=threads)

    def __reduce__(self) -> tuple[object, ...]:
        # A session cannot be pickled, but another process can open the same folder.
        return _reopen, (self.bundle.folder, self._threads, self.reading)

    @property
    def max_tokens(self) -> int:
        """The words that are read at a time."""
        return self.reading.max_tokens

    @property
    def labels(self) -> tuple[str, ...]:
        """The class names in order; for emoji models the emojis themselves."""
        return self.bundle.labels

    @property
    def threads(self) -> int:
        """How many threads score many texts."""
        return self._reader.threads

    def scores(self, texts: Iterable[str]) -> Array:
        """Return the probabilities of the labels.

        >>> load().scores(["so tired", ""]).shape  # doctest: +SKIP
        (2, 64)

        Args:
            texts: any number of strings, also from a generator.

        Returns:
            float32 [n, classes], rows in the order given, each summing to 1 unless the model was
            tuned to labels that do not exclude each other.

        Raises:
            InputError: if a text is not a ``str``, or all of ``texts`` is a single one.
        """
        return self._matrix(texts, "probabilities", self.bundle.config.classes)

    def encode(self, texts: Iterable[str], *, reduce: int | None = None) -> Array:
        """Return the attention-weighted encodings of texts (paper, section 3.2).

        >>> load().encode(["so tired", "so proud of you"]).shape  # doctest: +SKIP
        (2, 2304)

        Args:
            texts: any number of strings, also from a generator.
            reduce: how many numbers of each text to keep, by the bundle's fitted projection.

        Returns:
            float32 [n, features], rows in the order given: the second layer, the first layer and
            the embedding, each averaged over the words by attention; or float32 [n, reduce].

        Raises:
            BundleError: if it is to be reduced and the bundle has no projection.
            InputError: if a text is not a ``str``, all of ``texts`` is a single one, or the
                projection has fewer numbers.
        """
        if reduce is None:
            return self._matrix(texts, "features", self.bundle.config.features)
        blocks = self.iter_encodings(texts, reduce=reduce)
        return np.concatenate([np.empty((0, reduce), np.float32), *blocks])

    def iter_scores(self, texts: Iterable[str], *, batch: int = WINDOW) -> Iterator[Array]:
        """Yield :meth:`scores` of ``batch`` texts at a time, in memory that does not grow.

        Args:
            texts: any iterable, also an endless one; at most two batches are read ahead.
            batch: texts in each array; more leave less padding between short and long texts.
        """
        return self._blocks(texts, "probabilities", batch)

    def iter_encodings(
        self, texts: Iterable[str], *, batch: int = WINDOW, reduce: int | None = None
    ) -> Iterator[Array]:
        """Yield :meth:`encode` of ``batch`` texts at a time, in memory that does not grow."""
        if reduce is None:
            return self._blocks(texts, "features", batch)
        projection = Projection.of(self.bundle, reduce)
        blocks = self._blocks(texts, "features", batch)
        return (projection.reduce(block, reduce) for block in blocks)

    def emotions(
        self, texts: Iterable[str], table: EmotionTable | str | os.PathLike[str] | None = None
    ) -> EmotionScores:
        """Return the emotions and the valence of texts, by a table from emojis to emotions.

        >>> load().emotions(["so tired"]).valence.shape  # doctest: +SKIP
        (1,)

        Args:
            texts: any number of strings, also from a generator.
            table: or its TOML file; the package's own by default.

        Returns:
            a row for each text, in the order given.

        Raises:
            InputError: if the table cannot be used or lacks one of the labels, or a text is not a
                ``str``.
        """
        read = table if isinstance(table, EmotionTable) else EmotionTable.read(table)
        read.weights_of(self.labels)  # what is wrong is told before anything is computed
        return emotions_of(self.scores(texts), self.labels, read)

    @overload
    def predict(self, texts: str, top: int = 5, explain: Explain = "attention") -> Prediction: ...  # pyright: ignore[reportOverlappingOverload] - a str is also an iterable of str
    @overload
    def predict(
        self, texts: Iterable[str], top: int = 5, explain: Explain = "attention"
    ) -> list[Prediction]: ...
    def predict(
        self, texts: str | Iterable[str], top: int = 5, explain: Explain = "attention"
    ) -> Prediction | list[Prediction]:
        """Return the most probable labels of texts, and which words mattered.

        Args:
            texts: one text, or several.
            top: how many labels, the most probable first.
            explain: ``attention``, which comes with the answer, or also ``occlusion``: what each
                word does to it, at the price of reading the text once more for each of its words.

        Returns:
            a :class:`Prediction` for one text, a list of them for several.

        Raises:
            InputError: if a text is not a ``str``, ``top`` is less than 1, or ``explain`` is
                neither of these.
        """
        if top < 1:
            raise InputError(f"top has to be 1 or more, not {top}")
        if explain not in get_args(Explain):
            raise InputError(f"explain has to be attention or occlusion, not {explain!r}")
        if isinstance(texts, str):
            return next(self._predictions([texts], top, explain))
        return list(self._predictions(texts, top, explain))

    def _predictions(
        self, texts: Iterable[str], top: int, explain: Explain
    ) -> Iterator[Prediction]:
        for group in in_words(texts):
            ids = [self._ids([token.word for token in tokens]) for _, tokens in group]
            rows = list(self._reader.rows(ids, ("probabilities",)))
            occluded: Sequence[Iterable[float | None]] = [repeat(None)] * len(group)
            if explain == "occlusion":
                each = occlusions(self._reader, ids, np.stack([row.values[0] for row in rows]))
                occluded = [values.tolist() for values in each]
            for (text, tokens), known, row, changes in zip(group, ids, rows, occluded, strict=True):
                probabilities = row.values[0]
                # Of a text without words there is one weight, but no word that it belongs to.
                kept = zip(tokens, row.attention.tolist(), changes, strict=False)
                best = np.argsort(-probabilities, kind="stable")[:top]
                yield Prediction(
                    text=text,
                    top=tuple((self.labels[k], float(probabilities[k])) for k in best),
                    labels=self._decide(probabilities),
                    words=tuple(
                        Word(text=text[start:end], start=start, end=end, weight=w, occlusion=o)
                        for (_, start, end), w, o in kept
                    ),
                    unknown_share=known.count(UNKNOWN) / len(known),
                    truncated=self.reading.is_truncated(len(tokens)),
                    windows=row.windows,
                )

    def _decide(self, probabilities: Array) -> tuple[str, ...]:
        """Return the labels that hold: where labels do not exclude each other, any number."""
        thresholds = self.bundle.thresholds
        if thresholds is None and self.bundle.config.outputs == "softmax":
            return (self.labels[int(probabilities.argmax())],)
        limits = np.asarray(thresholds or 0.5, np.float32)
        return tuple(self.labels[k] for k in np.flatnonzero(probabilities >= limits))

    def _matrix(self, texts: Iterable[str], output: str, columns: int) -> Array:
        blocks = self._blocks(texts, output, WINDOW)
        if not isinstance(texts, Sized):
            return np.concatenate([np.empty((0, columns), np.float32), *blocks])
        matrix = np.empty((len(texts), columns), np.float32)
        filled = 0
        for block in blocks:
            matrix[filled : filled + len(block)] = block
            filled += len(block)
        return matrix

    def _blocks(self, texts: Iterable[str], output: str, batch: int) -> Iterator[Array]:
        if batch < 1:
            raise InputError(f"batch has to be 1 or more, not {batch}")
        ids = (self._ids(tokenize(text)) for text in checked(texts))
        return (arrays[0] for arrays in self._reader.blocks(ids, (output,), batch))

    def _ids(self, words: list[str]) -> list[int]:
        return self.bundle.vocabulary.ids(words[: self.reading.limit]) or [UNKNOWN]


def _reopen(folder: Path, threads: int | None, reading: Reading) -> Predictor:
    return Predictor(Bundle.open(folder), threads=threads, **asdict(reading))
