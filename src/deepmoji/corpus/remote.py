"""A build on a Ray cluster: a task for each stage, on any of its machines."""

import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

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
        size: bytes of its files.
        tally: what it counted.
        machine: names the machine.
        process: names the process on it.
    """

    size: int
    tally: Tally
    machine: str
    process: int


def run_stages(stages: Sequence[Stage], cluster: Ray) -> Generator[Done]:
    """Run stages, each by the program and into the files of a local build, in any order.

    All machines have to see the posts and the corpus folder under the same paths.

    Raises:
        InputError: if a file or a row cannot be read and the settings are strict.
        MissingDependency: if Ray is not installed.
        WorkerDied: if a task was lost again and again.
    """
    if not stages:
        return
    folder = stages[0].folder.absolute()
    shared = replace(stages[0], files=(), names=(), folder=folder)  # the same but for the files
    items = [(tuple(map(_absolute, stage.files)), stage.names) for stage in stages]
    with closing(run_tasks(cluster, run_stage, shared, items)) as done:
        yield from done


def run_stage(shared: Stage, item: tuple[tuple[PostFile, ...], tuple[str, ...]]) -> Done:
    """Run a stage in this process, which is a worker of Ray."""
    files, names = item
    program.start(threads=1)
    stage = replace(shared, files=files, names=names)
    # With the one core that a task has, a process for the text work would only cost its start.
    # A task that is repeated, because its machine was lost at the end of it, may be done.
    tally = stage.finished() or stage.run(0, lambda _size, _rows: None)
    ray: Any = require("ray", "cluster")
    here = ray.get_runtime_context()
    return Done(size=stage.size, tally=tally, machine=here.get_node_id(), process=os.getpid())


def _absolute(file: PostFile) -> PostFile:
    return replace(file, path=file.path.absolute())
