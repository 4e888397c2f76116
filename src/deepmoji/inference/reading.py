"""Texts of any length through an engine: cut, or in windows whose answers are combined."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from numbers import Integral
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from deepmoji.bundle import Bundle
from deepmoji.errors import InputError
from deepmoji.inference.engine import MASS, WINDOW, Array, Engine, windows_of

LongTexts = Literal["cut", "attention", "mean"]

_Floats = npt.NDArray[np.float64]
_LEAST = float(np.finfo(np.float32).tiny)  # of a probability: nothing has no logarithm
_MOST = 1 - 2.0**-24  # the float32 before 1


def check_long_texts(long_texts: str, stride: int | None) -> None:
    """Refuse what no model could do.

    Raises:
        InputError: if ``long_texts`` is none of :data:`LongTexts`, or ``stride`` is not positive or
            given for texts that are cut.
    """
    known = get_args(LongTexts)
    if long_texts not in known:
        raise InputError(f"long_texts has to be one of {', '.join(known)}, not {long_texts!r}")
    if stride is not None and long_texts == "cut":
        raise InputError(
            "stride is for long texts that are read in windows: long_texts attention or mean"
        )
    if stride is not None and stride < 1:
        raise InputError(f"stride has to be 1 or more, not {stride}")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How much of a text is read, and how.

    Attributes:
        max_tokens: the words that the model reads at a time.
        long_texts: of a text with more words ``cut`` reads the first ``max_tokens`` alone. The
            others read all of it, in windows of ``max_tokens`` words that overlap, and combine what
            the model says of each: ``attention`` weighs them by the attention that they draw,
            ``mean`` all alike.
        stride: the most words from the start of a window to that of the next one; by default half
            of ``max_tokens``.

    Raises:
        InputError: if one of them cannot be used.
    """

    max_tokens: int
    long_texts: LongTexts = "cut"
    stride: int | None = None

    def __post_init__(self) -> None:
        # Users may not check types.
        if not isinstance(self.max_tokens, Integral) or self.max_tokens < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(
                f"max_tokens has to be a whole number of 1 or more, not {self.max_tokens!r}"
            )
        check_long_texts(self.long_texts, self.stride)
        if self.stride is not None and self.stride > self.max_tokens:
            raise InputError(
                f"stride has to be {self.max_tokens} (max_tokens) or less, not {self.stride}: "
                "words between two windows would not be read"
            )

    @property
    def limit(self) -> int | None:
        """How many words of a text are read; None: all."""
        return self.max_tokens if self.long_texts == "cut" else None

    def starts(self, words: int) -> list[int]:
        """Return where the windows of a text begin: the first at its start, the last at its end.

        They are spread evenly. Else the last one would be shorter than the others, or lie almost
        upon the one before, and the end of a text would count for too little or too much.

        >>> Reading(max_tokens=10, long_texts="mean").starts(22)
        [0, 4, 8, 12]
        """
        beyond = words - self.max_tokens
        if self.long_texts == "cut" or beyond <= 0:
            return [0]
        steps = -(-beyond // (self.stride or max(1, self.max_tokens // 2)))
        return [step * beyond // steps for step in range(steps + 1)]

    def is_truncated(self, words: int) -> bool:
        """Tell whether a text of so many words is cut."""
        return self.limit is not None and words > self.limit


class Row(NamedTuple):
    """What the model says of one text.

    Attributes:
        values: the wanted outputs, float32 [classes] or [features] each.
        attention: float32 [words that were read], sums to 1.
        windows: in how many windows it was read.
    """

    values: list[Array]
    attention: Array
    windows: int


class Reader:
    """A model that reads texts of any length.

    The windows of all texts go through the engine together, in batches of similar length.

    A window's encoding is the mean of its words' states h_t with the weights exp(s_t) / Z, where
    s_t is the attention's score of word t and Z the sum of the window's exp(s_t). With
    ``attention`` the encoding of a text is the mean of its windows' encodings with the weights Z:
    the same as one softmax over the states of all windows. With ``mean`` all have the same weight.
    The weight of a word is the sum over the windows that it is in, and the probabilities are what
    the final layer says of the combined encoding.

    Args:
        bundle: the opened model folder.
        reading: how much of a text is read.
        threads: chunks at a time; all cores this process may use by default.

    Raises:
        BundleError: if the bundle's graph cannot be used, or, for ``attention``, does not hold the
            scores of the attention.
        InputError: if ``threads`` is not positive.
    """

    def __init__(self, bundle: Bundle, reading: Reading, *, threads: int | None = None) -> None:
        self.reading = reading
        self._by_mass = reading.long_texts == "attention"
        self._engine = Engine(bundle, threads=threads, masses=self._by_mass)
        self._is_softmax = bundle.config.outputs == "softmax"

    @property
    def threads(self) -> int:
        """Chunks at a time."""
        return self._engine.threads

    def blocks(
        self, texts: Iterable[Sequence[int]], outputs: Sequence[str], batch: int
    ) -> Iterator[list[Array]]:
        """Yield outputs of ``batch`` texts at a time, in order; see :meth:`rows`.

        Yields:
            the wanted outputs: probabilities [n, classes], features [n, features].
        """
        if self.reading.long_texts == "cut":
            yield from self._engine.run(windows_of(texts, batch), outputs)
            return
        for rows in windows_of(self.rows(texts, outputs), batch):
            yield [np.stack(each) for each in zip(*(row.values for row in rows), strict=True)]

    def rows(self, texts: Iterable[Sequence[int]], outputs: Sequence[str]) -> Iterator[Row]:
        """Yield what the model says of each text, in order.

        Memory grows with the longest text's words alone: its windows are summed as they come.

        Args:
            texts: as ids, none of them empty, and none longer than ``reading.limit``; also an
                endless iterable.
            outputs: which of probabilities and features to compute.
        """
        begun: deque[tuple[int, list[int]]] = deque()  # texts whose windows are on their way

        def windows() -> Iterator[Sequence[int]]:
            for text in texts:
                starts = self.reading.starts(len(text))
                begun.append((len(text), starts))
                for start in starts:
                    yield text[start : start + self.reading.max_tokens]

        wanted = [*outputs, "attention", *([MASS] if self._by_mass else [])]
        runs = self._engine.run(windows_of(windows(), WINDOW), wanted)
        answers = (answer for arrays in runs for answer in zip(*arrays, strict=True))
        for first in answers:
            words, starts = begun.popleft()
            if len(starts) > 1:
                rest = islice(answers, len(starts) - 1)
                yield self._combine(chain([first], rest), outputs, words, starts)
            else:
                # Copied: a view of one row would keep the answers to all 2,048 texts in memory.
                values = [each.copy() for each in first[: len(outputs)]]
                yield Row(values, first[len(outputs)][:words].copy(), 1)

    def _combine(
        self,
        answers: Iterable[tuple[Array, ...]],
        outputs: Sequence[str],
        words: int,
        starts: Sequence[int],
    ) -> Row:
        """Return the weighted mean of windows, keeping none of them."""
        sums = [np.zeros(1) for _ in outputs]
        attention, total, level = np.zeros(words), 0.0, -np.inf
        for start, answer in zip(starts, answers, strict=True):
            mass = float(answer[-1][0]) if self._by_mass else 0.0
            if mass > level:  # what was summed is relative to exp(level), or it would overflow
                shrink = np.exp(level - mass)
                sums, total, level = [each * shrink for each in sums], total * shrink, mass
                attention *= shrink
            weight = float(np.exp(mass - level))
            total += weight
            for k, output in enumerate(outputs):
                sums[k] = sums[k] + weight * self._linear(output, answer[k])
            inside = attention[start : start + self.reading.max_tokens]
            inside += weight * answer[len(outputs)][: len(inside)]
        values = [
            self._final(output, each / total) for output, each in zip(outputs, sums, strict=True)
        ]
        return Row(values, (attention / total).astype(np.float32), len(starts))

    def _linear(self, output: str, values: Array) -> _Floats:
        """Return what may be averaged: of probabilities the logits, which are linear in features.

        A softmax tells them but for a constant, which the next softmax takes out again.
        """
        if output != "probabilities":
            return values.astype(np.float64)
        held = np.clip(values.astype(np.float64), _LEAST, None if self._is_softmax else _MOST)
        return np.log(held) if self._is_softmax else np.log(held) - np.log1p(-held)

    def _final(self, output: str, values: _Floats) -> Array:
        if output == "probabilities":
            values = (
                np.exp(values - values.max()) if self._is_softmax else 1 / (1 + np.exp(-values))
            )
            values = values / (values.sum() if self._is_softmax else 1)
        return values.astype(np.float32)
