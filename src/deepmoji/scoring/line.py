"""Parts one after another: read, through the workers, written, each in its order."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import pyarrow as pa

from deepmoji.bundle import Bundle
from deepmoji.errors import InputError
from deepmoji.scoring.columnar import ParquetSource
from deepmoji.scoring.columns import NewColumns
from deepmoji.scoring.folder import ScoreFolder
from deepmoji.scoring.formats import FORMATS, UnwritableError
from deepmoji.scoring.lines import CsvSource, TextSource
from deepmoji.scoring.objects import JsonSource
from deepmoji.scoring.parts import Part
from deepmoji.scoring.progress import Progress
from deepmoji.scoring.scorer import Scored
from deepmoji.scoring.settings import ScoreSettings
from deepmoji.scoring.source import READ_ERRORS, Rows, Source
from deepmoji.scoring.workers import score_beside, score_serially
from deepmoji.scoring.writing import PartWriter

# Of values that a library cannot turn into another type. One file with such must not end the run.
_ODD = (ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a part: its rows, of them new ones, or why it could not be read."""

    part: Part
    rows: int = 0
    new: int = 0
    problem: str | None = None


@dataclass(eq=False)
class _Job:
    """A part being scored; without a writer if it cannot be read at all."""

    part: Part
    writer: PartWriter | None = None
    total: int = 0  # rows
    problem: str | None = None


@dataclass(frozen=True)
class _Step:
    """Some rows of a part, or, without rows, its end."""

    job: _Job
    rows: Rows | None = None

    @property
    def texts(self) -> list[str] | None:
        return None if self.rows is None else self.rows.texts


class _BrokenOff(Exception):  # noqa: N818 - caught below, tells nobody anything
    """The rest of a part cannot be read."""


@contextmanager
def _noting(job: _Job) -> Generator[None]:
    """Note why a part cannot be read, and go on: other parts can be."""
    try:
        yield
    except InputError as error:
        job.problem = str(error)
    except (*READ_ERRORS, *_ODD) as error:
        job.problem = f"{job.part.path} cannot be read: {_reason(error)}"


def _reason(error: BaseException) -> str:
    strerror = error.strerror if isinstance(error, OSError) else None
    return " ".join(str(strerror or error or type(error).__name__).split())


@dataclass
class _Line:
    """Parts one after another, through the workers, into the folder."""

    settings: ScoreSettings
    folder: ScoreFolder
    progress: Progress
    columns: NewColumns = field(init=False)

    def __post_init__(self) -> None:
        self.columns = NewColumns(Bundle.open(self.settings.folder), self.settings)

    def steps(self, parts: Sequence[Part]) -> Iterator[_Step]:
        """Yield the rows of all parts, and an end for each."""
        for part in parts:
            job = _Job(part)
            opened = self._open(job)
            if opened is not None:
                yield from self._rows(job, *opened)
            yield _Step(job)

    def _open(self, job: _Job) -> tuple[Source, pa.Schema] | None:
        """Return the rows of a part and the schema of its output."""
        with _noting(job):
            source = open_part(job.part, self.settings.text_column)
            return source, self.columns.schema(source.schema, job.part.path)
        return None

    def _rows(self, job: _Job, source: Source, schema: pa.Schema) -> Iterator[_Step]:
        job.writer = PartWriter(
            work=self.folder.work(job.part),
            target=self.folder.target(job.part),
            schema=schema,
            form=FORMATS[self.settings.format],
        )
        job.total = source.rows
        with _noting(job):
            for rows in source.read(job.writer.rows):
                yield _Step(job, rows)
            if not job.part.is_unchanged():
                raise InputError(f"{job.part.path} was changed while it was being read")

    def write(self, job: _Job, scored: Iterator[tuple[_Step, Scored | None]]) -> Outcome:
        """Write a part, and say what came of it."""
        if job.writer is None:
            return Outcome(part=job.part, problem=job.problem)
        before, form = job.writer.rows, self.settings.format
        self.progress.advance(self._size(job, before), 0)
        try:
            rows = job.writer.write(self._tables(job, scored))
            self.folder.announce(job.part)
            job.writer.place()
        except _BrokenOff:
            return Outcome(part=job.part, problem=job.problem)
        except UnwritableError as error:
            problem = f"{job.part.path} cannot be written as {form}: {_reason(error)}"
            return Outcome(part=job.part, problem=problem)
        self.folder.finish(job.part, rows)
        job.writer.clear()
        return Outcome(part=job.part, rows=rows, new=rows - before)

    def _tables(
        self, job: _Job, scored: Iterator[tuple[_Step, Scored | None]]
    ) -> Iterator[pa.Table]:
        for step, answers in scored:
            if step.rows is not None and answers is not None:
                yield self.columns.append(step.rows.table, answers)
                count = len(step.rows.texts)
                self.progress.advance(self._size(job, count), count)
            elif job.problem is not None:
                raise _BrokenOff

    def _size(self, job: _Job, rows: int) -> float:
        return job.part.size * rows / max(1, job.total)


def score_parts(
    parts: Sequence[Part],
    settings: ScoreSettings,
    out: ScoreFolder,
    progress: Progress,
    workers: int,
) -> Generator[Outcome]:
    """Score parts, and yield what came of each, in order.

    The workers go from one part to the next without a pause, and share the rows of a large one.
    """
    line = _Line(settings, out, progress)
    steps = line.steps(parts)
    through = score_serially if workers == 1 else partial(score_beside, workers=workers)
    with closing(through(steps, settings)) as scored:
        for job, group in groupby(scored, key=lambda pair: pair[0].job):
            yield line.write(job, group)


def open_part(part: Part, text_column: str | None) -> Source:
    """Look through a part of the input: its columns, its rows, whether all can be read.

    Raises:
        InputError: if it has no texts, or a row cannot be read.
        OSError, EOFError, pyarrow.ArrowException: if the file cannot be read.
    """
    if part.format == "text" and text_column not in (None, "text"):
        raise InputError(
            f"{part.path}: plain text has no column {text_column!r}; score it without --text-column"
        )
    opened: dict[str, Callable[[], Source]] = {
        "parquet": lambda: ParquetSource(part.path, text_column),
        "text": lambda: TextSource(part.path, part.compression),
        "csv": lambda: CsvSource(part.path, part.compression, ",", text_column),
        "tsv": lambda: CsvSource(part.path, part.compression, "\t", text_column),
        "json": lambda: JsonSource(part.path, part.compression, text_column),
    }
    return opened[part.format]()
