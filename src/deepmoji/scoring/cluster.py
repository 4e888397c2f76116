"""A run on a Ray cluster: a task for each part, on any of its machines."""

import platform
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

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
    # The shipped model may lie elsewhere on another machine.
    model = replace(settings, model=settings.model and settings.model.absolute())
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
    if digest(settings.folder) != folder.request["model"]:
        raise InputError(
            f"{platform.node()} has another model in {settings.folder} than the machine that asks; "
            "let all see the same folder, or install the same version of deepmoji on all"
        )
    return next(score_parts([part], settings, folder.here(), Silent(), 1))
