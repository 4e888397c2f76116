"""The folder that a build writes into: whose it is, and what may be done with it."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepmoji.corpus.layout import (
    EVALUATION_SPLITS,
    LABELS,
    REPORT,
    REPORT_TEXT,
    TRAIN_FOLDER,
    VOCABULARY,
    split_name,
)
from deepmoji.corpus.report import check_report
from deepmoji.errors import InputError
from deepmoji.files import LOCK, PARTIAL, locked, read_json, remove_partials, write_json

_WORK, _MANIFEST = ".work", "build.json"
FILES = (REPORT, REPORT_TEXT, VOCABULARY, LABELS, *map(split_name, EVALUATION_SPLITS))


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
            InputError: if it holds something else and ``overwrite`` is not set.
        """
        report, manifest = self.path / REPORT, self.work / _MANIFEST
        if overwrite:
            self.clear()
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
        shutil.rmtree(self.work, ignore_errors=True)

    def clear(self, *, keep_stages: bool = False) -> None:
        """Remove what builds write, nothing else, and the folder if nothing is left."""
        for name in (TRAIN_FOLDER,) if keep_stages else (TRAIN_FOLDER, _WORK):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):
            self.path.rmdir()

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
        if not isinstance(manifest, dict) or not {"request", "identity"} <= manifest.keys():
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
