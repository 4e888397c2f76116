"""The errors that users meet. Each message says what came, what was wanted and what to do."""

from importlib import import_module
from types import ModuleType


class DeepmojiError(Exception):
    """Base of every error that deepmoji raises on purpose."""


class InputError(DeepmojiError, ValueError):
    """A file, column, value or text given by the user cannot be used."""


class BundleError(DeepmojiError):
    """A model folder has a part missing, damaged, contradictory or newer than this version."""


class HubError(DeepmojiError):
    """A file cannot be fetched from, or sent to, the place where models are published."""


class WorkerDied(DeepmojiError):  # noqa: N818 - says what happened
    """A process, or a machine, that works for this one ended before it answered."""


class MissingDependency(DeepmojiError, ImportError):  # noqa: N818 - says what is wrong
    """A library that belongs to an optional extra is not installed."""


WORKER_DIED = (
    "a worker process was ended from outside: there was not enough memory, perhaps; "
    "what is finished is kept: run the same command again, with fewer --workers"
)


def require(module: str, extra: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Raises:
        MissingDependency: if the module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependency(
            f"this needs the library {module!r}, which is not installed; "
            f"run: pip install 'deepmoji[{extra}]'"
        ) from None
