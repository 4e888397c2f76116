"""Where a run takes place: here, or on a cluster."""

from dataclasses import dataclass

from deepmoji.corpus.cluster import Ray
from deepmoji.errors import InputError


@dataclass(frozen=True)
class Local:
    """This machine.

    Attributes:
        workers: processes; by default all cores, fewer for little input. One is this process
            itself.

    Raises:
        InputError: if ``workers`` is not positive.
    """

    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise InputError(f"workers is {self.workers}; it must be at least 1")


Runner = Local | Ray
