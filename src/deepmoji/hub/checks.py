"""What a file has to be, and whether it is: size, first bytes, SHA-256, git id."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a file has to be; None where it is not known."""

    sha256: str | None = None
    git_id: str | None = None  # SHA-1 of git's header and the bytes, as hubs give for small files
    size: int | None = None  # bytes
    limit: int = 4 * 10**9  # bytes; no more is ever read, whatever a server says the size is
    begins: tuple[bytes, ...] = ()

    @property
    def most(self) -> int:
        """Bytes that may come."""
        return self.limit if self.size is None else min(self.size, self.limit)

    @property
    def checkable(self) -> bool:
        """Whether there is a checksum to compare with."""
        return bool(self.sha256 or self.git_id)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def agrees(path: Path, wanted: Wanted) -> bool:
    """Tell whether a file is there and is what is wanted, as far as that is known."""
    return path.is_file() and not complaint_about(path, wanted)


def complaint_about(path: Path, wanted: Wanted) -> str:
    """Say what is wrong with a file that is there, or ""."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(64)
    if wanted.begins and not head.startswith(wanted.begins):
        kind = "a web page" if head.lstrip().startswith(b"<") else "something else"
        return f"{kind} came, not the file; it may have moved"
    if wanted.size is not None and size != wanted.size:
        return f"{size:,} bytes came, {wanted.size:,} were wanted"
    found = sha256_of(path) if wanted.sha256 else ""
    if wanted.sha256 and found != wanted.sha256.lower():
        return f"its SHA-256 is {found}, wanted {wanted.sha256.lower()}: damaged, or another file"
    if wanted.git_id and _git_id(path) != wanted.git_id:
        return f"its git id is not {wanted.git_id}: damaged, or another file"
    return ""


def _git_id(path: Path) -> str:
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
