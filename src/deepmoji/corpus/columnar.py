"""Posts out of Parquet files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deepmoji.corpus.columns import Columns, Fields
from deepmoji.corpus.source import BATCH_ROWS, NO_TEXT, NOT_UTF8, POSTS, Row, to_table
from deepmoji.corpus.urls import Url, for_arrow
from deepmoji.errors import InputError


@dataclass
class ParquetFile:
    """A Parquet file of posts.

    Attributes:
        path: of the file.
        size: in bytes.
        columns: which hold text, language and what else is wanted.
    """

    path: Path | Url
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
        with pq.ParquetFile(for_arrow(self.path)) as file:
            self._choose(file.schema_arrow)
        return True

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows, with the columns POSTS; one without text, or not in UTF-8, says so.

        Raises:
            InputError: if a column is missing or does not hold text.
            OSError, pyarrow.ArrowException: if the file breaks off.
        """
        with pq.ParquetFile(for_arrow(self.path)) as file:
            chosen = self._choose(file.schema_arrow)
            columns = list({name for name in chosen if name is not None})
            done, total = 0, max(1, file.metadata.num_rows)
            for batch in file.iter_batches(BATCH_ROWS, columns=columns):
                yield _to_posts(batch, chosen, done)
                done += batch.num_rows
                self._share = done / total

    def _choose(self, schema: pa.Schema) -> Fields:
        chosen = self.columns.choose(schema.names, self.path)
        for part, name in chosen._asdict().items():
            if name is None:
                continue
            kind = schema.field(name).type
            tests, what = _KINDS[part]
            inner = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
            if not any(test(inner) for test in tests):
                raise InputError(f"{self.path}: column {name!r} holds {kind}, not {what}")
        return chosen


_STRINGS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_NAMES = ((*_STRINGS, pa.types.is_integer), "text or whole numbers")
_MORE = ("score", "author", "id")
# What each column may hold.
_KINDS = {
    "text": (_STRINGS, "text"),
    "lang": (_STRINGS, "text"),
    "score": ((pa.types.is_floating,), "fractions"),
    "author": _NAMES,
    "id": _NAMES,
}


def _to_posts(batch: pa.RecordBatch, chosen: Fields, done: int) -> pa.Table:
    string = pa.large_string()
    columns: dict[str, pa.Array] = {
        part: pa.nulls(batch.num_rows, POSTS.field(part).type)
        if name is None
        else batch.column(name).cast(POSTS.field(part).type)
        for part, name in chosen._asdict().items()
    }
    more = [columns[part] for part in _MORE]
    texts, langs = columns["text"], columns["lang"]
    try:
        texts.validate(full=True)
        langs.validate(full=True)
    except pa.ArrowInvalid:
        readable = False
    else:
        readable = not texts.null_count
    if not readable:
        table = to_table(_decode(texts, langs, done))
        for part, column in zip(_MORE, more, strict=True):
            table = table.set_column(POSTS.get_field_index(part), POSTS.field(part), column)
        return table
    places = pa.array(range(done + 1, done + 1 + len(texts)), pa.int64())
    known = [texts, langs, pa.nulls(len(texts), string), places]
    unset = [pa.nulls(len(texts), pa.int32()), pa.nulls(len(texts), pa.int64())]
    return pa.Table.from_arrays([*known, *unset, *more], schema=POSTS)


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
