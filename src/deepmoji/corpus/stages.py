"""One stage a file: run the Daft program over it and keep the outcome, whole or not at all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from daft.exceptions import DaftCoreException
from numpy.typing import NDArray

from deepmoji.corpus.lines import BROKEN, READ_ERRORS
from deepmoji.corpus.posts import PostFile, read_posts
from deepmoji.corpus.program import READING, readings
from deepmoji.corpus.settings import RULES, CorpusSettings, fingerprint
from deepmoji.corpus.tally import SAMPLES, Tally
from deepmoji.corpus.words import KEPT
from deepmoji.errors import InputError
from deepmoji.files import atomic_path, read_json, write_json


class UnreadableError(Exception):
    """A file that cannot be read at all."""


PART = pa.schema(
    [READING.field(name) for name in ("input", "words", "labels", "post", "key", "order")]
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The work on one file.

    Attributes:
        file: the posts.
        folder: where the outcome goes.
        settings: of the build.
        wanted: the labels; none counts emojis instead.
    """

    file: PostFile
    folder: Path
    settings: CorpusSettings
    wanted: tuple[str, ...]

    @property
    def name(self) -> str:
        """Names the outcome by everything that it depends on."""
        content = {
            "file": self.file.state,
            "settings": self.settings.to_dict(),
            "wanted": list(self.wanted),
        }
        return fingerprint(content)

    @property
    def part(self) -> Path:
        """The kept posts, with columns as in PART."""
        return self.folder / f"{self.name}.parquet"

    @property
    def tally_path(self) -> Path:
        """The tally; it is written last, so where it is the part is whole."""
        return self.folder / f"{self.name}.json"

    def finished(self) -> Tally | None:
        """Return the tally of a finished stage, None if it is not finished."""
        return Tally.from_dict(read_json(self.tally_path)) if self.tally_path.exists() else None

    def run(self, workers: int, advance: Callable[[int, int], None]) -> Tally:
        """Read the file and keep the outcome.

        Args:
            workers: processes for the Python part.
            advance: called with a number of bytes of input, and of rows, as they are done.

        Raises:
            InputError: if the file or a row cannot be read and the settings are strict.
        """
        tally = Tally()
        try:
            self._read(tally, workers, advance)
        except UnreadableError as error:
            # What was read before the file broke off is not kept: a part is of a whole file.
            tally = Tally(broken=[(str(self.file.path), str(error))])
            with atomic_path(self.part) as path:
                pq.write_table(PART.empty_table(), path)
        if self.settings.strict:
            _refuse(tally)
        write_json(self.tally_path, tally.to_dict())
        return tally

    def _read(self, tally: Tally, workers: int, advance: Callable[[int, int], None]) -> None:
        done = 0
        with (
            atomic_path(self.part) as path,
            pq.ParquetWriter(path, PART, compression="zstd") as out,
        ):
            for batch, position in self._batches(workers):
                kept = self._count(batch, tally)
                if self.wanted and kept.num_rows:
                    out.write_table(kept)
                if self.settings.strict:
                    _refuse(tally)
                advance(position - done, batch.num_rows)
                done = position
        advance(self.file.size - done, 0)

    def _batches(self, workers: int) -> Iterator[tuple[pa.Table, int]]:
        """Yield the rows as they are done, with about how many bytes of the file were read."""
        rows = 0
        try:
            posts = read_posts(self.file, self.settings)
            for batch in readings(posts.frame, self.settings, self.wanted, workers).to_arrow_iter():
                rows += batch.num_rows
                yield pa.Table.from_batches([batch]), min(posts.position(rows), self.file.size)
        except (*READ_ERRORS, DaftCoreException) as error:
            raise UnreadableError(" ".join(str(error).split())) from error

    def _count(self, rows: pa.Table, tally: Tally) -> pa.Table:
        """Add rows to the tally and return the kept posts."""
        readable = rows["problem"].is_null().to_numpy()
        self._count_problems(rows.filter(pa.array(~readable)), tally)
        rows = rows.filter(pa.array(readable))
        codes = rows["code"].to_numpy()
        counts = np.bincount(codes, minlength=len(RULES) + 1)
        tally.posts += rows.num_rows
        tally.kept += int(counts[KEPT])
        for code, rule in enumerate(RULES, start=1):
            if counts[code]:
                tally.dropped[rule] += int(counts[code])
                tally.add_samples(rule, _samples(rows, np.flatnonzero(codes == code)))
        if not self.wanted:
            tally.emojis.update(rows["emojis"].combine_chunks().flatten().to_pylist())
        kept = rows.filter(pa.array(codes == KEPT)).select(PART.names).combine_chunks()
        return kept.cast(PART)

    def _count_problems(self, rows: pa.Table, tally: Tally) -> None:
        name = str(self.file.path)
        places, problems = rows["place"].to_pylist(), rows["problem"].to_pylist()
        for place, problem in zip(places, problems, strict=True):
            if place == BROKEN:
                tally.broken.append((name, problem))
            else:
                tally.unreadable += 1
                tally.add_problems([(name, place or 0, problem)])


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
