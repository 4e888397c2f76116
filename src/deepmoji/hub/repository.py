"""A model's place on a hub, `hf://OWNER/NAME`, and what the hub says of it.

Only this module and `push` speak to huggingface_hub; the files themselves come through `fetch`.
"""

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, cast

from deepmoji.bundle import PARTS, REQUIRED
from deepmoji.errors import HubError, InputError, require
from deepmoji.hub.address import check
from deepmoji.hub.checks import Wanted
from deepmoji.hub.trouble import PassingTrouble, explain_status

PREFIX = "hf://"
TIMEOUT = 10.0  # seconds for what the hub says of a model
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PLACE = re.compile(rf"hf://({_NAME})/({_NAME})(?:@([A-Za-z0-9][A-Za-z0-9._/-]*))?")
_STATUS = re.compile(r"\b(40[1347]) [A-Z]")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Repository:
    """Where a model is: who has it, its name, and the branch, tag or commit."""

    owner: str
    name: str
    revision: str = "main"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``hf://OWNER/NAME`` or ``hf://OWNER/NAME@REVISION``.

        Raises:
            InputError: if it is written in another way.
        """
        found = _PLACE.fullmatch(text)
        if not found or ".." in text:
            raise InputError(f"{text!r} is no model on a hub; wanted hf://OWNER/NAME[@REVISION]")
        return cls(found[1], found[2], found[3] or "main")

    @property
    def id(self) -> str:
        """The hub's name for it, OWNER/NAME."""
        return f"{self.owner}/{self.name}"

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return bool(_COMMIT.fullmatch(self.revision))

    def __str__(self) -> str:
        suffix = "" if self.revision == "main" else f"@{self.revision}"
        return f"{PREFIX}{self.id}{suffix}"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file of a model on a hub."""

    name: str
    address: str
    wanted: Wanted


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A model as it is on a hub now: the parts of a bundle, whatever else lies beside them."""

    commit: str
    files: tuple[RemoteFile, ...]
    headers: Mapping[str, str]  # who asks, for what is private


def endpoint() -> str | None:
    """Return the hub's address if the user chose one, in ``HF_ENDPOINT``.

    Raises:
        HubError: if it is not encrypted.
    """
    chosen = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return check(chosen) if chosen else None


def library() -> Any:
    """Return huggingface_hub, told not to phone home.

    Raises:
        MissingDependency: if it is not installed.
    """
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    hub: Any = require("huggingface_hub", "hub")
    constants: Any = require("huggingface_hub.constants", "hub")
    constants.HF_HUB_DISABLE_TELEMETRY = True  # if somebody loaded it before
    return hub


def list_files(repository: Repository) -> Listing:
    """Ask a hub for the parts of a bundle that a repository has, with sizes and checksums.

    Raises:
        HubError: if the hub cannot be asked, refuses, or the repository holds no bundle.
        MissingDependency: if huggingface_hub is not installed.
    """
    hub, where = library(), endpoint()
    with explained(repository):
        info = hub.HfApi(endpoint=where).model_info(
            repository.id, revision=repository.revision, files_metadata=True, timeout=TIMEOUT
        )
        commit, there = str(info.sha), {each.rfilename: each for each in info.siblings or ()}
        token = hub.get_token()
    if not _COMMIT.fullmatch(commit):
        raise HubError(f"{repository}: the hub names no commit, but {commit[:60]!r}")
    if missing := [name for name in REQUIRED if name not in there]:
        raise HubError(
            f"{repository} holds no deepmoji model: {', '.join(missing)} missing; only what "
            "`deepmoji push` puts on a hub can be read from one"
        )
    files = tuple(
        RemoteFile(
            name=name,
            address=hub.hf_hub_url(repository.id, name, revision=commit, endpoint=where),
            wanted=_wanted(there[name]),
        )
        for name in PARTS
        if name in there
    )
    return Listing(
        commit=commit, files=files, headers={"Authorization": f"Bearer {token}"} if token else {}
    )


def _wanted(sibling: Any) -> Wanted:
    """Large files have a SHA-256, small ones only git's own SHA-1."""
    if sibling.lfs is not None:
        return Wanted(sha256=sibling.lfs.sha256, size=sibling.lfs.size)
    return Wanted(git_id=sibling.blob_id, size=sibling.size)


@contextmanager
def explained(repository: Repository) -> Generator[None]:
    """Turn what huggingface_hub raises into one line that says what to do."""
    errors: Any = require("huggingface_hub.errors", "hub")
    try:
        yield
    except (errors.HTTPError, OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise _explain(error, repository, errors) from error


def _explain(error: BaseException, repository: Repository, errors: Any) -> HubError:
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        return _explain(error.__cause__, repository, errors)  # uploads are wrapped in one
    if isinstance(error, errors.HfHubHTTPError):
        return explain_status(cast("Any", error).response.status_code, str(repository))
    if isinstance(error, errors.HTTPError | OSError):
        return _explain_connection(error, repository)
    said = " ".join(str(error).split())[:200]
    return HubError(f"{repository}: the hub did not answer as a hub does: {said}")


def _explain_connection(error: BaseException, repository: Repository) -> HubError:
    said = " ".join(str(error).split()) or type(error).__name__
    if status := _STATUS.search(said):  # of a proxy, or of where the hub keeps large files
        return explain_status(int(status[1]), str(repository))
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return HubError(
            f"{repository}: the hub's certificate is not valid; if a proxy of your network "
            "replaces certificates, name its authority's file in SSL_CERT_FILE"
        )
    return PassingTrouble(
        f"cannot ask the hub for {repository}: {said[:200]}; is this machine offline? Behind a "
        "proxy, set HTTPS_PROXY; what is in the cache works without a network"
    )
