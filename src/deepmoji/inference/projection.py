"""A fitted projection of encodings to few numbers, kept in a bundle beside the model."""

import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.lib.npyio import NpzFile

from deepmoji.bundle import Bundle
from deepmoji.errors import BundleError, InputError
from deepmoji.files import atomic_path
from deepmoji.inference.engine import Array

MOST = 64  # components that a bundle keeps: 0.3 MB, and few need more
# What zipfile and numpy raise for a damaged file; RuntimeError: one that seems to be encrypted, or
# packed in a way that they do not know.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAMES = ("mean", "components", "explained", "texts")


@dataclass(frozen=True, kw_only=True)
class Projection:
    """The principal components of the encodings of many texts (PCA), not whitened.

    Attributes:
        mean: float32 [F].
        components: orthonormal but for rounding to float16 on disk, the one that explains most
            first; float32 [K, F].
        explained: share of the variance that each explains, float32 [K].
        texts: how many it was fitted on.
    """

    mean: Array
    components: Array
    explained: Array
    texts: int

    def __len__(self) -> int:
        return len(self.components)

    def reduce(self, encodings: Array, size: int) -> Array:
        """Return the first ``size`` components of encodings.

        Args:
            encodings: [n, F].
            size: 1 to K.

        Returns:
            float32 [n, size].

        Raises:
            InputError: if there are not so many.
        """
        self._check(size)
        reduced = (encodings - self.mean) @ self.components[:size].T
        return reduced.astype(np.float32, copy=False)

    def kept(self, size: int) -> float:
        """Return the share of the variance that the first ``size`` components keep."""
        return round(float(self.explained[:size].sum()), 5)

    def _check(self, size: int) -> None:
        if not 1 <= size <= len(self):
            raise InputError(
                f"encodings can be reduced to 1 to {len(self)} numbers here, not to {size}; fit a "
                "larger projection with: deepmoji fit-projection --components"
            )

    @classmethod
    def of(cls, bundle: Bundle, size: int) -> Self:
        """Read a model's projection, once it is known to have ``size`` components.

        Raises:
            BundleError: if it has none, or a damaged one.
            InputError: if it has fewer components.
        """
        if not bundle.projection.is_file():
            raise BundleError(
                f"the model {bundle.folder} has no projection to reduce encodings with; fit one "
                "on texts of your own: deepmoji fit-projection MODEL --file TEXTS"
            )
        projection = cls.load(bundle.projection, bundle.config.features)
        projection._check(size)
        return projection

    @classmethod
    def fit(cls, encodings: Iterable[Array], size: int = MOST) -> Self:
        """Fit it on blocks of encodings, in memory that does not grow with their number.

        Args:
            encodings: blocks [n, F].
            size: number of components, at most F and fewer than texts.

        Raises:
            InputError: if there are too few texts for so many components.
        """
        count, total, products = 0, np.zeros(0), np.zeros((0, 0))
        for block in encodings:
            rows = block.astype(np.float64)
            if not count:
                total, products = np.zeros(rows.shape[1]), np.zeros((rows.shape[1],) * 2)
            count += len(rows)
            total += rows.sum(axis=0)
            products += rows.T @ rows
        most = min(len(total), count - 1)
        if not 1 <= size <= most:
            raise InputError(
                f"{size} components cannot be fitted on {count} texts of {len(total)} numbers "
                f"each; choose 1 to {max(most, 0)}, or give more texts"
            )
        mean = total / count
        values, vectors = np.linalg.eigh(products / count - np.outer(mean, mean))
        components = vectors[:, ::-1][:, :size].T
        # The sign of a component is arbitrary: its largest number is made positive, so that the
        # same texts give the same projection everywhere.
        largest = np.abs(components).argmax(axis=1)
        components = components * np.sign(components[np.arange(size), largest])[:, np.newaxis]
        shares = np.maximum(values[::-1][:size], 0) / max(float(values.sum()), 1e-30)
        return cls(
            mean=mean.astype(np.float32),
            components=components.astype(np.float32),
            explained=shares.astype(np.float32),
            texts=count,
        )

    def save(self, path: Path) -> None:
        """Write it as arrays, without pickles; the components as float16."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                mean=self.mean,
                components=self.components.astype(np.float16),
                explained=self.explained,
                texts=np.int64(self.texts),
            )

    @classmethod
    def load(cls, path: Path, features: int) -> Self:
        """Read it.

        Args:
            path: of the file.
            features: how many numbers the model's encodings have.

        Raises:
            BundleError: if it is damaged or was fitted on another model.
        """
        try:
            loaded: Any = np.load(path, allow_pickle=False)
            if not isinstance(loaded, NpzFile):  # numpy goes by the content, not by the name
                raise ValueError("it holds a single array")
            with loaded as file:
                packed: Any = file.zip
                if any(each.compress_type not in _PACKED for each in packed.infolist()):
                    raise ValueError("it is packed in a way that numpy does not write")
                mean, components, explained, texts = (file[name] for name in _NAMES)
        except _DAMAGED as error:
            raise BundleError(
                f"{path} is damaged: {error}; fit it again with deepmoji fit-projection"
            ) from error
        shapes = (mean.shape, components.shape[1:], explained.shape, texts.shape)
        numeric = all(each.dtype.kind in "fiu" for each in (mean, components, explained, texts))
        if shapes != ((features,), (features,), components.shape[:1], ()) or not numeric:
            raise BundleError(
                f"{path} was not fitted on this model, whose encodings have {features} numbers; "
                "fit it again with deepmoji fit-projection"
            )
        return cls(
            mean=mean.astype(np.float32),
            components=components.astype(np.float32),
            explained=explained.astype(np.float32),
            texts=int(texts),
        )
