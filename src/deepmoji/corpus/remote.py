"""A build on a Ray cluster: a task for each stage, on any of its machines."""

import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.corpus import program
from deepmoji.corpus.cluster import Ray, run_tasks
from deepmoji.corpus.posts import PostFile
from deepmoji.corpus.stages import Stage
from deepmoji.corpus.tally import Tally
from deepmoji.errors import require


@dataclass(frozen=True, kw_only=True)
class Done:
    """A stage that a cluster ran.

    Attributes:
        number: of the stage among those that were to run.
        part: the bytes of its file, uint8 [n].
        tally: what it counted.
        machine: names the machine.
        process: names the process on it.
    """

    number: int
    part: NDArray[np.uint8]
    tally: Tally
    machine: str
    process: int


def run_stages(stages: Sequence[Stage], cluster: Ray) -> Generator[tuple[Stage, Done]]:
    """Run stages, each by the program of a local build, and keep what comes of them here.

    All machines have to see the posts under the same paths or URLs, nothing else: what a task
    makes of them comes back through Ray.

    Yields:
        stages in the order in which they are done.

    Raises:
        InputError: if a file or a row cannot be read and the settings are strict.
        MissingDependency: if Ray is not installed.
        WorkerDied: if a task was lost again and again.
    """
    if not stages:
        return
    shared = replace(stages[0], files=(), names=())  # the same but for the files
    items = [
        (number, tuple(map(_absolute, stage.files)), stage.names)
        for number, stage in enumerate(stages)
    ]
    with closing(run_tasks(cluster, run_stage, shared, items)) as outcomes:
        for done in outcomes:
            stage = stages[done.number]
            stage.keep(done.part, done.tally)
            yield stage, done


def run_stage(shared: Stage, item: tuple[int, tuple[PostFile, ...], tuple[str, ...]]) -> Done:
    """Run a stage in this process, which is a worker of Ray."""
    number, files, names = item
    program.start(threads=1)
    with tempfile.TemporaryDirectory() as scratch:
        stage = replace(shared, files=files, names=names, folder=Path(scratch))
        # With the one core that a task has, a process for the text work would only cost its start.
        tally = stage.run(0, lambda _size, _rows: None)
        part = np.fromfile(stage.part, np.uint8)
    ray: Any = require("ray", "cluster")
    here = ray.get_runtime_context()
    return Done(
        number=number, part=part, tally=tally, machine=here.get_node_id(), process=os.getpid()
    )


def _absolute(file: PostFile) -> PostFile:
    return replace(file, path=file.path.absolute())
