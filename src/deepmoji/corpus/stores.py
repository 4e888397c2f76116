"""How object stores and model hubs are reached, and where the environment says that they are."""

import datetime
import functools
import os
from typing import Any

from pyarrow import fs

from deepmoji.errors import require

# For Google's storage, which is asked again and again for 15 minutes by default.
_PATIENCE = datetime.timedelta(minutes=1)


@functools.lru_cache
def connect(scheme: str, bucket: str) -> Any:
    """Return a store as pyarrow's file systems are used, a bucket's where buckets differ.

    Args:
        scheme: s3, gs or hf.
        bucket: the first part of a path there: S3's are asked for their region.

    Raises:
        MissingDependency: for a hub without the ``hub`` extra.
        OSError: if the store cannot be reached.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if scheme == "s3" and endpoint:
        return fs.S3FileSystem(endpoint_override=endpoint)
    if scheme == "gs":
        return _connect_google(os.environ.get("STORAGE_EMULATOR_HOST"))
    if scheme == "hf":
        hub: Any = require("huggingface_hub", "hub")
        return fs.PyFileSystem(fs.FSSpecHandler(_Hub(hub.HfFileSystem(), hub.errors.HTTPError)))
    return fs.FileSystem.from_uri(f"{scheme}://{bucket}")[0]


class _Hub:
    """The file system of a hub, or a file in it, whose troubles are told as those of a disk.

    Args:
        inner: the file system or file.
        trouble: what the library below the hub's raises.
    """

    def __init__(self, inner: Any, trouble: type[Exception]) -> None:
        self._inner, self._trouble = inner, trouble

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        @functools.wraps(value)
        def told(*arguments: object, **options: object) -> Any:
            try:
                found = value(*arguments, **options)
            except self._trouble as error:
                raise OSError(str(error) or type(error).__name__) from error
            return _Hub(found, self._trouble) if name == "open" else found

        return told


def _connect_google(emulator: str | None) -> Any:
    if emulator is None:
        return fs.GcsFileSystem(retry_time_limit=_PATIENCE)
    scheme, _, host = emulator.rpartition("://")  # it comes with and without
    return fs.GcsFileSystem(
        anonymous=True,
        endpoint_override=host.rstrip("/"),
        scheme=scheme or "http",
        retry_time_limit=_PATIENCE,
    )
