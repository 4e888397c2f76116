"""The parts of the input, and which file of the output each becomes."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from deepmoji.corpus.posts import COMPRESSIONS, FORMATS, PostFile, find_posts
from deepmoji.corpus.urls import Url, is_url
from deepmoji.errors import InputError

_LONGEST_NAME = 220  # bytes: what is written beside has up to 30 more, and 255 is the limit


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of the input.

    Attributes:
        path: where it is.
        format: ``"parquet"``, ``"csv"``, ``"tsv"``, ``"json"`` (lines) or ``"text"``.
        compression: ``"gzip"``, ``"bz2"``, ``"zstd"`` or None.
        size: in bytes.
        modified: when, in nanoseconds.
        name: of its part of the output, relative to the output's folder, with slashes.
    """

    path: Path | Url
    format: str
    compression: str | None
    size: int
    modified: int
    name: str

    @property
    def state(self) -> dict[str, Any]:
        """What changes when the file does."""
        path = str(self.path.absolute())
        return {"path": path, "size": self.size, "modified": self.modified}

    def is_unchanged(self) -> bool:
        """Whether the file is still the one that was found."""
        if isinstance(self.path, Url):
            return self.path.file() == (self.path, self.size, self.modified)
        status = self.path.stat()
        return (status.st_size, status.st_mtime_ns) == (self.size, self.modified)


def find_parts(inputs: Sequence[str | Path], out: Path | Url, suffix: str) -> list[Part]:
    """Return the files that paths, folders and globs stand for, sorted by path.

    A file in a folder that was given keeps its place in it; others come to lie side by side.

    Args:
        inputs: paths, folders and globs, here or at URLs.
        out: the folder to write; what it holds is no input.
        suffix: what the names of the output end in.

    Raises:
        InputError: if an input does not exist, lies in ``out``, holds no texts or has an unknown
            format, or if two files would become one.
    """
    urls = [Url(str(each)) for each in inputs if is_url(each)]
    sources = [Path(each).expanduser() for each in inputs if not is_url(each)]
    whole = out.resolve() if isinstance(out, Path) else None
    for source in sources:
        if source.is_file() and whole in source.resolve().parents:
            raise InputError(f"{source} lies inside {out}, the folder to write; choose another one")
    folders = [source for source in sources if source.is_dir()]
    found = find_posts([*sources, *(url.text for url in urls)], out)
    parts = [_part(file, folders, urls, suffix) for file in found]
    _check_names(parts, out)
    return parts


def _part(file: PostFile, folders: Iterable[Path], urls: Iterable[Url], suffix: str) -> Part:
    inside: list[PurePath]
    if isinstance(file.path, Url):  # what it lies below is a folder
        path = file.path.place
        inside = [path.relative_to(each.place) for each in urls if file.path.is_inside(each)]
    else:
        path = file.path
        inside = [path.relative_to(each) for each in folders if each in path.parents]
    relative = min(inside, key=lambda path: len(path.parts), default=PurePath(path.name))
    return Part(
        path=file.path,
        format=file.format,
        compression=file.compression,
        size=file.size,
        modified=file.modified,
        name=relative.with_name(_stem(relative) + suffix).as_posix(),
    )


def _stem(path: PurePath) -> str:
    """Return a file's name without what says its format and compression."""
    for known in (COMPRESSIONS, FORMATS):
        if path.suffix.lower() in known:
            path = path.with_suffix("")
    return path.name


def _check_names(parts: Sequence[Part], out: Path | Url) -> None:
    taken: dict[str, Part] = {}
    for part in parts:
        other = taken.setdefault(part.name.casefold(), part)  # some file systems ignore case
        if other is not part:
            raise InputError(
                f"{other.path} and {part.path} would both become {out / part.name}; rename one, "
                "or score them into folders of their own"
            )
    for part in parts:
        for folder in PurePath(part.name).parents:
            if other := taken.get(folder.as_posix().casefold()):
                raise InputError(
                    f"{other.path} would become the file {out / other.name} and {part.path} lie "
                    "in a folder of that name; rename one, or score them into folders of their own"
                )
        if isinstance(out, Path) and len(os.fsencode(PurePath(part.name).name)) > _LONGEST_NAME:
            raise InputError(
                f"{part.path}: the name is too long for the files that are written beside the "
                f"scores; shorten it to {_LONGEST_NAME} bytes"
            )
