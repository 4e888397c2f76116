"""Files in object stores and on model hubs, by URL: s3://, gs://, hf://."""

import hashlib
import io
import os
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import pyarrow as pa
from pyarrow import fs

from deepmoji.corpus.stores import connect
from deepmoji.errors import InputError

SCHEMES = ("s3", "gs", "hf")
_URL = re.compile(rf"({'|'.join(SCHEMES)})://([^/].*)")
_AT_ONCE = 8 << 20  # bytes of a request: each takes as long as thousands of rows
_WILD = re.compile(r"[*?[]")
HELPERS = (".", "_")  # what other programs' helpers begin with, files and folders


def is_url(source: object) -> bool:
    """Tell whether something names a file or folder elsewhere."""
    return isinstance(source, Url) or (isinstance(source, str) and bool(_URL.fullmatch(source)))


@dataclass(frozen=True, order=True)
class Url:
    """A file, a folder or a pattern elsewhere; used like a path.

    Attributes:
        text: as it was given.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def absolute(self) -> "Url":
        """Return itself: it means the same everywhere."""
        return self

    def exists(self) -> bool:
        """Tell whether it is there."""
        store, path = self._store()
        return store.get_file_info(path).type != fs.FileType.NotFound

    @property
    def scheme(self) -> str:
        """The kind of store."""
        return self.text.partition("://")[0]

    @property
    def place(self) -> PurePosixPath:
        """Where it is in its store."""
        return PurePosixPath(self.text.partition("://")[2].strip("/"))

    @property
    def suffixes(self) -> list[str]:
        """The endings of its name."""
        return self.place.suffixes

    def is_inside(self, folder: "Url") -> bool:
        """Tell whether it lies in a folder, at any depth."""
        return self.scheme == folder.scheme and folder.place in self.place.parents

    def __truediv__(self, name: str) -> "Url":
        return Url(f"{self.text.rstrip('/')}/{name}")

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open the file to read it, also from its middle.

        Raises:
            OSError: if it cannot be read.
        """
        raw = self.input()
        return io.BufferedReader(cast("io.RawIOBase", raw), _AT_ONCE)

    def input(self) -> pa.NativeFile:
        """Open the file for pyarrow."""
        store, path = self._store()
        return store.open_input_file(path)

    def read(self) -> bytes:
        """Return the whole file."""
        with self.input() as file:
            return file.read()

    def write(self, content: Iterator[bytes]) -> None:
        """Write a file, there whole at the end or not at all."""
        store, path = self._store()
        file = store.open_output_stream(path, compression=None)
        with ExitStack() as undo:
            undo.callback(_give_up, file, store, path)
            for part in content:
                file.write(part)
            undo.pop_all()
        file.close()

    def write_file(self, path: Path) -> None:
        """Send a file of this machine, there whole at the end or not at all."""
        self.write(_content(path))

    def remove(self) -> None:
        """Remove the file, if it is there."""
        store, path = self._store()
        if store.get_file_info(path).type == fs.FileType.File:
            store.delete_file(path)

    def file(self) -> tuple["Url", int, int] | None:
        """Return the file that it names to the letter, with what :meth:`files` says of each."""
        store, path = self._store()
        info = store.get_file_info(path)
        return self._found(info) if info.type == fs.FileType.File else None

    def files(self) -> list[tuple["Url", int, int]]:
        """Return the files that it stands for: itself, all in the folder, or those of the pattern.

        Each with its size in bytes and when it was changed, in nanoseconds, 0 if that is unknown.
        A pattern passes over what is hidden.
        """
        alone, path = self.file(), str(self.place)
        if alone is not None:
            return [alone]
        wild = _WILD.search(path)
        below = self._below(path)  # a folder may be called so too
        if wild is None or below:
            return below
        begin, pattern = path[: wild.start()].rpartition("/")[0], _expression(path)
        hidden = "/." in path
        return [
            each
            for each in self._below(begin)
            if _matches(each[0].place, pattern) and (hidden or "/." not in str(each[0].place))
        ]

    def inside(self) -> dict[str, int]:
        """Return the names of the files in a folder, at any depth, and their sizes in bytes."""
        below = self._below(str(self.place))
        return {str(each.place.relative_to(self.place)): size for each, size, _ in below}

    def _below(self, folder: str) -> list[tuple["Url", int, int]]:
        store, _ = self._store()
        chosen = fs.FileSelector(folder, recursive=True, allow_not_found=True)
        return [
            self._found(info)
            for info in sorted(store.get_file_info(chosen), key=lambda info: info.path)
            if info.type == fs.FileType.File
        ]

    def _found(self, info: fs.FileInfo) -> tuple["Url", int, int]:
        return Url(f"{self.scheme}://{info.path}"), info.size, info.mtime_ns or 0

    def _store(self) -> tuple[Any, str]:
        # A pattern is no URL that pyarrow would take, so only its bucket is shown to it.
        return connect(self.scheme, self.place.parts[0]), str(self.place)


def place_to_write(out: str | Path) -> Path | Url:
    """Return the folder or URL that something is to be written to.

    Raises:
        InputError: if files cannot be written there one by one.
    """
    if not is_url(out):
        return Path(out)
    url = Url(str(out))
    if url.scheme == "hf":
        raise InputError(
            f"{url}: files are read from a hub, but not written there; write to a folder or an "
            "object store (s3://, gs://)"
        )
    return url


def check_place(url: Url) -> None:
    """Make sure that a URL may be a folder.

    Raises:
        InputError: if it is a file, or cannot be reached.
    """
    with plain_errors(url):
        if url.file() is not None:
            raise InputError(f"{url} is a file; give a folder with --out")


def for_arrow(path: Path | Url) -> Any:
    """Return what pyarrow opens a file by.

    Raises:
        OSError: if a file elsewhere cannot be read.
    """
    return path.input() if isinstance(path, Url) else path


def working_folder(url: Url, work: str) -> Path:
    """Return where what is to lie at a URL is made; the same command finds it again.

    Args:
        url: where it is to lie.
        work: names the kind of work.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.blake2b(f"{url.scheme}://{url.place}".encode(), digest_size=10).hexdigest()
    return cache / "deepmoji" / work / name


def _give_up(file: Any, store: Any, path: str) -> None:
    """Undo an upload: pyarrow knows no way to end one that leaves nothing there."""
    with suppress(OSError):
        try:
            file.close()
        finally:
            store.delete_file(path)


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(_AT_ONCE):
            yield part


@contextmanager
def plain_errors(url: Url) -> Generator[None]:
    """Say in one line what a store refuses."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{url}: cannot be reached: {reason}") from error


def _matches(path: PurePosixPath, pattern: re.Pattern[str]) -> bool:
    """Whether a pattern names a file, or a folder around it in which it is no helper."""
    for depth in range(len(path.parts), 0, -1):
        if pattern.fullmatch("/".join(path.parts[:depth])):
            return True
        if path.parts[depth - 1].startswith(HELPERS):
            return False
    return False


def _expression(pattern: str) -> re.Pattern[str]:
    """Return a pattern of paths as an expression: only ``**`` goes on beyond a slash."""
    made = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern)
    return re.compile(
        "".join(
            made.get(part, part.replace("[!", "[^") if part[:1] == "[" else re.escape(part))
            for part in parts
        )
    )
