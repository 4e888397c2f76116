"""Where posts come from: files, folders and globs, and who reads them."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from deepmoji.corpus.columnar import ParquetFile
from deepmoji.corpus.columns import Columns
from deepmoji.corpus.lines import LineFile
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.source import READ_ERRORS, Reader
from deepmoji.corpus.urls import HELPERS, Url, is_url, plain_errors
from deepmoji.errors import InputError

FORMATS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


@dataclass(frozen=True)
class PostFile:
    """A file of posts: where it is, its format, what it is compressed with, its size and age.

    What was ``refused`` holds no posts, for the reason given; it is named and passed over.
    """

    path: Path | Url
    format: str
    compression: str | None
    size: int
    modified: int
    refused: str | None = None

    @property
    def state(self) -> dict[str, str | int]:
        """What changes when the file does; a finished stage of another state is redone."""
        path = str(self.path.absolute())
        return {"path": path, "size": self.size, "modified": self.modified}


def find_posts(sources: Sequence[str | Path], out: Path | Url | None = None) -> list[PostFile]:
    """Return the files that paths, folders, globs and URLs stand for, each once, sorted by path.

    Folders are searched to any depth for files of a known format; others in them are ignored, and
    so is what is hidden.

    Args:
        sources: paths, folders and globs, here or at URLs.
        out: the folder that is written, if any; what it holds is no post, wherever it lies.

    Raises:
        InputError: if a source does not exist, holds no posts or has an unknown format.
    """
    found: dict[Path, PostFile] = {}
    skipped = out.resolve() if isinstance(out, Path) else None
    inside = False
    elsewhere = {
        file.path: file
        for each in sources
        if is_url(each)
        for file in _find_elsewhere(str(each), out)
    }
    for source in (Path(each).expanduser() for each in sources if not is_url(each)):
        if source.is_dir() and skipped in (whole := source.resolve(), *whole.parents):
            inside = True  # posts/* names it too, maybe before there is any file in it
            continue
        for path in _expand(source):
            whole = path.resolve()
            if skipped in whole.parents:
                inside = True
            elif whole not in found or str(path) < str(found[whole].path):  # of two names the first
                found[whole] = _post_file(path)
    if not found and not elsewhere:
        raise InputError(
            f"all files of posts lie inside {out}, the folder to write; choose another one"
            if inside
            else "no files of posts were given"
        )
    return [found[path] for path in sorted(found)] + [elsewhere[url] for url in sorted(elsewhere)]


def _find_elsewhere(source: str, out: Path | Url | None) -> list[PostFile]:
    url = Url(source)
    with plain_errors(url):
        files = url.files()
    if not files:
        raise InputError(f"{url}: no such file or folder")
    alone = [each for each, *_ in files] == [url]
    found: list[PostFile] = []
    if isinstance(out, Url):
        files = [each for each in files if not each[0].is_inside(out)]
    if not files:
        raise InputError(f"{url} lies inside {out}, the folder to write; choose another one")
    for each, size, modified in files:
        form, compression = _format(each)
        inside = each.place.parts[len(url.place.parts) :] if url.place in each.place.parents else ()
        hidden = any(part.startswith(HELPERS) for part in inside)
        if form is not None and not hidden:
            found.append(PostFile(each, form, compression, size, modified))
    if not found:
        what = "cannot tell the format from the name" if alone else "no file of posts there"
        raise InputError(f"{url}: {what}; {_known()}")
    return found


def _expand(source: Path) -> list[Path]:
    if source.is_dir():
        paths = _inside(source)
        if not paths:
            raise InputError(f"{source}: no file of posts in this folder; {_known()}")
        return paths
    if source.is_file():
        return [source]
    if source.exists():
        raise InputError(f"{source} is no regular file; give files, folders or globs of them")
    paths = [Path(name) for name in glob.glob(str(source), recursive=True)]  # noqa: PTH207
    # (a pattern may begin anywhere, as /data/*/posts.jsonl does)
    if not paths:
        raise InputError(f"{source}: no such file or folder")
    return [
        each
        for path in paths
        for each in (_inside(path) if path.is_dir() else [path])
        if each.is_file()
    ]


def _inside(folder: Path) -> list[Path]:
    """Return the files of posts in a folder, without what is hidden at any depth.

    Spark and others leave hidden and underscored files and folders beside their parts.
    """
    return [
        path
        for path in folder.rglob("*")
        if path.is_file()
        and _format(path)[0]
        and not any(part.startswith(HELPERS) for part in path.relative_to(folder).parts)
    ]


def _format(path: Path | Url) -> tuple[str | None, str | None]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    form = FORMATS.get(suffixes[-1]) if suffixes else None
    return (None if compression and form == "parquet" else form), compression


def _known() -> str:
    return f"known are {', '.join(FORMATS)}, all but Parquet also as .gz, .bz2 or .zst"


def _post_file(path: Path) -> PostFile:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        name = os.fsencode(path).decode("utf-8", "replace")
        raise InputError(f"{name}: the name is not UTF-8; rename the file") from None
    form, compression = _format(path)
    if form is None:
        raise InputError(f"{path}: cannot tell the format from the name; {_known()}")
    status = path.stat()
    return PostFile(path, form, compression, status.st_size, status.st_mtime_ns)


def open_posts(file: PostFile, settings: CorpusSettings) -> Reader:
    """Return the reader of a file; nothing is read yet."""
    if file.refused is not None:
        return _Refused(file.path, file.refused)
    columns = Columns(settings.text_column, settings.lang_column, settings.more_columns)
    if file.format == "parquet":
        return ParquetFile(file.path, file.size, columns)
    return LineFile(file.path, file.format, file.compression, columns)


def check_posts(files: Sequence[PostFile], settings: CorpusSettings) -> list[PostFile]:
    """Look at the beginning of files, and return them, those without posts marked as refused.

    A file that cannot be read is left for the one who reads it: its beginning may be good.

    Raises:
        InputError: if no file has the columns asked for, or, if strict, one of them has not.
    """
    checked: list[PostFile] = []
    refusals: list[InputError] = []
    usable = False
    for file in files:
        refused = None
        try:
            usable |= open_posts(file, settings).check()
        except READ_ERRORS:
            pass
        except InputError as error:
            if settings.strict:
                raise
            refusals.append(error)
            refused = str(error).removeprefix(f"{file.path}: ")
        checked.append(replace(file, refused=refused))
    if refusals and not usable:
        raise refusals[0]
    return checked


@dataclass(frozen=True)
class _Refused:
    """Reads nothing of a file and says why."""

    path: Path | Url
    reason: str
    position: int = 0

    def check(self) -> bool:
        raise InputError(f"{self.path}: {self.reason}")

    def tables(self) -> Iterator[pa.Table]:
        raise InputError(self.reason)
