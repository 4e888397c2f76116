import pytest

from tests.helpers import webserver
from tests.helpers.bundles import Tiny, make_bundle
from tests.helpers.fakehub import FakeHub


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


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A tiny bundle, and weights beside it that nobody opens."""
    folder = make_bundle(tmp_path_factory.mktemp("model") / "tiny", Tiny(units=40)).folder
    (folder / "model.safetensors").write_bytes(b"weights" * 10)
    return folder


@pytest.fixture
def hub(web, model, monkeypatch):
    """A hub that has the tiny model."""
    monkeypatch.setenv("HF_ENDPOINT", web.address)
    # Large files go by HTTP alone; the hub's own protocol for them is not imitated.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    hub = FakeHub(web)
    hub.put(model)
    return hub
