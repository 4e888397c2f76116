"""A model on disk: a folder whose parts are checked against each other when it is opened.

The layout is that of model hubs. Nothing in it is executed and nothing is unpickled.
"""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from deepmoji.config import ModelConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.files import atomic_folder, read_json, write_json
from deepmoji.text.vocabulary import Vocabulary

FORMAT_VERSION = 1
TEXT_RULES = "deepmoji"
MODELS = Path(__file__).parent / "models"  # those that ship with the package, by name
SHIPPED = MODELS / "default"

_CONFIG, _VOCABULARY, _LABELS = "config.json", "vocabulary.json", "labels.json"
_GRAPH, _WEIGHTS, _CARD, _TRAINING = (
    "model.onnx",
    "model.safetensors",
    "README.md",
    "training.json",
)
_PROJECTION = "projection.npz"
_SURROGATE = re.compile("[\ud800-\udfff]")
REQUIRED = (_CONFIG, _VOCABULARY, _LABELS, _GRAPH)
# All file names that a bundle may have; whoever moves one takes these and nothing else.
PARTS = (*REQUIRED, _WEIGHTS, _PROJECTION, _CARD, _TRAINING)


def shipped_models() -> list[str]:
    """Return the names of the models that ship with the package."""
    return sorted(path.parent.name for path in MODELS.glob(f"*/{_CONFIG}"))


def model_folder(source: str | os.PathLike[str]) -> Path:
    """Return the folder that a path or the name of a shipped model means.

    A name is one only where the working directory has nothing that is called so, and a text with a
    separator (``./small``) is always a path.
    """
    text, path = os.fspath(source), Path(source)
    is_bare = not {os.sep, os.altsep} & set(text)
    return MODELS / text if is_bare and not path.exists() and text in shipped_models() else path


def shipped_name(folder: Path) -> str | None:
    """Return the name of the shipped model that is in a folder, None if it is another model."""
    return folder.name if folder.resolve().parent == MODELS.resolve() else None


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An opened model folder."""

    folder: Path
    config: ModelConfig
    max_tokens: int  # longer texts are cut at the right
    vocabulary: Vocabulary
    labels: tuple[str, ...]
    thresholds: tuple[float, ...] | None  # of labels that do not exclude each other
    training: Mapping[str, Any]  # every setting, seed and version that made it, and its scores
    card: str  # Markdown

    @property
    def graph(self) -> Path:
        """The ONNX file: ids [B, T], lengths [B] to probabilities, features, attention."""
        return self.folder / _GRAPH

    @property
    def weights(self) -> Path | None:
        """The weights for further training, if the bundle holds them."""
        path = self.folder / _WEIGHTS
        return path if path.is_file() else None

    @property
    def projection(self) -> Path:
        """Where the projection of encodings to few numbers is, if one was fitted."""
        return self.folder / _PROJECTION

    @classmethod
    def open(cls, source: str | os.PathLike[str]) -> Self:
        """Read a bundle and check its parts against each other.

        Args:
            source: its folder, or the name of a model that ships with the package.

        Raises:
            BundleError: if it is no bundle, has a part missing, was made by a newer version, or
                its vocabulary or labels do not have the size that its model expects.
        """
        folder = model_folder(source)
        if os.fspath(source).startswith("hf:"):
            raise BundleError(
                f"{source} is no folder; bring a model from a hub here with deepmoji download, "
                "and give the folder that it prints"
            )
        if folder.is_file():
            raise BundleError(
                f"{folder} is a file, but a model is a folder; from the weight file of another "
                "program, make one with deepmoji import"
            )
        if not folder.is_dir():
            names = shipped_models()
            shipped = f", or the name of a shipped model ({', '.join(names)})" if names else ""
            raise BundleError(
                f"there is no model folder {folder}; give the path of a bundle{shipped}"
            )
        missing = [name for name in REQUIRED if not (folder / name).is_file()]
        if missing:
            raise BundleError(
                f"{folder} is no complete model bundle: {', '.join(missing)} missing; "
                "copy the whole folder again or export the model anew"
            )
        try:
            config, max_tokens, thresholds = _read_config(folder / _CONFIG)
            vocabulary = Vocabulary.load(folder / _VOCABULARY)
            labels: Any = read_json(folder / _LABELS)
            training: Any = read_json(folder / _TRAINING) if _has(folder, _TRAINING) else {}
            if not isinstance(training, dict):
                raise InputError(f"{_TRAINING} has to be an object")
            card = (folder / _CARD).read_text("utf-8") if _has(folder, _CARD) else ""
        except (InputError, OSError, UnicodeDecodeError) as error:
            raise BundleError(f"the model bundle {folder} is damaged: {error}") from error
        _check_sizes(folder, config, len(vocabulary), labels)
        return cls(
            folder=folder,
            config=config,
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            labels=tuple(labels),
            thresholds=thresholds,
            training=cast("dict[str, Any]", training),
            card=card,
        )


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a bundle says of its model, besides the weights and their history."""

    config: ModelConfig
    max_tokens: int  # longer texts are cut at the right
    vocabulary: Vocabulary  # as many words as the configuration says
    labels: tuple[str, ...]  # class names in order
    # The probability from which each label holds, where labels do not exclude each other.
    thresholds: tuple[float, ...] | None = None

    @classmethod
    def of(cls, bundle: Bundle) -> "Contents":
        """Return those of a bundle, for another with other weights."""
        return cls(
            config=bundle.config,
            vocabulary=bundle.vocabulary,
            labels=bundle.labels,
            max_tokens=bundle.max_tokens,
            thresholds=bundle.thresholds,
        )


def write_bundle(
    folder: str | Path,
    contents: Contents,
    *,
    training: Mapping[str, Any],
    card: str,
    parts: Mapping[str, Path],
) -> Bundle:
    """Write a bundle, whole or not at all, over one that may stand there.

    Args:
        folder: where it goes.
        contents: sizes, words and labels.
        training: what made the model, for ``training.json``.
        card: the model card, Markdown.
        parts: files to copy in: ``model.onnx`` and, optionally, ``model.safetensors``.

    Raises:
        BundleError: if sizes disagree or ``folder`` holds something that is no bundle.
    """
    folder = Path(folder)
    if unknown := set(parts) - {_GRAPH, _WEIGHTS}:
        raise BundleError(f"a bundle has no part named {sorted(unknown)}")
    vocabulary, labels = contents.vocabulary, list(contents.labels)
    _check_sizes(folder, contents.config, len(vocabulary), labels)
    check_replaceable(folder)
    with atomic_folder(folder) as temporary:
        write_json(
            temporary / _CONFIG,
            {
                "format_version": FORMAT_VERSION,
                "model": contents.config.to_dict(),
                "text": {"rules": TEXT_RULES, "max_tokens": contents.max_tokens},
                **({"thresholds": contents.thresholds} if contents.thresholds else {}),
            },
        )
        vocabulary.save(temporary / _VOCABULARY)
        write_json(temporary / _LABELS, labels)
        write_json(temporary / _TRAINING, dict(training))
        (temporary / _CARD).write_text(card, encoding="utf-8")
        for name, source in parts.items():
            shutil.copyfile(source, temporary / name)
    return Bundle.open(folder)


def _has(folder: Path, name: str) -> bool:
    return (folder / name).is_file()


def check_replaceable(folder: str | Path) -> None:
    """Make sure that a bundle may be written here: nothing there, an empty folder, or a bundle.

    Raises:
        BundleError: if something else would be lost.
    """
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir() or not _is_nothing_but_a_bundle(folder):
        raise BundleError(f"{folder} exists and is no model bundle; choose another folder")


def _is_nothing_but_a_bundle(folder: Path) -> bool:
    if not _has(folder, _CONFIG) or {path.name for path in folder.iterdir()} - set(PARTS):
        return False
    try:
        _version(folder / _CONFIG)
    except InputError:
        return False
    return True


def _version(path: Path) -> tuple[int, dict[str, Any]]:
    content: Any = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path.name} has to be an object")
    values = cast("dict[str, Any]", content)
    version = values.get("format_version")
    if type(version) is not int:
        raise InputError(f"{path.name} names no format_version")
    return version, values


def _read_config(path: Path) -> tuple[ModelConfig, int, tuple[float, ...] | None]:
    version, values = _version(path)
    if version > FORMAT_VERSION:
        raise BundleError(
            f"{path.parent} has bundle format {version}; this deepmoji reads up to "
            f"{FORMAT_VERSION}: run pip install --upgrade deepmoji"
        )
    stored: Any = values.get("text")
    text = cast("dict[str, Any]", stored) if isinstance(stored, dict) else {}
    rules = text.get("rules")
    if rules != TEXT_RULES:
        raise InputError(f"{path.name} asks for the text rules {rules!r}; known: {TEXT_RULES!r}")
    max_tokens = text.get("max_tokens")
    if type(max_tokens) is not int or max_tokens < 1:
        raise InputError(f"{path.name}: max_tokens has to be a positive whole number")
    config = ModelConfig.from_dict(values.get("model"))
    return config, max_tokens, _read_thresholds(values.get("thresholds"), config.classes)


def _read_thresholds(stored: object, classes: int) -> tuple[float, ...] | None:
    if stored is None:
        return None
    values = cast("list[object]", stored) if isinstance(stored, list) else []
    numbers = [float(each) for each in values if type(each) is float or type(each) is int]
    if len(values) != classes or len(numbers) != classes or not all(0 <= n <= 1 for n in numbers):
        raise InputError(f"thresholds has to list {classes} numbers from 0 to 1, not {stored!r}")
    return tuple(numbers)


def _check_sizes(folder: Path, config: ModelConfig, words: int, labels: object) -> None:
    if words != config.vocabulary_size:
        raise BundleError(
            f"{folder}: the vocabulary has {words} tokens, the model expects "
            f"{config.vocabulary_size}; both files have to come from the same model"
        )
    names = cast("list[object]", labels) if isinstance(labels, list) else []
    if len(names) != config.classes or not all(isinstance(name, str) for name in names):
        raise BundleError(
            f"{folder}: labels.json has to list {config.classes} names, the model's classes; "
            f"it has {len(names)}"
        )
    listed = cast("list[str]", names)
    if twice := next((name for name in listed if listed.count(name) > 1), None):
        raise BundleError(f"{folder}: labels.json names {twice!r} twice; each class needs its own")
    if half := next((name for name in listed if _SURROGATE.search(name)), None):
        raise BundleError(
            f"{folder}: the label {half!r} holds half a character, which no file or answer can have"
        )
