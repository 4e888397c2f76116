"""A whole build: stages, assembly and report; killed anywhere, it goes on from there."""

import errno
import platform
import shutil
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from deepmoji.corpus.assemble import Assembly
from deepmoji.corpus.labelset import fixed_labels, most_frequent, top_count
from deepmoji.corpus.layout import (
    EVALUATION_SPLITS,
    FORMAT_VERSION,
    LABELS,
    REPORT,
    REPORT_TEXT,
    TRAIN_FOLDER,
    VOCABULARY,
    split_name,
)
from deepmoji.corpus.lines import READ_ERRORS
from deepmoji.corpus.machine import available_cores, watch_memory
from deepmoji.corpus.posts import PostFile, check_posts, find_posts
from deepmoji.corpus.report import make_report, to_markdown
from deepmoji.corpus.settings import CorpusSettings, fingerprint
from deepmoji.corpus.stages import Stage
from deepmoji.corpus.tally import Tally
from deepmoji.errors import InputError
from deepmoji.files import atomic_path, read_json, write_json

_WORK, _MANIFEST = ".work", "build.json"
_PARTS = (REPORT, REPORT_TEXT, VOCABULARY, LABELS, *map(split_name, EVALUATION_SPLITS))


class Progress(Protocol):
    """What a build tells about its progress."""

    def step(self, what: str, total: int) -> None:
        """Begin a step of so many bytes of input, 0 if it is not read from input."""

    def advance(self, size: int, rows: int) -> None:
        """So many bytes and rows more are done."""


class Silent:
    """Progress that nobody looks at."""

    def step(self, what: str, total: int) -> None:
        """Ignore a step."""

    def advance(self, size: int, rows: int) -> None:
        """Ignore an advance."""


class Build:
    """One build.

    Args:
        posts: files of posts.
        out: the corpus folder.
        settings: what to do.
        workers: processes for the text work.
        progress: hears how far it is.

    Raises:
        InputError: if a column or a label set cannot be used.
    """

    def __init__(
        self,
        *,
        posts: Sequence[PostFile],
        out: Path,
        settings: CorpusSettings,
        workers: int,
        progress: Progress,
    ) -> None:
        self.posts = posts
        self.out = out
        self.settings = settings
        self.workers = workers
        self.progress = progress
        self._top = top_count(settings.labels)
        self._fixed = () if self._top else fixed_labels(settings.labels)
        for file in posts:
            _check(file, settings)
        self.identity = fingerprint(
            {
                "format": FORMAT_VERSION,
                "settings": settings.to_dict(),
                "labels": list(self._fixed),
                "posts": [file.state for file in posts],
            }
        )
        self._reused = 0

    @property
    def work(self) -> Path:
        """Where the outcome of stages is kept until the build is done."""
        return self.out / _WORK

    def prepare(self, *, overwrite: bool) -> dict[str, Any] | None:
        """Make the folder ready, and return its report if it holds this very corpus already.

        Raises:
            InputError: if it holds something else and ``overwrite`` is not set.
        """
        if self.out.exists() and not self.out.is_dir():
            raise InputError(f"{self.out} is a file; give a folder with --out")
        report, manifest = self.out / REPORT, self.work / _MANIFEST
        if overwrite:
            self._clear()
        elif report.exists():
            content = read_json(report)
            if not _is_report(content) or content["run"]["identity"] != self.identity:
                raise InputError(
                    f"{self.out} holds a corpus of other posts or settings; "
                    "choose another folder, or replace it with --overwrite"
                )
            shutil.rmtree(self.work, ignore_errors=True)
            return content
        elif manifest.exists():
            if read_json(manifest) != {"identity": self.identity}:
                raise InputError(
                    f"{self.out} holds an unfinished corpus of other posts or settings; "
                    "choose another folder, or replace it with --overwrite"
                )
        elif self.out.exists() and any(self.out.iterdir()):
            raise InputError(
                f"{self.out} is not empty and holds no corpus; choose another folder, or write "
                "into it with --overwrite"
            )
        write_json(manifest, {"identity": self.identity})
        return None

    def run(self) -> dict[str, Any]:
        """Build and return the report.

        Raises:
            InputError: if no post holds a wanted emoji, or, if strict, something is unreadable.
        """
        started = time.monotonic()
        with watch_memory() as peak:
            labels = self._fixed if self._top is None else self._count_emojis(self._top)
            stages = self._stages(labels)
            tally = self._run(stages, "reading posts")
            assembly = Assembly(
                parts=[stage.part for stage in stages],
                folder=self.out,
                settings=self.settings,
                labels=labels,
            )
            if not len(assembly.pairs.row):
                self._clear()
                raise InputError(_nothing(tally, len(labels)))
            figures = assembly.write(lambda what: self.progress.step(what, 0))
        run = {
            "identity": self.identity,
            "seconds": round(time.monotonic() - started, 1),
            "peak_memory_gb": round(peak.gigabytes, 2),
            "workers": self.workers,
            "files_done_before": self._reused,
            "machine": f"{platform.system()} {platform.machine()}, {available_cores()} cores",
            "python": platform.python_version(),
        }
        report = make_report(
            settings=self.settings,
            inputs=[{"file": str(file.path), "bytes": file.size} for file in self.posts],
            tally=tally,
            figures=figures,
            run=run,
        )
        with atomic_path(self.out / REPORT_TEXT) as path:
            path.write_text(to_markdown(report), encoding="utf-8")
        write_json(self.out / REPORT, report)
        shutil.rmtree(self.work)
        return report

    def _stages(self, labels: tuple[str, ...]) -> list[Stage]:
        return [
            Stage(file=file, folder=self.work, settings=self.settings, wanted=labels)
            for file in self.posts
        ]

    def _run(self, stages: Sequence[Stage], what: str) -> Tally:
        """Run the stages that are not finished and add up what they counted."""
        self.progress.step(what, sum(stage.file.size for stage in stages))
        total = Tally()
        for stage in stages:
            tally = stage.finished()
            self._reused += tally is not None
            if tally is None:
                tally = stage.run(self.workers, self.progress.advance)
            else:
                self.progress.advance(stage.file.size, tally.posts)
            total.add(tally)
        return total

    def _count_emojis(self, count: int) -> tuple[str, ...]:
        tally = self._run(self._stages(()), "counting emojis")
        return most_frequent(tally.emojis, count)

    def _clear(self) -> None:
        """Remove what builds write, and nothing else."""
        for name in (TRAIN_FOLDER, _WORK):
            shutil.rmtree(self.out / name, ignore_errors=True)
        for name in _PARTS:
            (self.out / name).unlink(missing_ok=True)


def _check(file: PostFile, settings: CorpusSettings) -> None:
    try:
        check_posts(file, settings)
    except READ_ERRORS:  # its stage will name it in the report
        return


def _is_report(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("run"), dict)


def _nothing(tally: Tally, labels: int) -> str:
    dropped = ", ".join(f"{rule} {count:,}" for rule, count in sorted(tally.dropped.items()))
    broken = f"; {len(tally.broken)} files could not be read" if tally.broken else ""
    return (
        f"no post with one of the {labels} wanted emojis is left of {tally.posts:,} "
        f"(dropped: {dropped or 'none'}; unreadable rows: {tally.unreadable:,}{broken}); see "
        "--labels, --language and --without"
    )


@contextmanager
def _plain_errors(out: Path) -> Generator[None]:
    """Turn what the operating system refuses into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"no space left for {out}; what is finished is kept: make room and run the same "
                "command again"
            ) from error
        if isinstance(error, PermissionError):
            raise InputError(f"cannot write {error.filename or out}: {error.strerror}") from error
        raise


def build_corpus(
    posts: Sequence[str | Path],
    out: str | Path,
    *,
    settings: CorpusSettings,
    workers: int | None,
    overwrite: bool,
    progress: Progress | None,
) -> dict[str, Any]:
    """See :func:`deepmoji.corpus.build`."""
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}; it must be at least 1")
    build = Build(
        posts=find_posts(posts),
        out=Path(out),
        settings=settings,
        workers=workers or available_cores(),
        progress=progress or Silent(),
    )
    with _plain_errors(Path(out)):
        done = build.prepare(overwrite=overwrite)
        return build.run() if done is None else done
