"""Bundles onto a hub that is imitated here, through the real library."""

import hashlib
import shutil

import pytest

from deepmoji.bundle import PARTS, Bundle
from deepmoji.errors import BundleError, HubError, InputError, MissingDependency
from deepmoji.hub.download import download
from deepmoji.hub.push import push
from deepmoji.transfer.finetune import FineTuned
from tests.helpers.webserver import status

# huggingface_hub uploads large files in a way that its own HTTP library wants written otherwise.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
PLACE = "hf://someone/moji"


@pytest.fixture
def empty(hub, monkeypatch):
    """A hub without the repository."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.exists, hub.files = False, {}
    return hub


@pytest.fixture
def mine(tiny, tmp_path):
    return shutil.copytree(tiny, tmp_path / "mine")


def test_a_bundle_is_pushed_whole_in_one_commit(empty, mine):
    (mine / "notes.txt").write_text("not part of the model")
    pushed = push(mine, PLACE)
    assert set(empty.files) == set(pushed.files) == set(PARTS)
    assert {name: empty.files[name] for name in PARTS if name != "README.md"} == {
        name: (mine / name).read_bytes() for name in PARTS if name != "README.md"
    }
    assert (pushed.place, pushed.commit) == (PLACE, empty.commit)
    assert pushed.page.startswith(empty.web.address)
    assert empty.asked[-1]["summary"] == "Add a deepmoji model"
    assert not empty.private


def test_large_files_go_as_large_files(empty, mine):
    (mine / "model.safetensors").write_bytes(b"w" * 60_000)
    push(mine, PLACE)
    assert empty.files["model.safetensors"] == b"w" * 60_000
    assert b"w" * 60_000 in empty.uploads.values()


def test_what_was_pushed_comes_back(empty, mine):
    push(mine, PLACE)
    folder = download(PLACE)
    assert Bundle.open(folder).vocabulary.words == Bundle.open(mine).vocabulary.words
    assert (folder / "model.onnx").read_bytes() == (mine / "model.onnx").read_bytes()


def test_the_card_says_how_to_run_the_model_from_the_hub(empty, mine):
    (mine / "README.md").write_text("# M\n\n```\ndeepmoji predict --model THIS_FOLDER 'hi'\n```\n")
    push(mine, PLACE)
    command = 'deepmoji predict --model "$(deepmoji download hf://someone/moji)"'
    assert command in empty.files["README.md"].decode()
    assert "THIS_FOLDER" in (mine / "README.md").read_text()


def test_weights_of_an_earlier_model_do_not_stay(hub, mine):
    hub.files["notes.txt"] = b"of the owner"
    (mine / "model.safetensors").unlink()
    push(mine, PLACE, message="Second try")
    assert "model.safetensors" not in hub.files
    assert hub.files["notes.txt"] == b"of the owner"
    assert hub.asked[-1]["summary"] == "Second try"


def test_private_means_private(empty, mine):
    push(mine, PLACE, private=True)
    assert empty.private


def test_a_public_repository_does_not_get_what_is_to_be_private(hub, mine):
    before = dict(hub.files)
    with pytest.raises(HubError, match="there already and public"):
        push(mine, PLACE, private=True)
    assert hub.files == before


@pytest.mark.parametrize(
    ("path", "code", "part"),
    [
        ("/api/repos/create", 401, r"HF_TOKEN"),
        ("/api/repos/create", 403, r"HF_TOKEN"),
        ("/api/models/someone/moji/commit/main", 403, r"HF_TOKEN"),
        ("/someone/moji.git/info/lfs/objects/batch", 403, r"HF_TOKEN"),
        ("/api/models/someone/moji/preupload/main", 400, r"answers 400"),
    ],
)
def test_a_hub_that_refuses_is_told_in_one_line(empty, mine, path, code, part):
    empty.web.script[path] += [status(code)]
    with pytest.raises(HubError, match=rf"hf://someone/moji.*{part}") as error:
        push(mine, PLACE)
    assert "\n" not in str(error.value)
    assert empty.files == {}


def test_a_large_file_that_is_refused_is_told_in_one_line(empty, mine, tiny):
    digest = hashlib.sha256((tiny / "model.onnx").read_bytes()).hexdigest()
    empty.web.script[f"/upload/{digest}"] += [status(403)] * 9
    with pytest.raises(HubError, match=r"hf://someone/moji.*HF_TOKEN"):
        push(mine, PLACE)


def test_offline(empty, mine, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="offline"):
        push(mine, PLACE)


def test_without_the_library_the_extra_is_named(mine, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependency, match=r"deepmoji\[hub\]"):
        push(mine, PLACE)


def test_what_cannot_be_pushed(empty, mine, tmp_path):
    with pytest.raises(InputError, match="wanted hf://OWNER/NAME"):
        push(mine, "someone/moji")
    with pytest.raises(InputError, match="main branch"):
        push(mine, f"{PLACE}@v1")
    with pytest.raises(BundleError, match="no model folder"):
        push(tmp_path / "nowhere", PLACE)
    (mine / "README.md").unlink()
    with pytest.raises(BundleError, match="no model card"):
        push(mine, PLACE)
    assert empty.web.requests == []


def test_a_tuned_model_pushes_itself(empty, tiny):
    tuned = FineTuned(Bundle.open(tiny), remove=lambda: None)
    page = tuned.push(PLACE, private=True)
    assert page == f"{empty.web.address}/someone/moji/commit/{empty.commit}"
    assert empty.private
    assert set(empty.files) == set(PARTS)
