"""The options of commands that run here or on a cluster."""

from enum import StrEnum
from typing import Annotated

import typer

from deepmoji.corpus.cluster import Ray


class RunnerName(StrEnum):
    """Where a command runs."""

    LOCAL = "local"
    RAY = "ray"


Runner = Annotated[
    RunnerName, typer.Option(help="On this machine, or on a Ray cluster, a task for each file.")
]
Address = Annotated[
    str | None,
    typer.Option(help="Of the Ray cluster; by default RAY_ADDRESS, or one of this machine."),
]


def chosen_cluster(runner: RunnerName, address: str | None, workers: int | None) -> Ray | None:
    """Return the cluster that the options name, None for this machine."""
    if runner is RunnerName.RAY and workers is not None:
        raise typer.BadParameter("--workers is for --runner local; Ray uses all that it has")
    if runner is RunnerName.RAY:
        return Ray(address)
    if address is not None:
        raise typer.BadParameter("--address is for --runner ray")
    return None
