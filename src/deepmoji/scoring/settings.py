"""What a scoring run is asked for, and the digest that says whether two runs ask for the same."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepmoji.bundle import REQUIRED, SHIPPED, model_folder
from deepmoji.errors import InputError

if TYPE_CHECKING:  # brings NumPy and ONNX Runtime, and the command line starts without them
    from deepmoji.inference.reading import LongTexts, Reading

FORMATS = ("parquet", "jsonl")
PREFIX = "deepmoji_"
_VERSION = 1  # of what the columns hold


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """The settings of a run.

    Attributes:
        model: a bundle folder, or the name of a shipped model; the default one by default.
        text_column: column or field of the texts; by default ``text`` and the like.
        top: how many of the most probable labels; 0 leaves them out.
        encode: also the encodings.
        scores: also the probabilities of all labels.
        long_texts: what becomes of texts longer than the model reads: see ``deepmoji.load``.
        stride: of windows, half of what the model reads by default.
        prefix: what the names of new columns begin with.
        format: of the output, one of :data:`FORMATS`.

    Raises:
        InputError: if one of them cannot be used.
    """

    model: Path | None = None
    text_column: str | None = None
    top: int = 5
    encode: bool = False
    scores: bool = False
    long_texts: "LongTexts" = "cut"
    stride: int | None = None
    prefix: str = PREFIX
    format: str = "parquet"

    def __post_init__(self) -> None:
        from deepmoji.inference.reading import check_long_texts

        if self.top < 0:
            raise InputError(f"top has to be 0 or more, not {self.top}")
        check_long_texts(self.long_texts, self.stride)
        if self.format not in FORMATS:
            raise InputError(f"the format has to be {' or '.join(FORMATS)}, not {self.format!r}")
        if not self.prefix:
            raise InputError("the prefix of new columns cannot be empty")

    @property
    def in_windows(self) -> bool:
        """Whether long texts are read whole, in windows."""
        return self.long_texts != "cut"

    @property
    def folder(self) -> Path:
        """The bundle's folder."""
        return SHIPPED if self.model is None else model_folder(self.model)

    def reading(self, max_tokens: int) -> "Reading":
        """Return how texts are read by a model that reads so many words at a time.

        Raises:
            InputError: if the stride is longer.
        """
        from deepmoji.inference.reading import Reading

        return Reading(max_tokens=max_tokens, long_texts=self.long_texts, stride=self.stride)

    def request(self) -> dict[str, Any]:
        """Return what decides the output, for the same input: the model by its content."""
        return {
            "version": _VERSION,
            "model": digest(self.folder),
            "text_column": self.text_column,
            "top": self.top,
            "encode": self.encode,
            "scores": self.scores,
            # None as in folders of before there were windows, which are still finished.
            "long_texts": self.long_texts if self.in_windows else None,
            "stride": self.stride,
            "prefix": self.prefix,
            "format": self.format,
        }


def digest(folder: Path) -> str:
    """Return the SHA-256 of all parts of a bundle that its answers follow from."""
    whole = hashlib.sha256()
    for name in REQUIRED:
        with (folder / name).open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
