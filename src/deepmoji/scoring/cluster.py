"""A run on a Ray cluster: a task for each part, on any of its machines."""

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from deepmoji.errors import require
from deepmoji.scoring.folder import ScoreFolder
from deepmoji.scoring.line import Outcome, score_parts
from deepmoji.scoring.parts import Part
from deepmoji.scoring.progress import Progress, Silent
from deepmoji.scoring.settings import ScoreSettings
from deepmoji.scoring.workers import WorkerDied

_RETRIES = 3  # of a task whose machine or process was lost; it goes on from the last segment


def score_on_ray(
    parts: Sequence[Part],
    settings: ScoreSettings,
    out: ScoreFolder,
    progress: Progress,
    address: str | None,
) -> Generator[Outcome]:
    """Score parts, and yield what came of each, in the order in which they end.

    Raises:
        MissingDependency: if Ray is not installed.
        WorkerDied: if a task was lost again and again.
    """
    with _connected(address) as ray:
        task = ray.remote(num_cpus=1, max_retries=_RETRIES)(score_part)
        model = replace(settings, model=settings.folder.absolute())
        folder = replace(out, path=out.path.absolute())
        waiting = [
            task.remote(replace(part, path=part.path.absolute()), model, folder) for part in parts
        ]
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=1)
            try:
                outcome: Outcome = ray.get(ready[0])
            except ray.exceptions.RayTaskError as error:
                raise error.as_instanceof_cause() from None
            except ray.exceptions.RayError as error:
                raise WorkerDied(
                    f"a task of Ray was lost: {' '.join(str(error).split())[:300]}; what is "
                    "finished is kept: run the same command again"
                ) from error
            progress.advance(outcome.part.size, outcome.new)
            yield outcome


def score_part(part: Part, settings: ScoreSettings, folder: ScoreFolder) -> Outcome:
    """Score one part in this process."""
    return next(score_parts([part], settings, folder, Silent(), 1))


@contextmanager
def _connected(address: str | None) -> Generator[Any]:
    """Connect to a cluster, unless the process is already."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray: Any = require("ray", "cluster")
    if ray.is_initialized():
        yield ray
        return
    ray.init(address=address, log_to_driver=False)
    try:
        yield ray
    finally:
        ray.shutdown()
