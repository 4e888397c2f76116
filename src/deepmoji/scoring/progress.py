"""What a run tells about its progress."""

from typing import Protocol


class Progress(Protocol):
    """Hears how far a run is."""

    def begin(self, total: int, done: int) -> None:
        """So many bytes of input there are, so many were scored before."""

    def advance(self, size: float, rows: int) -> None:
        """So many bytes of input and rows more are scored."""


class Silent:
    """Progress that nobody looks at."""

    def begin(self, total: int, done: int) -> None:
        """Ignore the beginning."""

    def advance(self, size: float, rows: int) -> None:
        """Ignore an advance."""
