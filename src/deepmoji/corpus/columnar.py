"""Posts out of Parquet files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deepmoji.corpus.columns import Columns
from deepmoji.corpus.source import BATCH_ROWS, NO_TEXT, NOT_UTF8, POSTS, Row, to_table
from deepmoji.errors import InputError


@dataclass
class ParquetFile:
    """A Parquet file of posts.

    Attributes:
        path: of the file.
        size: in bytes.
        columns: which hold text and language.
    """

    path: Path
    size: int
    columns: Columns
    _share: float = field(default=0.0, init=False)

    @property
    def position(self) -> int:
        """About how many bytes of the file were read so far."""
        return int(self.size * self._share)

    def check(self) -> bool:
        """Look at the file's schema; return True, as the columns are there.

        Raises:
            InputError: if a column is missing or does not hold text.
            OSError, pyarrow.ArrowException: if it cannot be read.
        """
        self._choose(pq.read_schema(self.path))
        return True

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows, with the columns POSTS; one without text, or not in UTF-8, says so.

        Raises:
            InputError: if a column is missing or does not hold text.
            OSError, pyarrow.ArrowException: if the file breaks off.
        """
        with pq.ParquetFile(self.path) as file:
            text, lang = self._choose(file.schema_arrow)
            columns = [text] if lang is None else [text, lang]
            done, total = 0, max(1, file.metadata.num_rows)
            for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                texts = batch.column(text)
                codes = None if lang is None else batch.column(lang)
                yield _to_posts(texts, codes, done)
                done += batch.num_rows
                self._share = done / total

    def _choose(self, schema: pa.Schema) -> tuple[str, str | None]:
        text, lang = self.columns.choose(schema.names, self.path)
        for name in (text, lang):
            if name is not None and not _is_string(schema.field(name).type):
                kind = schema.field(name).type
                raise InputError(f"{self.path}: column {name!r} holds {kind}, not text")
        return text, lang


def _is_string(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.DictionaryType):
        kind = kind.value_type
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _to_posts(texts: pa.Array, codes: pa.Array | None, done: int) -> pa.Table:
    string = pa.large_string()
    texts = texts.cast(string)
    langs: pa.Array = pa.nulls(len(texts), string) if codes is None else codes.cast(string)
    try:
        texts.validate(full=True)
        langs.validate(full=True)
    except pa.ArrowInvalid:
        readable = False
    else:
        readable = not texts.null_count
    if not readable:
        return to_table(_decode(texts, langs, done))
    places = pa.array(range(done + 1, done + 1 + len(texts)), pa.int64())
    columns = [texts, langs, pa.nulls(len(texts), string), places]
    unset = [pa.nulls(len(texts), pa.int32()), pa.nulls(len(texts), pa.int64())]
    return pa.Table.from_arrays([*columns, *unset], schema=POSTS)


def _decode(texts: pa.Array, codes: pa.Array, done: int) -> Iterator[Row]:
    """Yield rows one by one, where one of them has no text or is not UTF-8."""
    binary = pa.large_binary()
    pairs = zip(texts.cast(binary).to_pylist(), codes.cast(binary).to_pylist(), strict=True)
    for place, (text, lang) in enumerate(pairs, start=done + 1):
        if text is None:
            yield Row(problem=NO_TEXT, place=place)
            continue
        try:
            yield Row(text.decode(), None if lang is None else lang.decode(), place=place)
        except UnicodeDecodeError:
            yield Row(problem=NOT_UTF8, place=place)
