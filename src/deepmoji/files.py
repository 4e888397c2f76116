"""Writing files so that they are there whole or not at all, and reading them with clear errors."""

import errno
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from deepmoji.errors import InputError

LOCK = ".lock"  # in a folder, while a run writes to it
LATEST = "latest.pt"  # in the folder of a training run: its last state
# What a writer that was killed leaves beside the file that it was writing.
PARTIAL = ".*.partial"
_OURS = re.compile(r"\..+\.\d+\.partial")  # more exactly
_HALF = re.compile("[\ud800-\udfff]")  # characters, as names that are no UTF-8 come to have
_FULL = {
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG")  # the disk, what one may take of it, or of a file
    if hasattr(errno, name)
}


def is_disk_full(error: OSError) -> bool:
    """Whether an error means that there is no room for what was being written."""
    return error.errno in _FULL


@contextmanager
def plain_write_errors(out: Path) -> Generator[None]:
    """Say in one line what the operating system refuses while the files of ``out`` are written.

    Raises:
        InputError: if there is no room, or writing is not allowed.
    """
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise InputError(
                f"no space left for {error.filename or out}; what is finished is kept: make room "
                "and run the same command again"
            ) from error
        if isinstance(error, PermissionError):
            raise InputError(f"cannot write {error.filename or out}: {error.strerror}") from error
        raise


@contextmanager
def locked(path: Path, place: object) -> Generator[None]:
    """Keep other runs of the same work out, by a lock on a file that is gone afterwards.

    Where the system knows no such locks (Windows), nothing is kept out.

    Args:
        path: of the file; its folder is made, and removed again if nothing came into it.
        place: what is written to, for messages.

    Raises:
        InputError: if another run holds it, or the file cannot be written.
    """
    made = not path.parent.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _held(path)
    except BlockingIOError:
        raise InputError(
            f"another run is writing to {place}; wait for its end, or choose another folder"
        ) from None
    except OSError as error:
        if path.is_symlink():
            raise InputError(
                f"the lock {path} is a link to another file; remove it, or choose another folder"
            ) from error
        raise InputError(f"cannot write to {path.parent}: {error.strerror}") from error
    with file:
        try:
            yield
        finally:
            with suppress(OSError):  # not while it is open, says Windows; not empty, says a folder
                path.unlink()
                if made:
                    path.parent.rmdir()


def _held(path: Path) -> IO[str]:
    """Return the file, open and locked."""
    try:
        import fcntl
    except ImportError:
        return path.open("a")
    with ExitStack() as undo:
        while True:
            file = undo.enter_context(open(path, "a", opener=_open_itself))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):  # who held it may have removed it meanwhile
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    undo.pop_all()
                    return file


def _open_itself(path: str, flags: int) -> int:
    """Open a file, but none that a link of that name leads to."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def check_writable(path: Path) -> None:
    """Make sure that a file can be written, before the work that it is to hold the result of.

    Nothing is left behind, no folder either.

    Raises:
        InputError: if it cannot.
    """
    path = _regular(path)
    folder = next(each for each in path.parents if each.exists())
    if not folder.is_dir():
        raise InputError(f"cannot write {path}: {folder} is no folder; choose another place")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another place") from error


def _regular(path: Path) -> Path:
    """Return the file itself behind a link, which need not exist yet.

    Raises:
        InputError: if it is something else than a file: a folder, a device.
    """
    path = Path(path).resolve()
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no regular file; give the name of a file to write")
    return path


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Yield a temporary path beside ``path`` that becomes it when the block succeeds.

    The file is written to disk before it is renamed; after an error or Ctrl-C nothing is left.
    Who may read and write the file that is replaced may do so with the new one, nobody else.

    Raises:
        InputError: if ``path`` is something else than a file: a folder, a device.
    """
    path = _regular(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")  # as PARTIAL says
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    try:
        if mode is not None:
            temporary.touch(mode | 0o600)  # before anything that is secret comes into it
        yield temporary
        _to_disk(temporary)
        if mode is not None and stat.S_IMODE(temporary.stat().st_mode) != mode:
            with suppress(PermissionError):  # some file systems know no modes
                temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_partials(folder: Path) -> None:
    """Remove what killed writers left in a folder, at any depth."""
    for path in folder.rglob(PARTIAL):
        if _OURS.fullmatch(path.name) and path.is_file():
            path.unlink()


@contextmanager
def atomic_folder(folder: Path) -> Generator[Path]:
    """Yield a temporary folder beside ``folder`` that replaces it when the block succeeds."""
    folder = Path(folder).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                _to_disk(file)
        if folder.exists():
            folder.replace(aside)  # a folder cannot be renamed onto one that has content
        temporary.replace(folder)
    finally:
        if aside.exists() and not folder.exists():
            aside.replace(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)


def _to_disk(path: Path) -> None:
    with path.open("r+b") as file:  # some systems sync only what may be written
        os.fsync(file.fileno())


def write_json(path: Path, value: object) -> None:
    """Write a value as UTF-8 JSON, whole or not at all; what UTF-8 cannot spell, as escapes."""
    with atomic_path(path) as temporary:
        text = json.dumps(value, ensure_ascii=False, indent=1)
        text = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: if the file is missing, unreadable or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a JSON file: {error}") from error
