"""`deepmoji download` and `deepmoji push`, with the hub and the servers imitated here."""

import hashlib
import json
import shutil

import pytest

from deepmoji.bundle import PARTS
from deepmoji.cli.hub import DownloadBar
from tests.helpers.published import WEIGHTS, hub, published, surroundings, tiny, web
from tests.helpers.webserver import status

__all__ = ["hub", "published", "surroundings", "tiny", "web"]

PLACE = "hf://someone/moji"


def test_download_prints_the_folder_alone(call, hub, tmp_path):
    result = call("download", PLACE)
    assert (result.exit_code, result.stderr) == (0, "")
    folder = result.stdout.removesuffix("\n")
    shown = call("info", folder)
    assert shown.exit_code == 0
    assert folder.startswith(str(tmp_path / "home"))


def test_download_to_a_folder_as_json(call, published, tmp_path):
    result = call("download", "original", "--out", tmp_path / "here", "--json")
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found["folder"] == str(tmp_path / "here")
    weights = found["files"][0]
    assert weights["path"] == str(tmp_path / "here" / "pytorch_model.bin")
    assert (weights["bytes"], weights["sha256"]) == (
        len(WEIGHTS),
        hashlib.sha256(WEIGHTS).hexdigest(),
    )
    assert "mirror" in weights["checked_with"]


def test_what_could_not_be_compared_is_said_loudly(call, published):
    result = call("download", "original-keras")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: no SHA-256 of deepmoji_weights.hdf5 has been published")
    assert hashlib.sha256(WEIGHTS).hexdigest() in line
    assert "deepmoji verify" in line
    assert len(result.stdout.splitlines()) == 1
    found = json.loads(call("download", "original-keras", "--json").stdout)
    assert found["files"][0]["checked_with"] is None


def test_a_wrong_checksum_of_ones_own(call, published, tmp_path):
    result = call("download", "original-keras", "--sha256", "0" * 64)
    assert result.exit_code == 1
    assert "SHA-256" in result.stderr
    assert not (tmp_path / "home" / "original-keras" / "deepmoji_weights.hdf5").exists()


@pytest.mark.parametrize(
    ("name", "part"), [("orginal", "known: original"), ("hf://someone/else", "not there (404)")]
)
def test_what_cannot_be_downloaded(call, hub, name, part):
    result = call("download", name)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert part in line


def test_download_shows_a_bar_on_a_terminal_only(monkeypatch, capsys):
    bar = DownloadBar()
    bar("model.onnx", 10, 100)
    bar.close()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    bar = DownloadBar()
    bar("model.onnx", 10, 100)
    bar("labels.json", 5, None)
    bar.close()
    shown = capsys.readouterr().err
    assert "model.onnx" in shown
    assert "labels.json" in shown


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_push_prints_the_page(call, hub, tiny, monkeypatch):
    hub.exists, hub.files = False, {}
    result = call("push", tiny, PLACE, "--private", "--message", "First")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{hub.web.address}/someone/moji/commit/{hub.commit}\n"
    assert set(hub.files) == set(PARTS)
    assert hub.private
    assert hub.asked[-1]["summary"] == "First"
    found = json.loads(call("push", tiny, PLACE, "--json").stdout)
    assert (found["place"], sorted(found["files"])) == (PLACE, sorted(PARTS))


def test_push_that_is_refused(call, hub, tiny):
    hub.exists = False
    hub.web.script["/api/repos/create"] += [status(401)]
    result = call("push", tiny, PLACE)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "HF_TOKEN" in line


def test_push_of_what_is_no_bundle(call, hub, tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "copy")
    (folder / "labels.json").unlink()
    result = call("push", folder, PLACE)
    assert result.exit_code == 1
    assert "labels.json missing" in result.stderr
