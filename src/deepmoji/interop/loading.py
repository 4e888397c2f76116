"""Loading a model from wherever it is: a bundle, an original weight file, a hub."""

import os
import weakref
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from deepmoji.bundle import SHIPPED
from deepmoji.config import ORIGINAL_TOKENS, Gates
from deepmoji.errors import InputError
from deepmoji.inference.predictor import Predictor
from deepmoji.inference.predictor import load as load_bundle
from deepmoji.inference.reading import LongTexts, check_long_texts
from deepmoji.interop.bundles import import_weights
from deepmoji.interop.isolation import format_of

_SUFFIXES = frozenset({".hdf5", ".h5", ".bin", ".pt", ".pth", ".onnx"})


def load(
    source: str | os.PathLike[str] | None = None,
    *,
    vocabulary: str | os.PathLike[str] | None = None,
    gates: Gates | None = None,
    threads: int | None = None,
    max_tokens: int | None = None,
    long_texts: LongTexts = "cut",
    stride: int | None = None,
) -> Predictor:
    """Load a model.

    >>> moji = load()
    >>> moji.predict("I love how you never reply back..").top[0]  # doctest: +SKIP
    ('😒', 0.19)

    Args:
        source: a bundle folder; or the name of a model that ships with the package, where nothing
            in the working directory is called so, ``"default"`` by default; or a weight file of
            DeepMoji (``.hdf5``), torchMoji (``.bin``) or deepmoji-onnx (``.onnx``); or
            ``hf://OWNER/NAME``, a bundle on a model hub.
        vocabulary: of a weight file, its ``vocabulary.json``. A bundle brings its own.
        gates: of a weight file that cannot tell with which gates its LSTMs were trained,
            ``hard_sigmoid`` (the original's) or ``sigmoid``.
        threads: how many threads score many texts; all cores by default.
        max_tokens: words that are read at a time, instead of as many as the bundle says; of a
            weight file, instead of the original's 30.
        long_texts: what becomes of texts with more words: ``cut``, as the original did, or read in
            windows whose answers are combined, weighed by the ``attention`` that each window draws,
            or all alike (``mean``).
        stride: the most words from the start of a window to that of the next one; half of
            ``max_tokens`` by default.

    Raises:
        BundleError: if the bundle has a part missing, is damaged or of a newer version.
        InputError: if an argument makes no sense, or a weight file cannot be read.
        HubError: if a hub does not give the bundle, and the cache has none.
        MissingDependency: if the library that reads a weight file, or asks a hub, is not installed.
    """
    if isinstance(source, str) and source.startswith("hf://"):
        from deepmoji.hub.download import download  # here: it takes longer than all of this

        source = download(source)
    path = SHIPPED if source is None else Path(source)
    if not path.is_file() and (path.is_dir() or path.suffix.lower() not in _SUFFIXES):
        if vocabulary is not None or gates is not None:
            raise InputError("a model bundle brings its own vocabulary and gates; leave them out")
        return load_bundle(
            source, threads=threads, max_tokens=max_tokens, long_texts=long_texts, stride=stride
        )
    check_long_texts(long_texts, stride)  # before an import, which takes longer
    format_of(path)
    if vocabulary is None:
        raise InputError(
            f"{path} is a weight file, which needs the vocabulary.json that it was trained with: "
            "vocabulary='vocabulary.json' (--vocabulary vocabulary.json)"
        )
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="deepmoji-"))
        bundle = import_weights(
            path,
            Path(folder) / "model",
            vocabulary=vocabulary,
            gates=gates,
            max_tokens=ORIGINAL_TOKENS if max_tokens is None else max_tokens,
        )
        predictor = Predictor(bundle, threads=threads, long_texts=long_texts, stride=stride)
        weakref.finalize(predictor, stack.pop_all().close)
    return predictor
