"""The folder that holds what was downloaded: `DEEPMOJI_HOME`, or where the platform keeps caches.

Linux follows the XDG Base Directory specification, macOS and Windows their own conventions.
"""

import errno
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from deepmoji.errors import HubError


def home(environment: Mapping[str, str] | None = None, *, platform: str = sys.platform) -> Path:
    r"""Return the cache folder; it need not exist yet.

    ``DEEPMOJI_HOME`` if it is set. Otherwise ``~/Library/Caches/deepmoji`` on macOS,
    ``%LOCALAPPDATA%\deepmoji\Cache`` on Windows, and ``$XDG_CACHE_HOME/deepmoji`` or
    ``~/.cache/deepmoji`` elsewhere.
    """
    values = os.environ if environment is None else environment
    if chosen := values.get("DEEPMOJI_HOME"):
        return Path(chosen).expanduser().absolute()
    user = Path("~").expanduser()
    if platform == "darwin":
        return user / "Library" / "Caches" / "deepmoji"
    if platform == "win32":
        local = values.get("LOCALAPPDATA")
        return (Path(local) if local else user / "AppData" / "Local") / "deepmoji" / "Cache"
    base = Path(values.get("XDG_CACHE_HOME", ""))
    # The specification: a relative path is invalid and has to be ignored.
    return (base if base.is_absolute() else user / ".cache") / "deepmoji"


def make_folder(folder: Path) -> Path:
    """Make a folder, its parents too.

    Raises:
        HubError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HubError(
            f"cannot make the folder {folder}: {error.strerror}; choose another with "
            "DEEPMOJI_HOME or --out"
        ) from error
    return folder


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold the lock file ``path``, so that two processes do not write one download.

    Waits for the other to end. The lock goes with the process that holds it, however it ends.
    """
    while True:
        with path.open("a+b") as file:
            _lock(file)
            try:
                if not _is_still(path, file):
                    continue  # who held it before us took the file away
                try:
                    yield
                finally:
                    with suppress(PermissionError):  # Windows keeps a file that is open
                        path.unlink()
                return
            finally:
                _unlock(file)


def _is_still(path: Path, file: IO[Any]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[Any]) -> None:
        file.seek(0)
        while True:
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError as error:  # it gives up after ten tries, a second apart
                if error.errno not in (errno.EACCES, errno.EDEADLK):
                    raise

    def _unlock(file: IO[Any]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _unlock(file: IO[Any]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
