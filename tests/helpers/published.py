"""Where models are published, imitated on this machine: fixtures for whoever imports them."""

import hashlib
from dataclasses import replace

import pytest

from deepmoji.hub.sources import SOURCES
from tests.helpers import webserver
from tests.helpers.bundles import Tiny, make_bundle
from tests.helpers.fakehub import FakeHub

WEIGHTS, WORDS = b"\x80\x02weights" * 500, b'{"the": 10}'


@pytest.fixture
def web():
    with webserver.running() as web:
        yield web


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """No proxy, token or cache of whoever runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DEEPMOJI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no token"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tiny bundle, and weights and a projection beside it that nobody opens."""
    folder = make_bundle(tmp_path_factory.mktemp("model") / "tiny", Tiny(units=40)).folder
    (folder / "model.safetensors").write_bytes(b"weights" * 10)
    (folder / "projection.npz").write_bytes(b"projection" * 10)
    return folder


@pytest.fixture
def hub(web, tiny, monkeypatch):
    """A hub that has the tiny model."""
    monkeypatch.setenv("HF_ENDPOINT", web.address)
    # The library reads the variable once, when it is imported.
    hosts = frozenset({"huggingface.co", "127.0.0.1"})
    monkeypatch.setattr("huggingface_hub.constants.HF_URL_HOSTS", hosts)
    # Large files go by HTTP alone; the hub's own protocol for them is not imitated.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    hub = FakeHub(web)
    hub.put(tiny)
    return hub


@pytest.fixture
def published(web, monkeypatch):
    """The original's sources, at addresses of the local server."""

    def local(file):
        content = WORDS if file.name.endswith(".json") else WEIGHTS
        for number in range(len(file.addresses)):
            web.files[f"/{number}/{file.name}"] = content
        return replace(
            file,
            addresses=tuple(web.at(f"/{n}/{file.name}") for n in range(len(file.addresses))),
            sha256=hashlib.sha256(content).hexdigest() if file.sha256 else None,
            size=len(content) if file.size else None,
            limit=10_000,
            begins=(content[:2],),
        )

    for name, source in SOURCES.items():
        changed = replace(source, files=tuple(local(file) for file in source.files))
        monkeypatch.setitem(SOURCES, name, changed)
    return web
