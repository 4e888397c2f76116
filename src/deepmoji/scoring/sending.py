"""A folder of scored parts at a URL: each is made on a machine, sent whole, and removed there."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from deepmoji.corpus.settings import fingerprint
from deepmoji.corpus.urls import Url, plain_errors, working_folder
from deepmoji.errors import InputError
from deepmoji.scoring.folder import DONE, MANIFEST, ScoreFolder, is_ours
from deepmoji.scoring.parts import Part


@dataclass(frozen=True, kw_only=True)
class UrlFolder(ScoreFolder):
    """A folder elsewhere, and one on this machine for what is unfinished.

    Attributes:
        url: of the folder.
    """

    url: Url

    @classmethod
    def at(cls, url: Url, request: Mapping[str, Any]) -> "UrlFolder":
        """Return the folder at a URL; the same request finds again what it left unfinished."""
        path = working_folder(url, "scores") / fingerprint(dict(request))[:20]
        return cls(path=path, request=request, url=url)

    @property
    def place(self) -> Url:
        """What messages name."""
        return self.url

    def elsewhere(self) -> "UrlFolder":
        """Return what a task on another machine is given."""
        return replace(self)  # without the listing

    def here(self) -> "UrlFolder":
        """Return the same, with a folder of the machine that asks."""
        return self.at(self.url, self.request)

    def check(self, *, overwrite: bool) -> None:
        """See :class:`ScoreFolder`."""
        with plain_errors(self.url):
            content = (self.url / MANIFEST).read() if MANIFEST in self._there else None
        if overwrite:
            return
        if content is not None:
            self.compare(_parsed(content))
        elif not all(is_ours(Path(name.partition("/")[0])) for name in self._there):
            raise InputError(
                f"{self.url} is not empty and holds no scores; choose another folder, or write "
                "into it with --overwrite"
            )

    def prepare(self, *, overwrite: bool, about: Mapping[str, Any]) -> None:
        """See :class:`ScoreFolder`."""
        if overwrite:
            shutil.rmtree(self.path / DONE, ignore_errors=True)
        super().prepare(overwrite=overwrite, about=about)
        with plain_errors(self.url):
            if overwrite:
                self._remove_all()
            (self.url / MANIFEST).write_file(self.path / MANIFEST)

    def finished(self, part: Part) -> int | None:
        """See :class:`ScoreFolder`; a part that is finished here is sent first."""
        note = f"{DONE}/{part.name}.json"
        if {note, part.name} <= self._there.keys():
            with plain_errors(self.url):
                stored = _parsed((self.url / note).read())
            return self.judge(part, stored, self._there[part.name])
        rows = super().finished(part)
        if rows is not None:
            self._send(part)
        return rows

    def forget(self, part: Part) -> None:
        """See :class:`ScoreFolder`."""
        super().forget(part)
        with plain_errors(self.url):
            for name in (f"{DONE}/{part.name}.json", part.name):
                if name in self._there:
                    (self.url / name).remove()

    def finish(self, part: Part, rows: int) -> None:
        """See :class:`ScoreFolder`; sent, its note last, and removed here."""
        super().finish(part, rows)
        self._send(part)

    def tidy(self) -> None:
        """Remove what is on this machine."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _send(self, part: Part) -> None:
        note = f"{DONE}/{part.name}.json"
        with plain_errors(self.url):
            for name in (part.name, note):
                (self.url / name).write_file(self.path / name)
        for name in (note, part.name):
            (self.path / name).unlink()

    def _remove_all(self) -> None:
        """Remove what runs have sent, nothing else."""
        for name in self._there:
            if name.startswith(f"{DONE}/"):
                target = name.removeprefix(f"{DONE}/").removesuffix(".json")
                for each in (name, target):
                    (self.url / each).remove()
        (self.url / MANIFEST).remove()
        self._there.clear()

    @cached_property
    def _there(self) -> dict[str, int]:
        """The files that were there at the beginning, and their sizes in bytes."""
        begin = f"{self.url.text.rstrip('/')}/"
        with plain_errors(self.url):
            return {each.text.removeprefix(begin): size for each, size, _ in self.url.files()}


def _parsed(content: bytes) -> dict[str, Any]:
    """Return a note; nothing of one that cannot be read."""
    try:
        stored = json.loads(content)
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}
