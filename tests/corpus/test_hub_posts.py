"""Posts in a data set on a model hub, by a server on this machine that answers as hubs do."""

import gzip
import io
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from pyarrow import fs

from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.stores import _Hub
from tests.corpus.test_build import contents, facts
from tests.helpers import webserver
from tests.helpers.fakehub import answer

NAME = "someone/posts"


def tree(files, handler, folder):
    """Answer with what is in a folder, or at any depth below it."""
    everything = "recursive=true" in handler.path.lower()
    rows = []
    for path, content in files.items():
        if path.startswith(folder) and (everything or "/" not in path.removeprefix(folder)):
            rows.append({"type": "file", "path": path, "size": len(content), "oid": "0" * 40})
    names = {path.partition("/")[0] for path in files if "/" in path and not folder}
    rows += [{"type": "directory", "path": name, "size": 0, "oid": "1" * 40} for name in names]
    answer(handler, rows)


def part_of(handler, content):
    """Serve the bytes asked for."""
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers.get("Range", ""))
    if not found:
        return handler.answer(content)
    first, last = int(found[1]), min(int(found[2]), len(content) - 1)
    span = f"bytes {first}-{last}/{len(content)}"
    return handler.answer(content[first : last + 1], 206, Content_Range=span)


@pytest.fixture
def hub():
    """A data set whose files may be set, and what it was asked."""
    with webserver.running() as web:
        web.data = {}
        api = f"/api/datasets/{NAME}"
        about = {"id": NAME, "sha": "a" * 40, "siblings": [], "private": False}
        for path in (api, f"{api}/revision/main"):
            web.files[path] = lambda handler, _: answer(handler, about)
        web.files[f"{api}/tree/main"] = lambda handler, _: tree(web.data, handler, "")
        web.files[f"{api}/tree/main/2015"] = lambda handler, _: tree(web.data, handler, "2015/")
        yield web


def put(web, path, content):
    web.data[path] = content
    web.files[f"/datasets/{NAME}/resolve/main/{path}"] = lambda handler, _: part_of(
        handler, content
    )


def run(web, *arguments):
    command = [sys.executable, "-m", "deepmoji", "corpus", "build", *map(str, arguments)]
    environment = {**os.environ, "HF_ENDPOINT": web.address, "HF_HUB_OFFLINE": "0"}
    return subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True, timeout=200
    )


def test_corpus_is_that_of_the_same_files_here(hub, post_file, tmp_path):
    lines = post_file.read_bytes().splitlines(keepends=True)
    put(hub, "2015/a.jsonl", b"".join(lines[:700]))
    put(hub, "b.jsonl.gz", gzip.compress(b"".join(lines[700:])))
    put(hub, "README.md", b"# Posts")
    options = ("--per-emoji", 6, "--natural", 40, "--workers", 1)
    done = run(hub, f"hf://datasets/{NAME}", *options, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    build(
        post_file,
        tmp_path / "local",
        settings=CorpusSettings(per_emoji=6, natural=40),
        workers=1,
    )
    assert contents(tmp_path / "out") == contents(tmp_path / "local")
    assert facts(tmp_path / "out") == facts(tmp_path / "local")


def test_a_hub_that_does_not_answer_is_one_line(tmp_path):
    with webserver.running() as web:
        pass  # nobody is there any more
    done = run(web, "hf://datasets/someone/posts", "--out", tmp_path / "out")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: hf://datasets/someone/posts: cannot be reached: ")


class TransportError(Exception):
    """What the library below a hub's raises."""


class Lost(io.BytesIO):
    def read(self, *_):
        raise TransportError("Server disconnected")


def test_a_connection_that_is_lost_is_told_as_a_disk_that_fails():
    """Through pyarrow, without the hub's library, which tries again for most of a minute."""
    inner = SimpleNamespace(
        protocol="hub", isfile=lambda _: True, open=lambda *_, **__: Lost(b"so happy")
    )
    store = fs.PyFileSystem(fs.FSSpecHandler(_Hub(inner, TransportError)))
    with store.open_input_file("a.txt") as file, pytest.raises(OSError, match="disconnected"):
        file.read()


def test_a_data_set_that_is_not_there_is_one_line(hub, tmp_path):
    done = run(hub, "hf://datasets/someone/else", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "hf://datasets/someone/else: " in done.stderr
    assert not (tmp_path / "out").exists()
