"""A folder of scored parts at a URL: each is made on a machine, sent whole, and removed there."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepmoji.corpus.settings import fingerprint
from deepmoji.corpus.urls import Url, check_place, plain_errors, working_folder
from deepmoji.scoring.folder import DONE, MANIFEST, ScoreFolder, note_name
from deepmoji.scoring.parts import Part

_AT_ONCE = 16  # requests


@dataclass(frozen=True, kw_only=True)
class UrlFolder(ScoreFolder):
    """A folder elsewhere, and one on this machine for what is unfinished.

    Attributes:
        url: of the folder.
        there: names and sizes, in bytes, of the files that are there when a run begins.
        notes: of finished parts, by their names, when a run begins.
    """

    url: Url
    there: dict[str, int] = field(default_factory=dict[str, int])
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def at(cls, url: Url, request: Mapping[str, Any]) -> "UrlFolder":
        """Return the folder at a URL; the same request finds again what it left unfinished."""
        path = working_folder(url, "scores") / fingerprint(dict(request))[:20]
        return cls(path=path, request=request, url=url)

    @property
    def place(self) -> Url:
        """What messages name."""
        return self.url

    @property
    def lock(self) -> Path:
        """One for all requests."""
        return self.path.parent / "lock"

    def elsewhere(self) -> "UrlFolder":
        """Return what a task on another machine is given: not all the names."""
        return self.at(self.url, self.request)

    def here(self) -> "UrlFolder":
        """Return the same, with a folder of the machine that asks."""
        return self.at(self.url, self.request)

    def check(self, *, overwrite: bool) -> None:
        """See :class:`ScoreFolder`."""
        check_place(self.url)
        self._look()
        if not overwrite:
            self._check_others()

    def _check_others(self) -> None:
        if MANIFEST in self.there:
            self.compare(self._read(MANIFEST))
        else:
            self.check_others(name.partition("/")[0] for name in self.there)

    def prepare(self, *, overwrite: bool, about: Mapping[str, Any]) -> None:
        """See :class:`ScoreFolder`."""
        self._look()  # again, now that no other run of this machine is at it
        if overwrite:
            self._remove_all()
            for each in self.path.parent.iterdir():  # also what other settings left unfinished
                shutil.rmtree(each, ignore_errors=True)
        else:
            self._check_others()
        super().prepare(overwrite=overwrite, about=about)
        if MANIFEST not in self.there:
            with plain_errors(self.url):
                (self.url / MANIFEST).write_file(self.path / MANIFEST)
        names = [name for name in self.there if name.startswith(f"{DONE}/")]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self.notes.update(zip(names, pool.map(self._read, names), strict=True))

    def finished(self, part: Part) -> int | None:
        """See :class:`ScoreFolder`; a part that is finished here is sent first."""
        note = self.notes.get(note_name(part))
        if isinstance(note, dict) and part.name in self.there:
            return self.judge(part, note, self.there[part.name])
        rows = super().finished(part)
        if rows is not None:
            self._send(part)
        return rows

    def _is_foreign(self, part: Part) -> bool:
        return self._is_sent_by_others(part) or super()._is_foreign(part)

    def _is_sent_by_others(self, part: Part) -> bool:
        return part.name in self.there and note_name(part) not in self.there

    def forget(self, part: Part) -> None:
        """See :class:`ScoreFolder`."""
        super().forget(part)
        if not self._is_sent_by_others(part):
            self._remove(part.name, note_name(part))

    def finish(self, part: Part, rows: int) -> None:
        """See :class:`ScoreFolder`; sent, and removed here."""
        super().finish(part, rows)
        self._send(part)

    def tidy(self) -> None:
        """Remove what is on this machine."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _send(self, part: Part) -> None:
        # The note first: it says how large the part is, and a later run finds by it what to remove.
        names = (note_name(part), part.name)
        with plain_errors(self.url):
            for name in names:
                (self.url / name).write_file(self.path / name)
        for name in names:
            (self.path / name).unlink()

    def _look(self) -> None:
        self.there.clear()
        with plain_errors(self.url):
            self.there.update(self.url.inside())

    def _read(self, name: str) -> Any:
        """Return a file's JSON, None of one that holds none."""
        with plain_errors(self.url):
            content = (self.url / name).read()
        try:
            return json.loads(content)
        except ValueError:
            return None

    def _remove_all(self) -> None:
        """Remove what runs have sent, nothing else; no note before its part."""
        notes = [name for name in self.there if name.startswith(f"{DONE}/")]
        parts = [name.removeprefix(f"{DONE}/").removesuffix(".json") for name in notes]
        self._remove(*parts, *notes, MANIFEST)

    def _remove(self, *names: str) -> None:
        with plain_errors(self.url):
            for name in names:
                if self.there.pop(name, None) is not None:
                    (self.url / name).remove()
