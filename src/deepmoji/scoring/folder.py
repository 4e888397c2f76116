"""The folder that a run writes: whose it is, which parts are finished, what is left of others."""

import shutil
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.files import PARTIAL, locked, read_json, remove_partials, write_json
from deepmoji.scoring.parts import Part

# Hidden or with an underscore: Spark, Daft and pyarrow read the parts beside them alone.
MANIFEST, _HIDDEN = "_score.json", ".score"
DONE = f"{_HIDDEN}/done"  # a note for each finished part
_WORK, _LOCK = "work", "lock"
_UNSET = {"long_texts": "cut"}


@dataclass(frozen=True, kw_only=True)
class ScoreFolder:
    """A folder of scored parts.

    Attributes:
        path: of the folder.
        request: what decides the output for the same input.
    """

    path: Path
    request: Mapping[str, Any]

    @property
    def place(self) -> Path | Url:
        """What messages name."""
        return self.path

    @property
    def lock(self) -> Path:
        """The file that a run holds."""
        return self.path / _HIDDEN / _LOCK

    def elsewhere(self) -> "ScoreFolder":
        """Return what a task on another machine is given."""
        return replace(self, path=self.path.absolute())

    def here(self) -> "ScoreFolder":
        """Return what a task works with on its machine."""
        return self

    @contextmanager
    def locked(self) -> Generator[None]:
        """Keep other runs out of the folder.

        Raises:
            InputError: if another run writes to it.
        """
        with locked(self.lock, self.place):
            yield

    def check(self, *, overwrite: bool) -> None:
        """Make sure that parts may be written here.

        Raises:
            InputError: if the folder holds something else, or parts of other settings, and
                ``overwrite`` is not set.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; give a folder with --out")
        manifest = self.path / MANIFEST
        if overwrite:
            return
        if manifest.exists():
            self.compare(read_json(manifest))
        elif self.path.exists():
            self.check_others(each.name for each in self.path.iterdir())

    def check_others(self, names: Iterable[str]) -> None:
        """Make sure that a folder without a manifest holds nothing that would be lost.

        Args:
            names: of the files and folders in it.

        Raises:
            InputError: if it does.
        """
        if not all(map(_is_ours, names)):
            raise InputError(
                f"{self.place} is not empty and holds no scores; choose another folder, or write "
                "into it with --overwrite"
            )

    def prepare(self, *, overwrite: bool, about: Mapping[str, Any]) -> None:
        """Make the folder ready, once it is locked and checked; ``about`` is for readers."""
        if overwrite:
            self._clear()
        remove_partials(self.path)
        write_json(self.path / MANIFEST, {"request": dict(self.request), **about})

    def target(self, part: Part) -> Path:
        """Where a part of the output goes."""
        return self.path / part.name

    def work(self, part: Part) -> Path:
        """Where the segments of an unfinished part are, those of another input removed."""
        folder = self.path / _HIDDEN / _WORK / part.name
        state = folder / "input.json"
        if not state.exists() or _stored(state) != part.state:
            shutil.rmtree(folder, ignore_errors=True)
            write_json(state, part.state)
        return folder

    def finished(self, part: Part) -> int | None:
        """Return the rows of a part that is there, None if it is not, or not of this input.

        Raises:
            InputError: if the part that is there was made of another file.
        """
        note, target = self._note(part), self.target(part)
        if not note.exists() or not target.is_file():
            return None
        return self.judge(part, _stored(note), target.stat().st_size)

    def judge(self, part: Part, note: Mapping[str, Any], written: int) -> int | None:
        """Return the rows of a part with its note and size, None if it is not of this input.

        Raises:
            InputError: if the part was made of another file.
        """
        source = note.get("path")
        if not isinstance(source, str):  # a note that cannot be read
            return None
        if source != part.state["path"]:
            raise InputError(
                f"{self.place / part.name} was made of {source}, not of {part.path}; choose "
                "another folder, or replace it with --overwrite"
            )
        same = {**part.state, "written": written}.items() <= note.items()
        return int(note.get("rows", 0)) if same else None

    def check_targets(self, parts: Iterable[Part]) -> None:
        """Make sure that parts come in the place of nothing that no run has written.

        Raises:
            InputError: if they would.
        """
        for part in parts:
            if self._is_foreign(part):
                raise InputError(
                    f"{self.place / part.name} was not written by deepmoji score; move it away, "
                    "choose another folder, or replace it with --overwrite"
                )

    def _is_foreign(self, part: Part) -> bool:
        """Whether something is in a part's place that no run has written."""
        return self.target(part).exists() and not self._note(part).exists()

    def forget(self, part: Part) -> None:
        """Remove what runs have written of a part whose input is another now."""
        if not self._is_foreign(part):
            self.target(part).unlink(missing_ok=True)
        self._note(part).unlink(missing_ok=True)

    def announce(self, part: Part) -> None:
        """Note that a part comes: if the run is killed now, the next one knows it for its own."""
        write_json(self._note(part), dict(part.state))

    def finish(self, part: Part, rows: int) -> None:
        """Note that a part is there."""
        written = self.target(part).stat().st_size
        write_json(self._note(part), {**part.state, "rows": rows, "written": written})

    def tidy(self) -> None:
        """Remove what only unfinished parts need."""
        shutil.rmtree(self.path / _HIDDEN / _WORK, ignore_errors=True)

    def _note(self, part: Part) -> Path:
        return self.path / note_name(part)

    def _clear(self) -> None:
        """Remove what runs have written, nothing else."""
        done = self.path / DONE
        for note in done.rglob("*.json"):
            (self.path / note.relative_to(done).with_suffix("")).unlink(missing_ok=True)
        for folder in (done, self.path / _HIDDEN / _WORK):
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            (self.path / MANIFEST).unlink()

    def compare(self, stored: Any) -> None:
        """Compare the request that the folder was made for.

        Raises:
            InputError: if it is another one.
        """
        before = stored.get("request") if isinstance(stored, dict) else None
        if not isinstance(before, dict):
            raise InputError(
                f"{self.place / MANIFEST} does not say what was scored; choose another folder, or "
                "start anew with --overwrite"
            )
        keys = [key for key in self.request if before.get(key) != self.request[key]]
        if keys:
            # The digest of a model says nothing to a person.
            told = [
                key
                if key == "model"
                else f"{key} {_as_given(before, key)} there, {_as_given(self.request, key)} now"
                for key in keys
            ]
            raise InputError(
                f"{self.place} holds scores of other settings ({'; '.join(told)}); choose another "
                "folder, or replace them with --overwrite"
            )


def _as_given(request: Mapping[str, Any], key: str) -> Any:
    """Return a setting as a person gives it."""
    value = request.get(key)
    return _UNSET.get(key, "not given") if value is None else value


def note_name(part: Part) -> str:
    """Return where in a folder the note of a finished part is."""
    return f"{DONE}/{part.name}.json"


def _is_ours(name: str) -> bool:
    """Whether a run that was killed before it wrote the manifest can have left this."""
    return name == _HIDDEN or PurePath(name).match(PARTIAL)


def _stored(path: Path) -> dict[str, Any]:
    """Return a note; nothing of one that cannot be read: its part is made again."""
    try:
        stored = read_json(path)
    except InputError:
        return {}
    return stored if isinstance(stored, dict) else {}
