"""What settings name besides posts: texts and ids to keep out, another corpus's vocabulary."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.corpus.layout import EVALUATION_SPLITS, REPORT, VOCABULARY
from deepmoji.corpus.posts import PostFile, find_posts, open_posts
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder, Split
from deepmoji.corpus.source import NO_TEXT, READ_ERRORS, Reader
from deepmoji.corpus.words import text_rules
from deepmoji.errors import InputError
from deepmoji.text.vocabulary import Vocabulary

_SPLITS: tuple[Split, ...] = EVALUATION_SPLITS


@dataclass(frozen=True, kw_only=True)
class Named:
    """The content of what settings name by a path, and how it is called in a report.

    Attributes:
        excluded: the distinct texts that a corpus must not have, sorted.
        vocabulary: its words, if they are not to be counted.
        deleted: ids of posts that must not be used.
        digests: SHA-256 of what each setting names, in place of its paths.
    """

    excluded: Sequence[str] = ()
    vocabulary: Vocabulary | None = None
    deleted: Sequence[str] = ()
    digests: dict[str, Any]

    @classmethod
    def read(cls, settings: CorpusSettings) -> "Named":
        """Read what settings name.

        Raises:
            InputError: if one of it is missing or cannot be read to its end.
        """
        lists = [_texts(path, settings) for path in settings.exclude]
        digests: dict[str, Any] = {}
        vocabulary = None
        if lists:
            digests["exclude"] = sorted(map(_digest, lists))
        if settings.vocabulary is not None:
            path = _vocabulary_file(Path(settings.vocabulary).expanduser())
            vocabulary = Vocabulary.load(path)
            digests["vocabulary"] = _digest(vocabulary.words)
        deleted: list[str] = []
        if settings.delete_ids is not None:
            deleted = _ids(Path(settings.delete_ids).expanduser())
            digests["delete_ids"] = _digest(deleted)
        excluded = sorted({text for each in lists for text in each})
        return cls(excluded=excluded, vocabulary=vocabulary, deleted=deleted, digests=digests)

    def describe(self, settings: CorpusSettings) -> dict[str, Any]:
        """Return the settings with digests for paths: what decides the corpus, wherever it lies."""
        return {**settings.to_dict(), **self.digests}

    def excluded_keys(
        self, settings: CorpusSettings, wanted: tuple[str, ...]
    ) -> NDArray[np.uint64]:
        """Return what the texts to exclude share with their near copies, sorted."""
        rules = text_rules(settings, wanted)
        return np.unique(np.array([rules.key(text) for text in self.excluded], np.uint64))


def _digest(texts: Sequence[str]) -> str:
    """Return the SHA-256 of texts, each in UTF-8 and ended by a zero byte."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "replace") + b"\0")
    return f"sha256:{digest.hexdigest()}"


def _vocabulary_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    if not (path / VOCABULARY).exists():
        raise InputError(
            f"{path}: no {VOCABULARY} in this folder; give a corpus, a model bundle or a "
            "vocabulary.json with --vocabulary"
        )
    return path / VOCABULARY


def _ids(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; see --delete-ids") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a list of ids, one a line: {error}") from error
    return sorted({line.strip() for line in lines} - {""})


def _texts(name: str, settings: CorpusSettings) -> list[str]:
    """Return the distinct texts of a corpus's evaluation splits, or of other files, sorted."""
    path = Path(name).expanduser()
    if (path / REPORT).exists():
        corpus = CorpusFolder.open(path)
        found = {text for split in _SPLITS for text in corpus.read_split(split).texts or ()}
    else:
        found = {text for file in find_posts([name]) for text in _listed(file, settings)}
    if not found:
        raise InputError(f"{name}: holds no text to exclude")
    return sorted(found)


def _listed(file: PostFile, settings: CorpusSettings) -> Iterator[str]:
    """Yield a file's texts; unlike among posts, nothing in it may be unreadable."""
    try:
        for table in _reader(file, settings).tables():
            problems = set(table["problem"].to_pylist()) - {None, NO_TEXT}
            if problems:
                raise InputError(f"{file.path}: a text to exclude: {problems.pop()}")
            yield from table["text"].drop_null().to_pylist()
    except READ_ERRORS as error:
        raise InputError(f"{file.path}: cannot be read to its end: {error}") from error


def _reader(file: PostFile, settings: CorpusSettings) -> Reader:
    usual = open_posts(file, CorpusSettings())
    named = open_posts(file, CorpusSettings(text_column=settings.text_column))
    try:
        named.check()
    except InputError:
        usual.check()  # the column of the posts' text need not be that of these
        return usual
    return named
