"""A run on a Ray cluster: a task for each part, on any of its machines."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from deepmoji.corpus.cluster import Ray, run_tasks
from deepmoji.scoring.folder import ScoreFolder
from deepmoji.scoring.line import Outcome, score_parts
from deepmoji.scoring.parts import Part
from deepmoji.scoring.progress import Progress, Silent
from deepmoji.scoring.settings import ScoreSettings


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
    model = replace(settings, model=settings.folder.absolute())
    folder = replace(out, path=out.path.absolute())
    absolute = [replace(part, path=part.path.absolute()) for part in parts]
    with closing(run_tasks(cluster, score_part, (model, folder), absolute)) as outcomes:
        for outcome in outcomes:
            progress.advance(outcome.part.size, outcome.new)
            yield outcome


def score_part(shared: tuple[ScoreSettings, ScoreFolder], part: Part) -> Outcome:
    """Score one part in this process."""
    settings, folder = shared
    return next(score_parts([part], settings, folder, Silent(), 1))
