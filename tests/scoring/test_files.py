"""What is written to disk for every command: JSON of any name, locks, modes."""

import os
import stat

import pytest

from deepmoji.errors import InputError
from deepmoji.files import atomic_path, check_writable, locked, read_json, write_json

unix = pytest.mark.skipif(os.name == "nt", reason="needs modes or links of Unix")


def test_names_that_are_no_utf8_are_written_and_read_back(tmp_path):
    value = {"path": "/tmp/\udcff/posts", "text": "schön 😀", "list": ["\ud83d"]}  # noqa: S108
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    written = (tmp_path / "a.json").read_text("utf-8")
    assert "\\udcff" in written
    assert "schön 😀" in written  # what has an encoding stays readable


@unix
def test_a_lock_changes_nothing_that_its_name_links_to(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "lock").symlink_to("thesis.txt")
    with (
        pytest.raises(InputError, match=r"lock is a link to another file; remove it"),
        locked(tmp_path / "lock", tmp_path),
    ):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    assert (tmp_path / "lock").is_symlink()


@unix
def test_a_lock_empties_no_file(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    os.link(tmp_path / "thesis.txt", tmp_path / "lock")
    with locked(tmp_path / "lock", tmp_path):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@unix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "secret.json"
    path.write_text("old")
    path.chmod(mode)
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert mode_of(temporary) & ~mode & 0o077 == 0  # while it is written, too
    assert (path.read_text(), mode_of(path)) == ("new", mode)


@unix
def test_a_new_file_has_the_mode_that_the_user_chose(tmp_path):
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "new.json", 1)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "new.json") == 0o640


def test_whether_a_file_can_be_written_is_known_before(tmp_path):
    (tmp_path / "file").write_text("mine")
    check_writable(tmp_path / "new" / "folder" / "out.json")
    check_writable(tmp_path / "file")
    with pytest.raises(InputError, match="no regular file"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match=r"cannot write .*out\.json: .*file.* is no folder"):
        check_writable(tmp_path / "file" / "out.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "mine"


@unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot write"):
            check_writable(tmp_path / "out.json")
    finally:
        tmp_path.chmod(0o700)
