import pytest

from tests.helpers import webserver


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
