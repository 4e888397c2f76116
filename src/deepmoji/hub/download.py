"""A model by its name, from documented addresses or a model hub, into the cache or a folder."""

import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from deepmoji.bundle import PARTS, REQUIRED, Bundle, check_replaceable
from deepmoji.errors import BundleError, HubError, InputError, MissingDependency
from deepmoji.files import atomic_folder, atomic_path, read_json, write_json
from deepmoji.hub.cache import home, locked, make_folder
from deepmoji.hub.checks import Wanted, agrees, sha256_of
from deepmoji.hub.fetch import Patience, fetch
from deepmoji.hub.repository import PREFIX, Listing, Repository, list_files
from deepmoji.hub.sources import File, Source, find
from deepmoji.hub.trouble import Refused

Report = Callable[[str, int, int | None], None]  # file, bytes so far, bytes in all if known


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file that is here now."""

    path: Path
    sha256: str
    checked: str  # where the checksum that it has was published; "" if nobody published one


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """A model that is here now."""

    name: str
    folder: Path
    files: tuple[Fetched, ...]


def download(name: str, *, out: str | Path | None = None, report: Report | None = None) -> Path:
    """Bring a published model here, and return the folder it is in.

    What is in the cache already is not downloaded again. For a model on a hub, the hub is asked
    what its newest version is; if it cannot be reached, the version in the cache does.

    Args:
        name: ``original``, another name of ``sources.SOURCES``, or ``hf://OWNER/NAME``, where
            ``@REVISION`` may follow: a branch, tag or commit.
        out: the folder to write to; one in the cache by default.
        report: called with the file's name, the bytes so far, and in all.

    Returns:
        the folder: of a model on a hub, a bundle; else the files as they were published.

    Raises:
        HubError: if it cannot be had or written, or is not what it has to be.
        InputError: if there is nothing of that name.
        BundleError: if the hub's files are no sound bundle, or ``out`` holds something else.
        MissingDependency: if a hub has to be asked and huggingface_hub is not installed.
    """
    if name.startswith(PREFIX):
        folder, without = _get_bundle(Repository.parse(name), _folder(out), report, None)
        files = [_fetched(folder / part, "") for part in without]  # the others need no hashing
    else:
        found = get(name, out=out, report=report)
        folder, files = found.folder, [file for file in found.files if not file.checked]
    for file in files:
        warnings.warn(unchecked(file), stacklevel=2)
    return folder


def unchecked(file: Fetched) -> str:
    """Say that nobody published a checksum of a file."""
    return (
        f"no SHA-256 of {file.path.name} has been published, so nothing could be compared; this "
        f"one has {file.sha256}. Run `deepmoji verify` before you trust it"
    )


def _fetched(path: Path, checked: str) -> Fetched:
    return Fetched(path=path, sha256=sha256_of(path), checked=checked)


def get(
    name: str,
    *,
    out: str | Path | None = None,
    sha256: str | None = None,
    report: Report | None = None,
    patience: Patience | None = None,
) -> Downloaded:
    """Do what `download` does, and say of each file how it was checked.

    Args:
        name: as for `download`.
        out: as for `download`.
        report: as for `download`.
        sha256: to compare with, for the file of a source that has none published.
        patience: time-outs and tries.

    Raises:
        HubError, InputError, BundleError, MissingDependency: as for `download`.
    """
    folder = _folder(out)
    if not name.startswith(PREFIX):
        source = _with_checksum(find(name), sha256)
        if folder is not None:
            _check_place(folder, source)
        return _get_source(source, folder or home() / source.name, report, patience)
    if sha256 is not None:
        raise InputError("a hub has its own checksums; leave --sha256 away")
    bundle, without = _get_bundle(Repository.parse(name), folder, report, patience)
    files = [bundle / part for part in PARTS if (bundle / part).is_file()]
    return Downloaded(
        name=name,
        folder=bundle,
        files=tuple(_fetched(p, "" if p.name in without else "the hub") for p in files),
    )


def _folder(out: str | Path | None) -> Path | None:
    return None if out is None else Path(out).expanduser()


def _with_checksum(source: Source, sha256: str | None) -> Source:
    if sha256 is None:
        return source
    if len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef"):
        raise InputError(f"{sha256!r} is no SHA-256; wanted 64 hexadecimal digits")
    if all(file.sha256 for file in source.files):
        raise InputError(f"the SHA-256 of all files of {source.name!r} are known; leave it away")
    return replace(
        source,
        files=tuple(
            file if file.sha256 else replace(file, sha256=sha256, sha256_from="you")
            for file in source.files
        ),
    )


def _check_place(folder: Path, source: Source) -> None:
    """Make sure that no file of the user's is overwritten.

    Raises:
        BundleError: if one would be.
    """
    if _is_config(folder / "config.json"):
        raise BundleError(
            f"{folder} holds a model, which needs its own vocabulary; choose another folder"
        )
    for file in source.files:
        path = folder / file.name
        if os.path.lexists(path) and not agrees(path, _wanted(file)):
            trouble = "not what was published" if path.is_file() else "no file"
            raise BundleError(
                f"{path} is there and is {trouble}; move it away, or choose another folder"
            )


def _is_config(path: Path) -> bool:
    """Whether a file is the configuration of a bundle, whole or not."""
    try:
        content = read_json(path)
    except InputError:
        return False
    return isinstance(content, dict) and "format_version" in content


def _wanted(file: File) -> Wanted:
    return Wanted(sha256=file.sha256, size=file.size, limit=file.limit, begins=file.begins)


def _get_source(
    source: Source, folder: Path, report: Report | None, patience: Patience | None
) -> Downloaded:
    files = tuple(_get_file(file, folder, report, patience) for file in source.files)
    return Downloaded(name=source.name, folder=folder, files=files)


def _get_file(
    file: File, folder: Path, report: Report | None, patience: Patience | None
) -> Fetched:
    """Try a file's addresses in turn."""
    path, troubles, wanted = folder / file.name, list[HubError](), _wanted(file)
    if not wanted.checkable and agrees(path, wanted):
        return _fetched(path, "")
    for address in file.addresses:
        try:
            digest = fetch(
                address, path, wanted=wanted, report=_of(report, file.name), patience=patience
            )
            return Fetched(path=path, sha256=digest, checked=file.sha256_from)
        except HubError as error:
            troubles.append(error)
    said = "; ".join(dict.fromkeys(str(each).rstrip(".") for each in troubles))
    raise HubError(f"cannot get {file.name}: {said} (documented at {file.documented})")


def _of(report: Report | None, name: str) -> Callable[[int, int | None], None] | None:
    return None if report is None else lambda done, total: report(name, done, total)


def _get_bundle(
    repository: Repository, out: Path | None, report: Report | None, patience: Patience | None
) -> tuple[Path, frozenset[str]]:
    """Return where a bundle is now, and which of its files nothing could be compared with."""
    if out is not None:
        check_replaceable(out)
    folder = home() / "bundles" / repository.owner / repository.name
    cached = _cached(folder, repository)
    if cached is None or not repository.is_commit:
        cached = _newest(repository, folder, cached, report, patience)
    note = _unchecked_note(cached)
    without = frozenset[str](read_json(note) if note.is_file() else ())
    if out is None:
        return cached, without
    with atomic_folder(out) as temporary:
        for part in PARTS:
            if (cached / part).is_file():
                shutil.copyfile(cached / part, temporary / part)
        check_replaceable(out)  # again: a download takes long enough for something to come there
    return out, without


def _cached(folder: Path, repository: Repository) -> Path | None:
    """The version in the cache that the revision was when the hub was last asked."""
    commit = repository.revision
    if not repository.is_commit:
        note = _note(folder, repository)
        commit = note.read_text("ascii").strip() if note.is_file() else ""
    return folder / commit if commit and _is_complete(folder / commit) else None


def _note(folder: Path, repository: Repository) -> Path:
    return folder / "revisions" / quote(repository.revision, safe="")


def _unchecked_note(version: Path) -> Path:
    """The file that lists what the hub gave no checksum of, if there is such a thing."""
    return version.with_name("unchecked") / f"{version.name}.json"


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in REQUIRED)


def _newest(
    repository: Repository,
    folder: Path,
    cached: Path | None,
    report: Report | None,
    patience: Patience | None,
) -> Path:
    try:
        listing = list_files(repository)
    except Refused:
        raise
    except (HubError, MissingDependency):
        if cached is None:
            raise
        return cached  # offline: what was the newest when there was a network
    make_folder(folder)
    with locked(folder / ".lock"):
        if not _is_complete(folder / listing.commit):
            _fill(folder, listing, report, patience)
        if not repository.is_commit:
            with atomic_path(_note(folder, repository)) as temporary:
                temporary.write_text(listing.commit, "ascii")
    return folder / listing.commit


def _fill(folder: Path, listing: Listing, report: Report | None, patience: Patience | None) -> None:
    """Download a bundle beside its place, and put it there when it is sound."""
    arriving = folder / f"{listing.commit}.download"  # stays after a cut: parts are resumed
    for file in listing.files:
        fetch(
            file.address,
            arriving / file.name,
            wanted=file.wanted,
            report=_of(report, file.name),
            patience=patience,
            headers=listing.headers,
        )
    Bundle.open(arriving)
    if without := [file.name for file in listing.files if not file.wanted.checkable]:
        write_json(_unchecked_note(folder / listing.commit), without)
    with atomic_folder(folder / listing.commit) as temporary:
        for file in listing.files:
            (arriving / file.name).replace(temporary / file.name)
    shutil.rmtree(arriving, ignore_errors=True)
