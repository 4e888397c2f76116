"""A whole build: stages, assembly and report; killed anywhere, it goes on from there."""

import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from deepmoji.corpus import program
from deepmoji.corpus.assemble import Assembly
from deepmoji.corpus.cluster import Ray
from deepmoji.corpus.folder import BuildFolder
from deepmoji.corpus.given import Named
from deepmoji.corpus.labelset import fixed_labels, most_frequent, top_count
from deepmoji.corpus.layout import FORMAT_VERSION, REPORT, REPORT_TEXT
from deepmoji.corpus.machine import watch_memory
from deepmoji.corpus.posts import PostFile, check_posts, find_posts
from deepmoji.corpus.publish import finished, send
from deepmoji.corpus.remote import run_stages
from deepmoji.corpus.report import make_report, to_markdown
from deepmoji.corpus.settings import CorpusSettings, fingerprint
from deepmoji.corpus.stages import Stage, in_groups
from deepmoji.corpus.tally import Tally
from deepmoji.corpus.urls import Url, check_place, place_to_write, working_folder
from deepmoji.errors import InputError
from deepmoji.files import atomic_path, plain_write_errors, write_json
from deepmoji.machine import available_cores

_STAGE_SIZE = 8_000_000  # bytes: what a killed build loses at most, if files are small
_LEAST_TASKS = 8  # on a cluster, if there are as many files


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
        cluster: where the text work is done; None: here.
        progress: hears how far it is.

    Raises:
        InputError: if a column, a label set or what else the settings name cannot be used.
    """

    def __init__(
        self,
        *,
        posts: Sequence[PostFile],
        out: Path,
        settings: CorpusSettings,
        workers: int,
        cluster: Ray | None,
        progress: Progress,
    ) -> None:
        self.posts = check_posts(posts, settings)
        self.settings = settings
        self.workers = workers
        self.cluster = cluster
        self.progress = progress
        self._top = top_count(settings.labels)
        self._fixed = fixed_labels(settings.labels)
        self._named = Named.read(settings)
        self._described = self._named.describe(settings)
        request = {
            "format": FORMAT_VERSION,
            "settings": self._described,
            "labels": list(self._fixed),
        }
        states = [file.state for file in posts]
        self.folder = BuildFolder(
            path=out,
            request=fingerprint(request),
            identity=fingerprint({**request, "posts": states}),
        )
        self._reused = 0
        self._processes: set[tuple[str, int]] = set()

    def run(self) -> dict[str, Any]:
        """Build and return the report.

        Raises:
            InputError: if no post holds a wanted emoji, or, if strict, something is unreadable.
        """
        started = time.monotonic()
        program.start()
        with watch_memory() as peak:
            labels = self._fixed
            if self._top is not None:
                labels = most_frequent(self.count_emojis().emojis, self._top, self._fixed)
            stages = self._stages(labels)
            tally = self._run(stages, "reading posts")
            assembly = Assembly(
                parts=[stage.part for stage in stages],
                folder=self.folder.path,
                settings=self.settings,
                labels=labels,
                vocabulary=self._named.vocabulary,
            )
            assembly.count_surplus(tally)
            if not len(assembly.pairs.row):
                self.folder.clear()
                raise InputError(_nothing(tally, len(labels)))
            figures = assembly.write(lambda what: self.progress.step(what, 0))
        run = {
            "identity": self.folder.identity,
            "seconds": round(time.monotonic() - started, 1),
            "peak_memory_gb": round(peak.gigabytes, 2),
            **self._workforce(),
            "files_done_before": self._reused,
            "machine": f"{platform.system()} {platform.machine()}, {available_cores()} cores",
            "python": platform.python_version(),
        }
        report = make_report(
            settings=self.settings,
            described=self._described,
            inputs=[{"file": str(file.path), "bytes": file.size} for file in self.posts],
            tally=tally,
            figures=figures,
            run=run,
        )
        with atomic_path(self.folder.path / REPORT_TEXT) as path:
            path.write_text(to_markdown(report), encoding="utf-8")
        write_json(self.folder.path / REPORT, report)
        self.folder.finish()
        return report

    def _stages(self, labels: tuple[str, ...]) -> list[Stage]:
        excluded = self._named.excluded_keys(self.settings, labels)
        deleted = None
        if self.settings.delete_ids is not None:
            deleted = pa.array(self._named.deleted, pa.large_string())
        return [
            Stage(
                files=files,
                names=tuple(str(file.path) for file in files),
                folder=self.folder.work,
                settings=self.settings,
                wanted=labels,
                described=self._described,
                excluded=excluded,
                deleted=deleted,
            )
            for files in in_groups(self.posts, self._stage_size)
        ]

    @property
    def _stage_size(self) -> int:
        if self.cluster is None:
            return _STAGE_SIZE
        return min(_STAGE_SIZE, sum(file.size for file in self.posts) // _LEAST_TASKS)

    def _run(self, stages: Sequence[Stage], what: str) -> Tally:
        """Run the stages that are not finished and add up what they counted."""
        self.progress.step(what, sum(stage.size for stage in stages))
        total, missing = Tally(), list[Stage]()
        for stage in stages:
            tally = stage.finished()
            if tally is None:
                missing.append(stage)
                continue
            self._reused += len(stage.files)
            self.progress.advance(stage.size, tally.posts)
            total.add(tally)
        for tally in self._run_missing(missing):
            total.add(tally)
        return total

    def _run_missing(self, stages: Sequence[Stage]) -> Iterator[Tally]:
        if self.cluster is None:
            for stage in stages:
                yield stage.run(self.workers, self.progress.advance)
            return
        with closing(run_stages(stages, self.cluster)) as outcomes:
            for stage, done in outcomes:
                self._processes.add((done.machine, done.process))
                self.progress.advance(stage.size, done.tally.posts)
                yield done.tally

    def _workforce(self) -> dict[str, int]:
        if self.cluster is None:
            return {"workers": self.workers}
        machines = {machine for machine, _ in self._processes}
        return {"workers": len(self._processes), "machines": len(machines)}

    def count_emojis(self) -> Tally:
        """Count the emojis of the posts that pass the filters, and what else is counted then."""
        program.start()
        return self._run(self._stages(()), "counting emojis")


def _nothing(tally: Tally, labels: int) -> str:
    dropped = ", ".join(f"{rule} {count:,}" for rule, count in sorted(tally.dropped.items()))
    broken = f"; {len(tally.broken)} files could not be read" if tally.broken else ""
    return (
        f"no post with one of the {labels} wanted emojis is left of {tally.posts:,} "
        f"(dropped: {dropped or 'none'}; unreadable rows: {tally.unreadable:,}{broken}); see "
        "--labels, --language and --without"
    )


def build_corpus(
    posts: Sequence[str | Path],
    out: str | Path,
    *,
    settings: CorpusSettings,
    workers: int | None,
    cluster: Ray | None,
    overwrite: bool,
    progress: Progress | None,
) -> dict[str, Any]:
    """See :func:`deepmoji.corpus.build`."""
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}; it must be at least 1")
    if workers is not None and cluster is not None:
        raise InputError("workers is for this machine; a cluster's tasks take all that it has")
    place = place_to_write(out)
    if isinstance(place, Url):
        check_place(place)
    build = Build(
        posts=find_posts(posts, place),
        out=working_folder(place, "builds") if isinstance(place, Url) else place,
        settings=settings,
        workers=workers or available_cores(),
        cluster=cluster,
        progress=progress or Silent(),
    )
    if isinstance(place, Url) and not overwrite:
        there = finished(place, build.folder.identity)
        if there is not None:
            shutil.rmtree(build.folder.path, ignore_errors=True)  # of a run killed at its very end
            return there
    with plain_write_errors(build.folder.path), build.folder.locked(place):
        done = build.folder.prepare(overwrite=overwrite)
        report = build.run() if done is None else done
        if isinstance(place, Url):
            send(build.folder.path, place)
        return report
