"""The folder that a build writes into: whose it is, and what may be done with it."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from deepmoji.corpus.layout import REPORT, TRAIN_FOLDER, is_ours
from deepmoji.corpus.report import check_report
from deepmoji.errors import InputError
from deepmoji.files import LOCK, PARTIAL, locked, read_json, remove_partials, write_json

_WORK, _MANIFEST = ".work", "build.json"
_STAGE = re.compile(r"[0-9a-f]{20}\.(json|parquet)")
_PARTIAL_OF = re.compile(r"\.(.+)\.\d+\.partial")
_GONE = {"request": "", "identity": ""}  # what is left of a corpus is of no build


@dataclass(frozen=True, kw_only=True)
class BuildFolder:
    """A corpus folder in the making.

    Attributes:
        path: of the folder.
        request: names the settings.
        identity: names the settings and the state of the posts, so what the corpus will be.
    """

    path: Path
    request: str
    identity: str

    @property
    def work(self) -> Path:
        """Where the outcome of stages is kept until the build is done."""
        return self.path / _WORK

    @contextmanager
    def locked(self, place: object) -> Generator[None]:
        """Keep other builds out of the folder; messages name ``place``.

        Raises:
            InputError: if another build writes to it, or it cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; give a folder with --out")
        with locked(self.path / LOCK, place):
            yield

    def prepare(self, *, overwrite: bool) -> dict[str, Any] | None:
        """Make the folder ready, and return its report if it holds this very corpus already.

        Raises:
            InputError: if it holds something else and ``overwrite`` is not set, or files that
                would be overwritten, though no build is known to have written them.
        """
        report, manifest = self.path / REPORT, self.work / _MANIFEST
        if overwrite:
            self._make_room()
        elif report.exists():
            return self._finished(read_json(report))
        elif manifest.exists():
            self._take_up(read_json(manifest))
        elif self.path.exists() and any(map(_is_foreign, self.path.rglob("*"))):
            raise InputError(
                f"{self.path} is not empty and holds no corpus; choose another folder, or write "
                "into it with --overwrite"
            )
        write_json(manifest, {"request": self.request, "identity": self.identity})
        return None

    def finish(self) -> None:
        """Remove what only an unfinished build needs."""
        with suppress(OSError):  # the corpus is whole all the same
            self._remove_work()

    def clear(self, *, keep_stages: bool = False) -> None:
        """Remove what builds write, nothing else, and the folders in which nothing is left."""
        for path in self._written():
            path.unlink()
        _remove_if_empty(self.path / TRAIN_FOLDER)
        if not keep_stages:
            self._remove_work()
        _remove_if_empty(self.path)

    def _make_room(self) -> None:
        """Clear a folder that holds a corpus, or nothing by the name of one."""
        names = [self._name(path) for path in self._written()]
        if names:
            if not self._is_corpus():
                raise InputError(
                    f"{self.path} holds {', '.join(names[:3])}{', …' * (len(names) > 3)}, but "
                    f"neither {REPORT} nor {_WORK}/{_MANIFEST} says that a build wrote it; move "
                    "it away, or choose another folder"
                )
            # Killed in the midst of it, a build must find neither a whole corpus nor strange files.
            write_json(self.work / _MANIFEST, _GONE)
        self.clear()

    def _is_corpus(self) -> bool:
        run = _read_object(self.path / REPORT).get("run")
        manifest = _read_object(self.work / _MANIFEST)
        return (isinstance(run, dict) and "identity" in run) or _GONE.keys() <= manifest.keys()

    def _written(self) -> list[Path]:
        """Return the files that have names of a corpus's, also if half written, report first."""
        found = [
            path
            for path in (*_files(self.path), *_files(self.path / TRAIN_FOLDER))
            if is_ours(self._name(path))
        ]
        return sorted(found, key=lambda path: (path.name != REPORT, path))

    def _remove_work(self) -> None:
        """Remove the outcome of stages, and last what says that there may be some."""
        ours = {path: self._name(path).removeprefix(f"{_WORK}/") for path in _files(self.work)}
        for path in sorted(ours, key=lambda path: path.name == _MANIFEST):
            if ours[path] == _MANIFEST or _STAGE.fullmatch(ours[path]):
                path.unlink()
        _remove_if_empty(self.work)

    def _name(self, path: Path) -> str:
        """Return a file's name within the folder; of a half-written one, what it was to become."""
        partial = _PARTIAL_OF.fullmatch(path.name)
        whole = path.with_name(partial[1]) if partial else path
        return whole.relative_to(self.path).as_posix()

    def _finished(self, report: Any) -> dict[str, Any]:
        run = report.get("run") if isinstance(report, dict) else None
        if not isinstance(run, dict) or run.get("identity") != self.identity:
            raise InputError(
                f"{self.path} holds a corpus of other posts or settings; choose another folder, "
                "or replace it with --overwrite"
            )
        check_report(report, self.path / REPORT)
        self.finish()
        return report

    def _take_up(self, manifest: Any) -> None:
        """Make an unfinished build this one; stages of files that have not changed still hold."""
        if not isinstance(manifest, dict) or not _GONE.keys() <= manifest.keys():
            raise InputError(
                f"{self.work / _MANIFEST} does not say what was being built; start anew with "
                "--overwrite, or choose another folder"
            )
        if manifest["request"] != self.request:
            raise InputError(
                f"{self.path} holds an unfinished corpus of other settings; choose another "
                "folder, or replace it with --overwrite"
            )
        if manifest["identity"] != self.identity:
            self.clear(keep_stages=True)
        remove_partials(self.path)


def _is_foreign(path: Path) -> bool:
    """Whether a build that was killed before it wrote its manifest cannot have left this."""
    return not path.is_dir() and not path.match(PARTIAL) and path.name != LOCK


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, none if there is no folder."""
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.is_file())


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object, empty if there is none."""
    with suppress(InputError):
        content = read_json(path)
        if isinstance(content, dict):
            return cast("dict[str, Any]", content)
    return {}
