"""A model on disk: read back as written, refused when something is wrong, never half there."""

import json
from contextlib import suppress
from pathlib import Path

import pytest

from deepmoji.bundle import Bundle, write_bundle
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.errors import BundleError, InputError, MissingDependency, require
from deepmoji.files import atomic_folder, atomic_path
from tests.helpers.bundles import make_bundle


@pytest.fixture
def bundle(tmp_path):
    return make_bundle(tmp_path / "model")


def edit(path, **changes):
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | changes), encoding="utf-8")


def test_opened_as_written(bundle):
    again = Bundle.open(bundle.folder)
    assert again.config == bundle.config
    assert again.labels == bundle.labels
    assert again.vocabulary.words == bundle.vocabulary.words
    assert again.weights is None


@pytest.mark.parametrize("part", ["config.json", "vocabulary.json", "labels.json", "model.onnx"])
def test_a_missing_part_is_named(bundle, part):
    (bundle.folder / part).unlink()
    with pytest.raises(BundleError, match=part):
        Bundle.open(bundle.folder)


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("config.json", {"format_version": 99}, "pip install --upgrade deepmoji"),
        ("config.json", {"format_version": "1"}, "format_version"),
        ("config.json", {"text": {"rules": "other", "max_tokens": 3}}, "text rules"),
        ("config.json", {"text": {"rules": "deepmoji", "max_tokens": 0}}, "max_tokens"),
        ("config.json", {"model": {"units": 3}}, "fields"),
        ("config.json", {"model": None}, "fields"),
        ("vocabulary.json", {"extra": 46}, "both files have to come from the same model"),
    ],
)
def test_contradictions_are_refused(bundle, part, changes, message):
    if part == "vocabulary.json":
        changes = {"extra": len(bundle.vocabulary)}
    edit(bundle.folder / part, **changes)
    with pytest.raises(BundleError, match=message):
        Bundle.open(bundle.folder)


@pytest.mark.parametrize("source", ["hf://owner/name", Path("hf://owner/name")])
def test_a_model_on_a_hub_has_to_be_downloaded_first(source):
    with pytest.raises(BundleError, match="with deepmoji download"):
        Bundle.open(source)


def test_foreign_folders_are_refused_and_kept(bundle, tmp_path):
    with pytest.raises(BundleError, match="no complete model bundle"):
        Bundle.open(tmp_path)
    with pytest.raises(BundleError, match="no model folder"):
        Bundle.open(tmp_path / "nothing")
    foreign = tmp_path / "photos"
    foreign.mkdir()
    (foreign / "cat.jpg").write_text("meow")
    with pytest.raises(BundleError, match="choose another folder"):
        make_bundle(foreign)
    assert (foreign / "cat.jpg").read_text() == "meow"


def test_a_folder_with_more_than_a_bundle_is_kept(bundle):
    (bundle.folder / "thesis.tex").write_text("chapter 1")
    with pytest.raises(BundleError, match="choose another folder"):
        make_bundle(bundle.folder)
    assert (bundle.folder / "thesis.tex").read_text() == "chapter 1"


def test_a_foreign_config_is_no_bundle(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(BundleError, match="choose another folder"):
        make_bundle(folder)


def test_devices_and_folders_are_not_replaced_and_links_are_followed(tmp_path):
    for path in (Path("/dev/null"), tmp_path):
        with pytest.raises(InputError, match="no regular file"), atomic_path(path):
            pass
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with atomic_path(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_wrong_labels_leave_nothing(bundle, tmp_path):
    from deepmoji.bundle import Contents

    contents = Contents(
        config=bundle.config, max_tokens=5, vocabulary=bundle.vocabulary, labels=("one",)
    )
    with pytest.raises(BundleError, match="labels"):
        write_bundle(
            tmp_path / "new", contents, training={}, card="", parts={"model.onnx": bundle.graph}
        )
    assert not (tmp_path / "new").exists()


def test_files_are_whole_or_absent(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with suppress(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half of the new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_folders_are_whole_or_absent(tmp_path):
    target = tmp_path / "folder"
    with atomic_folder(target) as temporary:
        (temporary / "a").write_text("1")
    with suppress(KeyboardInterrupt), atomic_folder(target) as temporary:
        (temporary / "b").write_text("2")
        raise KeyboardInterrupt
    assert [path.name for path in target.iterdir()] == ["a"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ModelConfig(units=0),
        lambda: ModelConfig(gates="tanh"),  # pyright: ignore[reportArgumentType]
        lambda: ModelConfig(classes=2.0),  # pyright: ignore[reportArgumentType]
        lambda: PretrainConfig(learning_rate=0),
        lambda: PretrainConfig(balance=1.5),
        lambda: PretrainConfig(seed=1 << 24),
        lambda: PretrainConfig(seed=-1),
        lambda: PretrainConfig(epochs=float("inf")),
        lambda: PretrainConfig(learning_rate=float("nan")),
        lambda: PretrainConfig(final_dropout=1.0),
        lambda: ModelConfig.from_dict({"units": 3}),
        lambda: ModelConfig.from_dict([]),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(InputError):
        make()


def test_a_missing_library_names_its_extra():
    with pytest.raises(MissingDependency, match=r"pip install 'deepmoji\[train\]'"):
        require("no_such_library_at_all", "train")
