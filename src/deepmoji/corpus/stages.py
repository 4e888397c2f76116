"""One stage a file, or a few small ones: run the program and keep the outcome, whole or absent."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from daft.exceptions import DaftCoreException
from numpy.typing import NDArray

from deepmoji.corpus.machine import on_interrupt
from deepmoji.corpus.posts import PostFile, open_posts
from deepmoji.corpus.program import READING, readings
from deepmoji.corpus.settings import STEPS, CorpusSettings, fingerprint
from deepmoji.corpus.source import BROKEN, PostSource
from deepmoji.corpus.surplus import HASHES
from deepmoji.corpus.tally import SAMPLES, Tally
from deepmoji.corpus.words import CODES, KEPT, hash64
from deepmoji.corpus.workers import deaths_told
from deepmoji.errors import DeepmojiError, InputError, WorkerDied
from deepmoji.files import atomic_path, read_json, write_json

_PART = ("input", "words", "labels", "post", "key", "order")


def part_schema(settings: CorpusSettings) -> pa.Schema:
    """Return the columns of a part: of a reading, and what its steps after reading need."""
    part = [READING.field(name) for name in _PART]
    if settings.near_duplicates:
        part.append(pa.field("minhash", pa.list_(pa.uint32(), HASHES)))
    if settings.cap_author is not None:
        part.append(pa.field("author", pa.uint64()))
    return pa.schema(part)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The work on a file, or on a few small ones.

    Attributes:
        files: of posts.
        names: what the files are called in the report.
        folder: where the outcome goes.
        settings: of the build.
        wanted: the labels; none counts emojis instead.
        described: the settings with digests for what they name.
        excluded: keys of the texts to exclude, sorted.
        deleted: ids of posts that must not be used, if there is such a list.
    """

    files: tuple[PostFile, ...]
    names: tuple[str, ...]
    folder: Path
    settings: CorpusSettings
    wanted: tuple[str, ...]
    described: Mapping[str, Any]
    excluded: NDArray[np.uint64]
    deleted: pa.Array | None

    @property
    def name(self) -> str:
        """Names the outcome by everything that it depends on."""
        content = {
            "files": [file.state for file in self.files],
            "settings": self.described,
            "wanted": list(self.wanted),
        }
        return fingerprint(content)

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(file.size for file in self.files)

    @property
    def part(self) -> Path:
        """The kept posts, with the columns of :func:`part_schema`."""
        return self.folder / f"{self.name}.parquet"

    @property
    def tally_path(self) -> Path:
        """The tally; it is written last, so where it is the part is whole."""
        return self.folder / f"{self.name}.json"

    def finished(self) -> Tally | None:
        """Return the tally of a finished stage, None if it is not finished."""
        return Tally.from_dict(read_json(self.tally_path)) if self.tally_path.exists() else None

    def run(self, workers: int, advance: Callable[[int, int], None]) -> Tally:
        """Read the files and keep the outcome.

        Args:
            workers: processes for the Python part; 0 does it in this one.
            advance: called with a number of bytes of input, and of rows, as they are done.

        Raises:
            InputError: if a file or a row cannot be read and the settings are strict.
            WorkerDied: if a worker process was ended from outside.
        """
        tally = Tally()
        done = 0
        with (
            atomic_path(self.part) as path,
            pq.ParquetWriter(path, part_schema(self.settings), compression="zstd") as out,
            closing(self._readings(workers)) as parts,
        ):
            for rows, position in parts:
                kept = self._count(rows, tally)
                if self.wanted and kept.num_rows:
                    out.write_table(kept)
                if self.settings.strict:
                    _refuse(tally)
                advance(position - done, rows.num_rows)
                done = position
        self._check_still_there(tally)
        advance(self.size - done, 0)
        write_json(self.tally_path, tally.to_dict())
        return tally

    def keep(self, part: NDArray[np.uint8], tally: Tally) -> None:
        """Keep the outcome of a stage that ran elsewhere.

        Args:
            part: the bytes of its file, uint8 [n].
            tally: what it counted.
        """
        with atomic_path(self.part) as path:
            part.tofile(path)
        write_json(self.tally_path, tally.to_dict())

    def _readings(self, workers: int) -> Generator[tuple[pa.Table, int]]:
        """Yield the rows as they are done, with about how many bytes of the files were read."""
        stop_file = self.part.with_suffix(".stop")
        readers = [open_posts(file, self.settings) for file in self.files]
        source = PostSource(readers, workers, stop_file)
        batches = readings(source, self.settings, self.wanted, workers).to_arrow_iter()
        count, total = 0, None
        with on_interrupt(source.stop), deaths_told(), _drained(batches, source):
            for batch in batches:
                source.take(batch.num_rows)
                rows = pa.Table.from_batches([batch])
                ends = rows["total"].is_valid().to_numpy()
                if ends.any():
                    total = rows["total"].drop_null()[0].as_py()
                    rows = rows.filter(pa.array(~ends))
                count += rows.num_rows
                if not source.stopped:
                    yield rows, min(source.position, self.size)
        if count != total:
            raise DeepmojiError(
                f"{self.files[0].path}: only {count} of {total or 'its'} rows came back from the "
                "text work; run the same command again"
            )

    def _count(self, rows: pa.Table, tally: Tally) -> pa.Table:
        """Add rows to the tally and return the kept posts."""
        readable = rows["problem"].is_null().to_numpy()
        self._count_problems(rows.filter(pa.array(~readable)), tally)
        rows = rows.filter(pa.array(readable))
        codes = self._judge(rows)
        counts = np.bincount(codes, minlength=len(STEPS) + 1)
        tally.posts += rows.num_rows
        tally.kept += int(counts[KEPT])
        for code, rule in enumerate(STEPS, start=1):
            if counts[code]:
                tally.dropped[rule] += int(counts[code])
                if rule != "deleted":  # those are nowhere to be seen
                    tally.add_samples(rule, _samples(rows, np.flatnonzero(codes == code)))
        if not self.wanted:
            emojis = rows["emojis"].filter(pa.array(codes == KEPT))
            tally.emojis.update(emojis.combine_chunks().flatten().to_pylist())
        part = part_schema(self.settings)
        kept = rows.filter(pa.array(codes == KEPT)).select(part.names).combine_chunks()
        if "author" in part.names:
            key, place = self.settings.hash_key, part.names.index("author")
            hashes = [hash64(name, key) if name else 0 for name in kept["author"].to_pylist()]
            kept = kept.set_column(place, part.field(place), pa.array(hashes, pa.uint64()))
        return kept.cast(part)

    def _judge(self, rows: pa.Table) -> NDArray[np.uint8]:
        """Return the code of the first step that drops each post, KEPT if none does."""
        codes = rows["code"].to_numpy()
        found = is_in(rows["key"].to_numpy(), self.excluded)
        codes = np.where((codes == KEPT) & found, np.uint8(CODES["excluded"]), codes)
        if self.deleted is None:
            return codes
        deleted = pc.call_function("is_in", [rows["id"]], pc.SetLookupOptions(self.deleted))
        return np.where(deleted.to_numpy(), np.uint8(CODES["deleted"]), codes)

    def _check_still_there(self, tally: Tally) -> None:
        """Refuse to finish without a file that was there when the build began.

        One that cannot be read is named in the report and passed over, however often it is tried;
        of one that is gone the next start of the build may read every row.
        """
        broken = {name for name, _ in tally.broken}
        for name, file in zip(self.names, self.files, strict=True):
            if name in broken and not file.path.exists():
                raise InputError(
                    f"{name} was there when the build began, and is gone; what is finished is "
                    "kept: put it back, or do without it, and run the same command again"
                )

    def _count_problems(self, rows: pa.Table, tally: Tally) -> None:
        columns = [rows[name].to_pylist() for name in ("file", "place", "problem")]
        for file, place, problem in zip(*columns, strict=True):
            name = self.names[file]
            if place == BROKEN:
                tally.broken.append((name, problem))
            else:
                tally.unreadable += 1
                tally.add_problems([(name, place or 0, problem)])


def in_groups(files: Sequence[PostFile], size: int) -> Iterator[tuple[PostFile, ...]]:
    """Yield files in their order, as many at a time as it takes to reach ``size`` bytes.

    Starting the workers takes a second or two; archives of tweets come in thousands of files.
    """
    group: list[PostFile] = []
    for file in files:
        group.append(file)
        if sum(each.size for each in group) >= size:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def is_in(values: NDArray[Any], ranked: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which values are among sorted ones, however many those are."""
    if not len(ranked):
        return np.zeros(len(values), bool)
    place = np.minimum(np.searchsorted(ranked, values), len(ranked) - 1)
    return ranked[place] == values


@contextmanager
def _drained(batches: Iterator[pa.RecordBatch], source: PostSource) -> Generator[None]:
    """Let Daft come to its end whatever happens: its threads must not outlive the interpreter."""
    source.stop_file.unlink(missing_ok=True)
    try:
        yield
    finally:
        source.stop()
        with suppress(DaftCoreException, RuntimeError, OSError, EOFError, WorkerDied):
            for _ in batches:
                pass
        source.stop_file.unlink(missing_ok=True)


def _samples(rows: pa.Table, chosen: NDArray[np.int64]) -> list[tuple[int, str]]:
    hashes, first = np.unique(rows["sample"].to_numpy()[chosen], return_index=True)
    taken = rows.select(["text"]).take(pa.array(chosen[first[:SAMPLES]]))
    return list(zip(hashes[:SAMPLES].tolist(), taken["text"].to_pylist(), strict=True))


def _refuse(tally: Tally) -> None:
    for name, why in tally.broken:
        raise InputError(f"{name}: {why} (--strict)")
    for name, row, why in tally.problems:
        where = f"row {row}" if row else "a row"
        raise InputError(f"{name}: {where} cannot be read: {why} (--strict)")
