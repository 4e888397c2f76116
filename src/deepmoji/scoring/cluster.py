"""A run on a Ray cluster: a task for each part, on any of its machines."""

import platform
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from deepmoji.bundle import shipped_name
from deepmoji.corpus.cluster import Ray, run_tasks
from deepmoji.errors import InputError
from deepmoji.scoring.folder import ScoreFolder
from deepmoji.scoring.line import Outcome, score_parts
from deepmoji.scoring.parts import Part
from deepmoji.scoring.progress import Progress, Silent
from deepmoji.scoring.settings import ScoreSettings, digest


def score_on_ray(
    parts: Sequence[Part],
    settings: ScoreSettings,
    out: ScoreFolder,
    progress: Progress,
    cluster: Ray,
) -> Generator[Outcome]:
    """Score parts, and yield what came of each, in the order in which they end.

    Raises:
        MissingDependency: if Ray is not installed.
        WorkerDied: if a task was lost again and again: each time it goes on from its last segment.
    """
    # A shipped model may lie elsewhere on another machine, so it goes by its name.
    shipped = shipped_name(settings.folder)
    model = replace(settings, model=Path(shipped) if shipped else settings.folder.absolute())
    absolute = [replace(part, path=part.path.absolute()) for part in parts]
    with closing(run_tasks(cluster, score_part, (model, out.elsewhere()), absolute)) as outcomes:
        for outcome in outcomes:
            progress.advance(outcome.part.size, outcome.new)
            yield outcome


def score_part(shared: tuple[ScoreSettings, ScoreFolder], part: Part) -> Outcome:
    """Score one part in this process, which is a worker of Ray.

    Raises:
        InputError: if the model of this machine is another one.
    """
    settings, folder = shared
    try:
        same = digest(settings.folder) == folder.request["model"]
    except OSError:
        same = False
    if not same:
        raise InputError(
            f"the model {settings.folder} of the machine {platform.node()} is not that of the one "
            "that asks; let all see the same folder, or install the same version of deepmoji on all"
        )
    return next(score_parts([part], settings, folder.here(), Silent(), 1))
