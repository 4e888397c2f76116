"""Where posts come from: files, folders and globs, as one table of text and language."""

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import daft
import pyarrow as pa
import pyarrow.parquet as pq
from daft import DataFrame, DataType, col, lit
from daft.functions import when

from deepmoji.corpus.columns import Columns
from deepmoji.corpus.lines import NO_TEXT, LineFile, LineSource
from deepmoji.corpus.settings import CorpusSettings
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
    """A file of posts: where it is, its format, what it is compressed with, its size and age."""

    path: Path
    format: str
    compression: str | None
    size: int
    modified: int

    @property
    def state(self) -> dict[str, str | int]:
        """What changes when the file does; a finished stage of another state is redone."""
        path = str(self.path.absolute())
        return {"path": path, "size": self.size, "modified": self.modified}


def find_posts(sources: Sequence[str | Path]) -> list[PostFile]:
    """Return the files that paths, folders and globs stand for, each once, sorted by path.

    Folders are searched to any depth for files of a known format; others in them are ignored.

    Raises:
        InputError: if a source does not exist, holds no posts or has an unknown format.
    """
    found: dict[Path, PostFile] = {}
    for source in sources:
        for path in _expand(Path(source).expanduser()):
            found[path.resolve()] = _post_file(path)
    if not found:
        raise InputError("no files of posts were given")
    return [found[path] for path in sorted(found)]


def _expand(source: Path) -> list[Path]:
    if source.is_dir():
        inside = [path for path in source.rglob("*") if path.is_file() and _format(path)[0]]
        # Spark and others leave hidden and underscored helpers beside their parts.
        paths = [path for path in inside if not path.name.startswith((".", "_"))]
        if not paths:
            raise InputError(f"{source}: no file of posts in this folder; {_known()}")
        return paths
    if source.exists():
        return [source]
    paths = [Path(name) for name in glob.glob(str(source), recursive=True)]  # noqa: PTH207
    # (a pattern may begin anywhere, as /data/*/posts.jsonl does)
    if not paths:
        raise InputError(f"{source}: no such file or folder")
    return [path for path in paths if path.is_file()]


def _format(path: Path) -> tuple[str | None, str | None]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    form = FORMATS.get(suffixes[-1]) if suffixes else None
    return (None if compression and form == "parquet" else form), compression


def _known() -> str:
    return f"known are {', '.join(FORMATS)}, all but Parquet also as .gz, .bz2 or .zst"


def _post_file(path: Path) -> PostFile:
    form, compression = _format(path)
    if form is None:
        raise InputError(f"{path}: cannot tell the format from the name; {_known()}")
    status = path.stat()
    return PostFile(path, form, compression, status.st_size, status.st_mtime_ns)


def check_posts(file: PostFile, settings: CorpusSettings) -> None:
    """Look at a file before the build begins.

    Raises:
        InputError: if a column does not exist or does not hold text.
    """
    if file.format == "parquet":
        _parquet_columns(file, settings)
    else:
        _line_file(file, settings).check()


class OpenPosts(NamedTuple):
    """A file's posts: a dataframe, and the bytes read when so many rows are done, about."""

    frame: DataFrame
    position: Callable[[int], int]


def read_posts(file: PostFile, settings: CorpusSettings) -> OpenPosts:
    """Return a file's posts: strings ``text``, ``lang``, ``problem``, and row number ``place``.

    ``lang`` is null where the file does not say; ``problem`` is set on unreadable rows alone.

    Raises:
        InputError: if a column does not exist or does not hold text.
        OSError, pyarrow.ArrowException: if the file cannot be read.
    """
    if file.format == "parquet":
        return _read_parquet(file, settings)
    lines = _line_file(file, settings)
    return OpenPosts(LineSource(lines).read(), lambda _: lines.position)


def _line_file(file: PostFile, settings: CorpusSettings) -> LineFile:
    columns = Columns(settings.text_column, settings.lang_column)
    return LineFile(file.path, file.format, file.compression, columns)


def _parquet_columns(file: PostFile, settings: CorpusSettings) -> tuple[str, str | None]:
    schema = pq.read_schema(file.path)
    columns = Columns(settings.text_column, settings.lang_column)
    text, lang = columns.choose(schema.names, file.path)
    for name in (text, lang):
        if name is not None and not _is_string(schema.field(name).type):
            kind = schema.field(name).type
            raise InputError(f"{file.path}: column {name!r} holds {kind}, not text")
    return text, lang


def _read_parquet(file: PostFile, settings: CorpusSettings) -> OpenPosts:
    rows = max(1, pq.read_metadata(file.path).num_rows)
    text, lang = _parquet_columns(file, settings)
    string = DataType.string()
    nothing = lit(None).cast(string)
    # Only the path's own meaning, not a pattern's: brackets in names are no wildcards.
    frame = daft.read_parquet([glob.escape(str(file.path))]).select(
        col(text).cast(string).alias("text"),
        (nothing if lang is None else col(lang).cast(string)).alias("lang"),
        when(col(text).is_null(), NO_TEXT).otherwise(nothing).alias("problem"),
        lit(None).cast(DataType.int64()).alias("place"),
    )
    return OpenPosts(frame, lambda done: file.size * done // rows)


def _is_string(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
