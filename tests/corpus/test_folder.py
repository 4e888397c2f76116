"""The folder of a build: what --overwrite may remove, and what it must not."""

import json
from pathlib import Path

import pytest

from deepmoji.corpus.folder import BuildFolder
from deepmoji.corpus.layout import FILES
from deepmoji.errors import InputError

PART = "train/part-00000.parquet"
WRITTEN = (*FILES, PART, f".work/{'0' * 20}.json", f".work/{'0' * 20}.parquet")
PARTIALS = (
    ".labels.json.12.partial",
    "train/.part-00001.parquet.12.partial",
    f".work/.{'0' * 20}.parquet.12.partial",
)
OTHERS = (
    "thesis.txt",
    "train/x",
    "train/part-1.parquet",
    "train/part-00000.parquet.bak",
    "train/deeper/part-00000.parquet",
    ".work/notes.json",
    ".thesis.txt.12.partial",
    "labels.json.bak",
)


def put(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")


def there(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    return BuildFolder(path=tmp_path / "out", request="settings", identity="corpus")


def finish(folder):
    """Make it look as after a build."""
    put(folder.path, WRITTEN)
    report = {"run": {"identity": "another corpus"}}
    (folder.path / "report.json").write_text(json.dumps(report))


def test_overwriting_removes_what_builds_write_and_nothing_else(folder):
    finish(folder)
    put(folder.path, (*PARTIALS, *OTHERS))
    assert folder.prepare(overwrite=True) is None
    assert there(folder.path) == {*OTHERS, ".work/build.json"}


def test_the_end_of_a_build_removes_its_stages_and_nothing_else(folder):
    finish(folder)
    put(folder.path, (*PARTIALS[2:], ".work/build.json"))
    folder.finish()
    assert not folder.work.exists()
    put(folder.path, (".work/notes.json",))
    folder.finish()
    assert there(folder.path) == {*FILES, PART, ".work/notes.json"}


def test_a_folder_in_which_nothing_is_left_goes(folder):
    finish(folder)
    folder.clear()
    assert not folder.path.exists()


@pytest.mark.parametrize("name", [*FILES, PART])
@pytest.mark.parametrize("content", ["precious", "[]", '{"run": 3}'])
def test_files_that_no_build_is_known_to_have_written_are_not_replaced(folder, name, content):
    put(folder.path, ("train/x", name))
    (folder.path / name).write_text(content)
    with pytest.raises(InputError, match=rf"holds {name}, .*move .* away, or choose another"):
        folder.prepare(overwrite=True)
    assert there(folder.path) == {"train/x", name}
    assert (folder.path / name).read_text() == content


def test_an_unfinished_corpus_is_known_by_its_manifest(folder):
    put(folder.path, ("labels.json", PART, "train/x"))
    put(folder.path, (".work/build.json",))
    (folder.path / ".work/build.json").write_text('{"request": "other", "identity": "other"}')
    assert folder.prepare(overwrite=True) is None
    assert there(folder.path) == {"train/x", ".work/build.json"}


@pytest.mark.parametrize("removed", range(len(FILES) + 1))
def test_what_was_killed_while_it_removed_a_corpus_can_be_done_again(folder, monkeypatch, removed):
    finish(folder)
    unlink, done = Path.unlink, []

    def killed(path, **options):
        if path.name in {*FILES, Path(PART).name}:
            if len(done) == removed:
                raise KeyboardInterrupt
            done.append(path)
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.prepare(overwrite=True)
    with pytest.raises(InputError, match="--overwrite"):  # what is left is no part of this build
        folder.prepare(overwrite=False)
    folder.prepare(overwrite=True)
    assert there(folder.path) == {".work/build.json"}
