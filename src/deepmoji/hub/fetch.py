"""One file from one address: resumed where it stopped, checked, there whole or not at all."""

import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from deepmoji.errors import HubError
from deepmoji.hub.address import check, opener, shown
from deepmoji.hub.cache import locked, make_folder
from deepmoji.hub.checks import Wanted, agrees, complaint_about, sha256_of
from deepmoji.hub.trouble import PassingTrouble, explain, explain_disk

_CHUNK = 1 << 16
_MOST_TRIES = 100  # in all: a server that gives a byte at a time is no server
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

Report = Callable[[int, int | None], None]  # bytes so far, bytes in all where that is known


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait, and how often."""

    timeout: float = 30.0  # seconds without a byte
    tries: int = 4  # in a row that bring nothing
    pause: float = 1.0  # seconds before the second try, doubled for each further one
    longest_pause: float = 20.0  # also when the server asks for more


@dataclass
class _Download:
    address: str
    target: Path
    wanted: Wanted
    report: Report | None
    patience: Patience
    headers: Mapping[str, str] = field(repr=False)
    furthest: int = 0  # bytes that a try of this process got to: whether one brought something
    resumed: bool = False  # bytes of an earlier process are in the file

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")

    @property
    def tag(self) -> Path:
        """Holds the ETag of the file that the part is of: all there is without a checksum."""
        return self.target.with_name(f"{self.target.name}.part.etag")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.part.stat().st_size if self.part.exists() else 0

    def forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.tag.unlink(missing_ok=True)


def fetch(
    address: str,
    target: Path,
    *,
    wanted: Wanted | None = None,
    report: Report | None = None,
    patience: Patience | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Download a file; what is at ``target`` changes only when everything has been checked.

    Bytes go to ``target``.part and are kept when the network or the process fails: the next call
    asks for the rest alone (RFC 9110, section 14). Without a checksum it does so only if the
    server's strong ETag says that it is still the same file.

    Args:
        address: HTTPS, or HTTP to this machine.
        target: the file to write; its folder is made.
        wanted: size and checksums to insist on.
        report: called with the bytes so far and in all, from the first one on.
        patience: time-outs and tries.
        headers: sent along, but not to other servers that this one redirects to.

    Returns:
        the SHA-256 of the file, in hexadecimal.

    Raises:
        HubError: if it cannot be had, is not what was wanted, or cannot be written.
    """
    check(address)
    make_folder(target.parent)
    download = _Download(
        address,
        target,
        wanted or Wanted(),
        report,
        patience or Patience(),
        headers or {},
    )
    try:
        with locked(target.with_name(f".{target.name}.lock")):
            return _fetch(download)
    except OSError as error:
        raise explain_disk(error, target) from error


def _fetch(download: _Download) -> str:
    if download.wanted.checkable and agrees(download.target, download.wanted):
        return sha256_of(download.target)  # another process got it while we waited for the lock
    download.resumed = download.part.exists()
    _insist(download)
    complaint = complaint_about(download.part, download.wanted)
    if complaint and download.resumed:
        # The beginning was somebody else's, or damaged on this disk: once more, from the start.
        download.forget()
        download.resumed = False
        _insist(download)
        complaint = complaint_about(download.part, download.wanted)
    if complaint:
        download.forget()
        raise HubError(f"{shown(download.address)}: {complaint}")
    digest = sha256_of(download.part)
    with download.part.open("r+b") as file:
        os.fsync(file.fileno())
    download.part.replace(download.target)
    download.forget()
    return digest


def _insist(download: _Download) -> None:
    """Try until the file is complete, or as often as patience has it without getting any bytes."""
    patience, idle = download.patience, 0
    for _ in range(_MOST_TRIES):
        before = download.furthest
        try:
            return _attempt(download)
        except PassingTrouble as trouble:
            idle = idle + 1 if download.furthest == before else 1
            if idle >= patience.tries:
                raise
            pause = max(patience.pause * 2 ** (idle - 1), trouble.wait)
            time.sleep(min(pause, patience.longest_pause))
    raise HubError(f"{shown(download.address)}: it broke off {_MOST_TRIES} times; try again later")


def _attempt(download: _Download) -> None:
    """Ask once, and write what comes behind what is there."""
    if download.wanted.checkable and download.size == download.wanted.size:
        return  # all there: only the check was missing
    response, start = _ask(download)
    if response is None:
        return
    with response:
        total = _total(response, start)
        _check_size(download, total, start, bool(response.chunked))
        if start == 0:
            download.resumed = False
            _note_tag(download, response.headers.get("ETag"))
        _read(download, response, start, total)


def _ask(download: _Download) -> tuple[Any, int]:
    """Return the answer and the byte it starts at; no answer if all bytes are there already."""
    request = Request(download.address, headers={"User-Agent": "deepmoji"})  # noqa: S310 - checked
    for name, value in download.headers.items():
        request.add_unredirected_header(name, value)
    have = _usable(download)
    if have:
        request.add_header("Range", f"bytes={have}-")
        if not download.wanted.checkable:
            request.add_header("If-Range", download.tag.read_text("ascii"))
    try:
        response: Any = opener().open(request, timeout=download.patience.timeout)
    except HTTPError as error:
        with error:
            if error.code == 416 and have:
                return _after_416(download, error, have)
            raise explain(error, download.address) from error
    except (OSError, HTTPException) as error:
        raise explain(error, download.address) from error
    start = have if response.status == 206 else 0
    if response.status == 206 and _range(response) != have:
        response.close()
        download.forget()
        raise PassingTrouble(f"{shown(download.address)}: sent another part than it was asked for")
    return response, start


def _usable(download: _Download) -> int:
    """How many bytes of an earlier try may be built on."""
    if not download.wanted.checkable and not download.tag.exists():
        return 0
    return download.size


def _after_416(download: _Download, error: HTTPError, have: int) -> tuple[None, int]:
    """The server has nothing behind our last byte: then that was all, or it is another file."""
    found = _CONTENT_RANGE.fullmatch(error.headers.get("Content-Range") or "")
    if found and found[2] == str(have):
        return None, have
    download.forget()
    raise PassingTrouble(f"{shown(download.address)}: the file changed meanwhile; try again")


def _note_tag(download: _Download, tag: str | None) -> None:
    download.tag.unlink(missing_ok=True)
    if tag and tag.startswith('"') and tag.isascii():  # weak ones do not speak of bytes
        download.tag.write_text(tag, "ascii")


def _range(response: Any) -> int | None:
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range") or "")
    return int(found[1]) if found and found[1] else None


def _total(response: Any, start: int) -> int | None:
    """Bytes of the whole file, if the server says so."""
    length = response.headers.get("Content-Length")
    return start + int(length) if length and length.isdecimal() else None


def _check_size(download: _Download, total: int | None, start: int, chunked: bool) -> None:
    """Refuse what is known to be wrong before it is read."""
    wanted, where = download.wanted, shown(download.address)
    if total is None:
        if not (chunked or wanted.checkable):
            raise HubError(f"{where}: the server does not say how long it is: a cut would not show")
        return
    if wanted.size is not None and total != wanted.size:
        download.forget()
        raise HubError(
            f"{where}: {total:,} bytes came, {wanted.size:,} were wanted; it is another file"
        )
    if total > wanted.most:
        raise _too_long(download)
    free = shutil.disk_usage(download.target.parent).free
    if total - start > free:
        raise HubError(
            f"the disk is full: {download.target} needs {(total - start) / 1e6:,.1f} MB, "
            f"{free / 1e6:,.1f} MB are free"
        )


def _too_long(download: _Download) -> HubError:
    download.forget()
    return HubError(
        f"{shown(download.address)}: more came than the {download.wanted.most:,} bytes that it may "
        "have at most"
    )


def _read(download: _Download, response: Any, start: int, total: int | None) -> None:
    limit, at = download.wanted.most, start
    with download.part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        while True:
            try:
                chunk: bytes = response.read1(_CHUNK)
            except (OSError, HTTPException) as error:
                raise explain(error, download.address) from error
            if not chunk:
                break
            at += len(chunk)
            if at > limit:
                raise _too_long(download)
            file.write(chunk)
            download.furthest = max(download.furthest, at)
            if download.report is not None:
                download.report(at, total)
    whole = download.wanted.size if total is None else total
    if whole is not None and at < whole:
        raise PassingTrouble(
            f"{shown(download.address)}: the connection broke after {at:,} of {whole:,} bytes; "
            "run it again, it goes on where it stopped"
        )
