"""A whole run: the parts that are not there yet, scored and written one after another."""

import platform
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deepmoji.bundle import Bundle
from deepmoji.corpus.urls import Url
from deepmoji.errors import InputError
from deepmoji.files import plain_write_errors
from deepmoji.machine import available_cores
from deepmoji.scoring.cluster import score_on_ray
from deepmoji.scoring.folder import ScoreFolder
from deepmoji.scoring.formats import FORMATS
from deepmoji.scoring.line import Outcome, score_parts
from deepmoji.scoring.parts import Part, find_parts
from deepmoji.scoring.progress import Progress, Silent
from deepmoji.scoring.runners import Ray, Runner
from deepmoji.scoring.scorer import model_name
from deepmoji.scoring.sending import UrlFolder
from deepmoji.scoring.settings import ScoreSettings

# Bytes of input that another process is worth: starting one takes as long as scoring them.
_SMALL = 100_000


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a run did.

    Attributes:
        parts: how many there are.
        parts_before: how many of them an earlier run had finished.
        rows: in all parts.
        rows_now: scored in this run.
        seconds: that it took.
    """

    parts: int
    parts_before: int
    rows: int
    rows_now: int
    seconds: float


def score_files(
    inputs: Sequence[str | Path],
    out: Path | Url,
    *,
    settings: ScoreSettings,
    runner: Runner,
    overwrite: bool,
    progress: Progress | None,
) -> Report:
    """See :func:`deepmoji.scoring.score`."""
    begun = time.monotonic()
    progress = progress or Silent()
    bundle = Bundle.open(settings.folder)
    settings.reading(bundle.max_tokens)  # what is wrong is told before anything is written
    parts = find_parts(inputs, out, FORMATS[settings.format].suffix)
    folder = _folder(out, settings.request())
    with plain_write_errors(folder.path):
        folder.check(overwrite=overwrite)
        with folder.locked():
            folder.prepare(overwrite=overwrite, about=_about(settings, bundle))
            finished = {part.name: folder.finished(part) for part in parts}
            missing = [part for part in parts if finished[part.name] is None]
            if not overwrite:
                folder.check_targets(missing)
            for part in missing:
                folder.forget(part)
            total = sum(part.size for part in parts)
            progress.begin(total, total - sum(part.size for part in missing))
            outcomes: list[Outcome] = []
            if missing:
                with closing(_run(runner, missing, settings, folder, progress)) as scored:
                    outcomes = list(scored)
            problems = [each.problem for each in outcomes if each.problem is not None]
            if not problems:
                folder.tidy()
    if problems:
        raise InputError(_told(problems, len(parts), out))
    return Report(
        parts=len(parts),
        parts_before=len(parts) - len(missing),
        rows=sum(rows or 0 for rows in finished.values()) + sum(each.rows for each in outcomes),
        rows_now=sum(each.new for each in outcomes),
        seconds=round(time.monotonic() - begun, 3),
    )


def _folder(out: Path | Url, request: dict[str, Any]) -> ScoreFolder:
    if isinstance(out, Url):
        return UrlFolder.at(out, request)
    return ScoreFolder(path=out, request=request)


def _run(
    runner: Runner,
    parts: Sequence[Part],
    settings: ScoreSettings,
    folder: ScoreFolder,
    progress: Progress,
) -> Generator[Outcome]:
    if isinstance(runner, Ray):
        return score_on_ray(parts, settings, folder, progress, runner)
    size = sum(part.size for part in parts)
    workers = runner.workers or min(available_cores(), 1 + size // _SMALL)
    return score_parts(parts, settings, folder, progress, workers)


def _about(settings: ScoreSettings, bundle: Bundle) -> dict[str, Any]:
    return {
        "model": model_name(settings.folder),
        "labels": list(bundle.labels),
        "max_tokens": bundle.max_tokens,
        "versions": {name: version(name) for name in ("deepmoji", "onnxruntime", "pyarrow")}
        | {"python": platform.python_version()},
    }


def _told(problems: Sequence[str], parts: int, out: Path | Url) -> str:
    if parts == 1:
        return problems[0]
    scored = parts - len(problems)
    others = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        f"{problems[0]}{others}; {scored} of {parts} files are scored in {out}: mend or leave out "
        "the others and run the same command again"
    )
