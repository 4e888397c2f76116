"""What every test may use, and what no test may do."""

import os
import socket
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.helpers.raycluster import Nodes, started
from tests.helpers.stores import bucket, store  # noqa: F401 - fixtures

ROOT = Path(__file__).resolve().parent.parent

# In CI the same examples every time, so that a failure there can be repeated; elsewhere new ones.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The project's shared data, `DEEPMOJI_SHARED`; a test that asks for it skips without it."""
    folder = ROOT / os.environ.get("DEEPMOJI_SHARED", "../shared")
    if not folder.is_dir():
        pytest.skip(f"needs the shared data: no folder {folder}; set DEEPMOJI_SHARED")
    return folder.resolve()


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Any:
    """Let sockets connect to this machine only, so that no test can come to need the network."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise RuntimeError(f"a test tried to connect to {address}; tests use no network")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def ray_cluster() -> Generator[Nodes]:
    """A Ray cluster of two nodes, with a core each; a test skips without Ray."""
    if find_spec("ray") is None:
        pytest.skip("needs ray: pip install 'deepmoji[cluster]'")
    with started(2) as nodes:
        yield nodes
