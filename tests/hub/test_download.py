"""Models by name: the original's files, and bundles from a hub that is imitated here."""

import hashlib
import shutil
import sys

import pytest

from deepmoji.bundle import PARTS, Bundle
from deepmoji.errors import BundleError, HubError, InputError, MissingDependency
from deepmoji.hub import repository
from deepmoji.hub.cache import home
from deepmoji.hub.checks import Wanted
from deepmoji.hub.download import download, get
from deepmoji.hub.fetch import Patience
from deepmoji.hub.repository import Repository
from tests.helpers.fakehub import needing_token
from tests.helpers.published import WEIGHTS, WORDS
from tests.helpers.webserver import corrupt, cut, redirect, serve, status

QUICK = Patience(timeout=2, tries=2, pause=0.01)
PLACE = "hf://someone/moji"


def test_original_goes_to_the_cache(published):
    folder = download("original")
    assert folder == home() / "original"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "pytorch_model.bin": WEIGHTS,
        "vocabulary.json": WORDS,
    }


def test_original_is_downloaded_once(published):
    download("original")
    published.files.clear()
    assert (download("original") / "pytorch_model.bin").read_bytes() == WEIGHTS


def test_original_goes_to_a_folder(published, tmp_path):
    steps = []
    folder = download("original", out=tmp_path / "here", report=lambda *step: steps.append(step))
    assert folder == tmp_path / "here"
    assert steps[-1] == ("vocabulary.json", len(WORDS), len(WORDS))
    assert not home().exists()


@pytest.mark.parametrize("trouble", [status(404), corrupt, status(403)])
def test_the_next_address_is_tried(published, trouble):
    published.script["/0/pytorch_model.bin"] += [trouble]
    download("original")
    assert [path for _, path, _, _ in published.requests][:2] == [
        "/0/pytorch_model.bin",
        "/1/pytorch_model.bin",
    ]


def test_what_every_address_said_is_told_with_the_page_to_read(published, tmp_path):
    published.script["/0/pytorch_model.bin"] += [status(404)]
    published.script["/1/pytorch_model.bin"] += [corrupt]
    with pytest.raises(HubError, match=r"404.*; .*SHA-256.*huggingface/torchMoji") as error:
        get("original", out=tmp_path / "here", patience=QUICK)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "here").iterdir()) == []


def test_a_file_that_nobody_published_a_checksum_of_is_told_loudly(published):
    with pytest.warns(UserWarning, match=f"no SHA-256.*{hashlib.sha256(WEIGHTS).hexdigest()}"):
        download("original-keras")
    published.files.clear()
    with pytest.warns(UserWarning, match=r"no SHA-256"):  # from the cache too
        download("original-keras")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "vocabulary.json"])
def test_a_file_of_the_users_is_not_overwritten(published, tmp_path, name):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / name).write_text("mine")
    with pytest.raises(BundleError, match=rf"{name} is there and .*; move it away, or choose"):
        download("original", out=tmp_path / "here")
    assert published.requests == []
    assert [path.name for path in (tmp_path / "here").iterdir()] == [name]
    assert (tmp_path / "here" / name).read_text() == "mine"


def test_what_no_checksum_was_published_of_is_not_overwritten_either(published, tmp_path):
    (tmp_path / "deepmoji_weights.hdf5").write_text("mine")
    with pytest.raises(BundleError, match=r"deepmoji_weights\.hdf5 is there and is not what"):
        download("original-keras", out=tmp_path)
    assert (tmp_path / "deepmoji_weights.hdf5").read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_told(published, tmp_path):
    (tmp_path / "vocabulary.json").mkdir()
    with pytest.raises(BundleError, match=r"vocabulary\.json is there and is no file"):
        download("original", out=tmp_path)


def test_a_bundle_keeps_its_vocabulary(published, tiny, tmp_path):
    folder = shutil.copytree(tiny, tmp_path / "model")
    before = (folder / "vocabulary.json").read_bytes()
    with pytest.raises(BundleError, match=r"model holds a model, .*choose another folder"):
        download("original", out=folder)
    assert (folder / "vocabulary.json").read_bytes() == before
    (folder / "vocabulary.json").unlink()  # a damaged model is one too
    with pytest.raises(BundleError, match="holds a model"):
        download("original", out=folder)
    assert not (folder / "pytorch_model.bin").exists()


def test_what_is_in_the_folder_already_is_not_downloaded_again(published, tmp_path):
    (tmp_path / "config.json").write_text('{"of": "something else"}')
    download("original", out=tmp_path)
    published.files.clear()
    assert (download("original", out=tmp_path) / "vocabulary.json").read_bytes() == WORDS


def test_a_checksum_of_ones_own_is_compared(published):
    right = hashlib.sha256(WEIGHTS).hexdigest()
    files = get("original-keras", sha256=right.upper(), patience=QUICK).files
    assert files[0].checked == "you"
    shutil.rmtree(home())
    with pytest.raises(HubError, match="damaged, or another file"):
        get("original-keras", sha256="0" * 64, patience=QUICK)


@pytest.mark.parametrize(
    ("name", "sha256", "part"),
    [
        ("original", "0" * 64, "leave it away"),
        ("original-keras", "12", "64 hexadecimal"),
        (PLACE, "0" * 64, "its own checksums"),
        ("orginal", None, "known: original"),
        ("hf://someone", None, "wanted hf://OWNER/NAME"),
        ("hf://../moji", None, "wanted hf://OWNER/NAME"),
        ("hf://someone/..", None, "wanted hf://OWNER/NAME"),
        ("hf://someone/moji@../../x", None, "wanted hf://OWNER/NAME"),
        ("hf://someone/moji/more", None, "wanted hf://OWNER/NAME"),
    ],
)
def test_what_cannot_be_downloaded(name, sha256, part):
    with pytest.raises(InputError, match=part):
        get(name, sha256=sha256)


# From a hub.


def test_a_bundle_comes_from_a_hub(hub, tiny):
    hub.files["pickle.bin"] = b"not for us"
    hub.publish()
    folder = download(PLACE)
    assert Bundle.open(folder).labels == Bundle.open(tiny).labels
    assert {path.name for path in folder.iterdir()} == set(PARTS)
    assert [(folder / name).read_bytes() for name in PARTS] == [hub.files[name] for name in PARTS]
    assert sorted(hub.fetched()) == sorted(PARTS)  # and nothing else, ever
    assert folder.is_relative_to(home())


def test_nothing_is_told_of_this_machine_but_versions(hub):
    download(PLACE)
    agents = " ".join(str(headers) for _, _, headers, _ in hub.web.requests)
    assert "hf_hub/" in agents
    assert "torch/" not in agents
    assert "agent/" not in agents
    paths = {path.partition("?")[0] for _, path, _, _ in hub.web.requests}
    assert paths == {"/api/models/someone/moji/revision/main", *map(hub.resolve, PARTS)}


def test_a_bundle_is_downloaded_once(hub):
    first = download(PLACE)
    count = len(hub.fetched())
    assert download(PLACE) == first
    assert len(hub.fetched()) == count


def test_a_newer_version_is_downloaded(hub):
    first = download(PLACE)
    hub.files["README.md"] = b"# Better\n"
    hub.publish()
    second = download(PLACE)
    assert second != first
    assert (second / "README.md").read_bytes() == b"# Better\n"


def test_a_commit_in_the_cache_needs_no_hub(hub):
    place = f"{PLACE}@{hub.commit}"
    folder = download(place)
    hub.web.requests.clear()
    assert download(place) == folder
    assert hub.web.requests == []


def test_a_tag_is_another_revision(hub):
    assert download(f"{PLACE}@v1").name == hub.commit
    assert "revision/v1" in hub.web.requests[0][1]


@pytest.mark.parametrize("way", ["closed", "offline", "trouble", "missing"])
def test_offline_the_cache_does(hub, monkeypatch, way):
    folder = download(PLACE)
    if way == "closed":
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    elif way == "offline":
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    elif way == "missing":
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    else:
        hub.web.script["/api/models/someone/moji/revision/main"] += [status(503)] * 9
    assert download(PLACE) == folder


@pytest.mark.parametrize("way", ["closed", "offline"])
def test_offline_without_a_cache_says_so(hub, monkeypatch, way):
    if way == "closed":
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    else:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match=r"cannot ask the hub for hf://someone/moji.*offline") as e:
        download(PLACE)
    assert "\n" not in str(e.value)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependency, match=r"deepmoji\[hub\]"):
        download(PLACE)


def test_a_model_that_was_withdrawn_is_not_taken_from_the_cache(hub):
    download(PLACE)
    hub.exists = False
    with pytest.raises(HubError, match=r"hf://someone/moji: not there \(404\)"):
        download(PLACE)


def test_a_model_that_is_not_there(hub):
    with pytest.raises(HubError, match=r"hf://someone/else: not there \(404\)"):
        download("hf://someone/else")


def test_a_private_model_is_fetched_with_the_token(hub, monkeypatch):
    for name in PARTS:
        hub.web.script[hub.resolve(name)] += [needing_token] * 2
    with pytest.raises(HubError, match=r"401.*HF_TOKEN"):
        get(PLACE, patience=QUICK)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    Bundle.open(get(PLACE, patience=QUICK).folder)


def test_the_token_does_not_go_to_where_the_hub_keeps_its_files(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    elsewhere = hub.web.address.replace("127.0.0.1", "localhost")
    hub.web.files["/store"] = hub.files["model.onnx"]
    hub.web.script[hub.resolve("model.onnx")] += [redirect(f"{elsewhere}/store?signature=x")]
    download(PLACE)
    (request,) = [each for each in hub.web.requests if each[1].startswith("/store")]
    assert "Authorization" not in request[2]


def test_a_cut_is_resumed(hub):
    path = hub.resolve("model.onnx")
    hub.web.script[path] += [cut(30_000), status(503), status(503)]
    with pytest.raises(HubError, match="503"):
        get(PLACE, patience=QUICK)
    assert [each.name for each in (home() / "bundles" / "someone" / "moji").iterdir()] == [
        f"{hub.commit}.download"
    ]
    get(PLACE, patience=QUICK)
    ranges = [headers.get("Range") for _, asked, headers, _ in hub.web.requests if asked == path]
    assert ranges[-1] == "bytes=30000-"
    assert hub.fetched().count("vocabulary.json") == 1


@pytest.mark.parametrize("name", ["model.onnx", "config.json"])
def test_a_corrupt_file_is_refused(hub, name):
    hub.web.script[hub.resolve(name)] += [corrupt]
    with pytest.raises(HubError, match="damaged, or another file"):
        get(PLACE, patience=QUICK)


def test_a_hub_file_that_makes_no_bundle_is_refused(hub):
    hub.files["labels.json"] = b'["one"]'
    hub.publish()
    with pytest.raises(BundleError, match=r"labels.json has to list 64"):
        download(PLACE)
    assert not (home() / "bundles" / "someone" / "moji" / hub.commit).exists()


def test_a_repository_that_holds_no_bundle(hub):
    del hub.files["model.onnx"], hub.files["labels.json"]
    hub.publish()
    with pytest.raises(HubError, match=r"no deepmoji model: labels.json, model.onnx missing"):
        download(PLACE)
    assert hub.fetched() == []


@pytest.mark.parametrize(
    "said", [b"<html>Please log in</html>", b"[]", b'{"id": "x", "sha": "../../x", "siblings": []}']
)
def test_what_is_no_hub_is_told(hub, said):
    path = "/api/models/someone/moji/revision/main"
    hub.web.files[path] = lambda handler, _: handler.answer(said)
    with pytest.raises(HubError, match=r"hub did not answer|names no commit"):
        download(PLACE)


def test_an_endpoint_without_encryption_is_refused(hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example.org")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(HubError, match="not encrypted"):
        download(PLACE)


def test_a_bundle_goes_to_a_folder(hub, tmp_path):
    folder = download(PLACE, out=tmp_path / "mine")
    assert folder == tmp_path / "mine"
    assert {path.name for path in folder.iterdir()} == set(PARTS)
    download(PLACE, out=folder)  # over a bundle that stands there


def test_a_folder_of_something_else_is_left_alone(hub, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BundleError, match="no model bundle"):
        download(PLACE, out=tmp_path)
    assert hub.web.requests == []


def test_what_came_into_the_folder_during_the_download_stays(hub, tmp_path):
    out = tmp_path / "mine"

    def serve_slowly(handler, content):
        out.mkdir()
        (out / "thesis.txt").write_text("mine")
        serve(handler, content)

    hub.web.script[hub.resolve("model.onnx")] += [serve_slowly]
    with pytest.raises(BundleError, match="no model bundle"):
        download(PLACE, out=out)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["mine"]


def test_a_file_without_a_checksum_of_the_hub_is_told(hub, tmp_path, monkeypatch):
    whole = repository._wanted
    monkeypatch.setattr(
        repository,
        "_wanted",
        lambda each: Wanted(size=each.size) if each.rfilename == "labels.json" else whole(each),
    )
    for out in (None, None, tmp_path / "mine"):  # from the hub, from the cache, to a folder
        found = {file.path.name: file.checked for file in get(PLACE, out=out).files}
        assert found.pop("labels.json") == ""
        assert set(found.values()) == {"the hub"}
        with pytest.warns(UserWarning, match=r"no SHA-256 of labels\.json"):
            download(PLACE, out=out)


def test_repository_writes_itself_as_it_was_read():
    for place in (PLACE, f"{PLACE}@v1", f"{PLACE}@refs/pr/1"):
        assert str(Repository.parse(place)) == place
