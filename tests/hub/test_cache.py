"""Where downloads are kept, on each platform."""

from pathlib import Path

import pytest

from deepmoji.hub import cache

USER = Path("~").expanduser()


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, USER / ".cache" / "deepmoji"),
        ("linux", {"XDG_CACHE_HOME": "/big/cache"}, Path("/big/cache/deepmoji")),
        ("linux", {"XDG_CACHE_HOME": "relative"}, USER / ".cache" / "deepmoji"),
        ("linux", {"XDG_CACHE_HOME": ""}, USER / ".cache" / "deepmoji"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, USER / "Library" / "Caches" / "deepmoji"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/deepmoji/Cache")),
        ("win32", {}, USER / "AppData" / "Local" / "deepmoji" / "Cache"),
        ("linux", {"DEEPMOJI_HOME": "/mine", "XDG_CACHE_HOME": "/x"}, Path("/mine")),
        ("darwin", {"DEEPMOJI_HOME": "~/mine"}, USER / "mine"),
    ],
)
def test_home(platform, environment, folder):
    assert cache.home(environment, platform=platform) == folder


def test_home_reads_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPMOJI_HOME", str(tmp_path / "chosen"))
    assert cache.home() == tmp_path / "chosen"
    assert not cache.home().exists()


def test_a_lock_leaves_nothing(tmp_path):
    for _ in range(2):
        with cache.locked(tmp_path / "lock"):
            assert (tmp_path / "lock").exists()
    assert list(tmp_path.iterdir()) == []
