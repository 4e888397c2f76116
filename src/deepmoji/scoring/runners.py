"""Where a run takes place."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Ray:
    """A Ray cluster whose machines all see the files, the model and the folder under one path.

    Attributes:
        address: of the cluster; by default ``RAY_ADDRESS``, or a new one on this machine.
    """

    address: str | None = None


Runner = Local | Ray
