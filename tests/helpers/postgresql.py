"""A PostgreSQL server of the tests' own: made, used and thrown away."""

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

# Debian keeps the server's programs off PATH, a folder for each version.
_DEBIAN = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")


def program(name):
    """The path of one of the server's programs, None where it is not installed."""
    versions = sorted(_DEBIAN.glob("[0-9]*/bin"), key=lambda each: int(each.parent.name))
    folders = [os.environ.get("PATH", ""), *map(str, reversed(versions))]
    return shutil.which(name, path=os.pathsep.join(folders))


@contextmanager
def running():
    """Run a server that listens on a socket of its own only; gives its URL without a database.

    It has no durable storage (fsync is off): the tests kill clients of it, not itself.
    """
    # Not pytest's folder: that is its user's alone, and a server refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="deepmoji-pg-"))
    user = _other_user()
    if user is not None:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off"

    def call(name, *arguments):
        command = [program(name), *map(str, arguments)]
        done = subprocess.run(
            command, user=user, cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{name}: {done.stderr}{_read(log)}"

    try:
        call("initdb", "-D", data, "-A", "trust", "-U", "tests", "-E", "UTF8", "--no-sync")
        # pg_ctl leaves the server behind with its outputs: they have to be a file's.
        call("pg_ctl", "-D", data, "-l", log, "-o", settings, "-w", "start")
        try:
            yield f"postgresql://tests@/{{}}?host={folder}"
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user():
    """Whom the server runs as, where this process is root's; None: its own user."""
    import pwd

    if os.geteuid() != 0:
        return None
    there = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in _USERS if name in there)


def _read(log):
    return log.read_text() if log.is_file() else ""
