"""A corpus that is to lie at a URL: built in a folder of this machine, then sent, report last."""

import json
import shutil
from pathlib import Path
from typing import Any

from deepmoji.corpus.layout import REPORT, is_ours
from deepmoji.corpus.urls import Url, plain_errors
from deepmoji.errors import InputError
from deepmoji.files import LOCK


def finished(url: Url, identity: str) -> dict[str, Any] | None:
    """Return the report of the corpus that is there, None if none is.

    Raises:
        InputError: if it is another corpus, or other files are there.
    """
    with plain_errors(url):
        names = url.inside()
        content = (url / REPORT).read() if REPORT in names else None
    if content is None:
        if not all(map(is_ours, names)):
            raise InputError(
                f"{url} is not empty and holds no corpus; choose another folder, or write into it "
                "with --overwrite"
            )
        return None
    try:
        report = json.loads(content)
        same = report["run"]["identity"] == identity
    except (ValueError, KeyError, TypeError):
        same, report = False, {}
    if not same:
        raise InputError(
            f"{url} holds a corpus of other posts or settings; choose another folder, or replace "
            "it with --overwrite"
        )
    return report


def send(folder: Path, url: Url) -> None:
    """Send a finished corpus, in place of one that is there, and remove the folder.

    The report comes last, so where it is the corpus is whole.

    Raises:
        InputError: if it cannot be written there.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LOCK]
    files.sort(key=lambda path: path.name == REPORT)
    with plain_errors(url):
        (url / REPORT).remove()
        wanted = {path.relative_to(folder).as_posix(): path for path in files}
        for name in url.inside():
            if is_ours(name) and name not in wanted:
                (url / name).remove()
        for name, path in wanted.items():
            (url / name).write_file(path)
    shutil.rmtree(folder)
