"""A build on a Ray cluster of two nodes: the corpus of a local build, also if a worker dies."""

import gzip
import json
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from deepmoji.corpus import build
from deepmoji.corpus.builder import Build, Silent
from deepmoji.corpus.cluster import Ray
from deepmoji.corpus.posts import find_posts
from deepmoji.corpus.remote import run_stage
from deepmoji.errors import InputError, MissingDependency
from deepmoji.labels import EMOJIS
from tests.corpus.conftest import SETTINGS, write_jsonl
from tests.corpus.test_build import contents, facts

OPTIONS = ("--per-emoji", 6, "--natural", 40, "--near-duplicates")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, posts):
    """Posts in four files, one that breaks off and one with a bad row, and their local corpus."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "posts").mkdir()
    for number in range(4):
        write_jsonl(folder / "posts" / f"{number}.jsonl", posts[number::4])
    (folder / "posts" / "row.csv").write_text("id,text\n1\n", encoding="utf-8")
    cut = gzip.compress(b"so happy today \xf0\x9f\x98\x82\n" * 50)[:-9]
    (folder / "posts" / "cut.txt.gz").write_bytes(cut)
    assert started(folder, "local").wait(120) == 0
    return folder


def started(folder, out, *options):
    """Begin a build as a user does, in the folder, with relative paths."""
    command = [sys.executable, "-m", "deepmoji", "corpus", "build", "posts", "--out", out]
    return subprocess.Popen([*command, *map(str, (*OPTIONS, *options))], cwd=folder)


@pytest.mark.slow
def test_corpus_is_that_of_a_local_build_though_a_worker_dies(folder, ray_cluster):
    with started(folder, "ray", "--runner", "ray", "--address", ray_cluster.address) as process:
        assert ray_cluster.kill_task("run_stage", process)
        assert process.wait(300) == 0
    assert contents(folder / "ray") == contents(folder / "local")
    assert facts(folder / "ray") == facts(folder / "local")
    unreadable = facts(folder / "ray")["unreadable"]
    assert unreadable["rows"] == 1
    assert [each["file"] for each in unreadable["files"]] == ["posts/cut.txt.gz"]
    report = json.loads((folder / "ray" / "report.json").read_text("utf-8"))
    assert report["run"]["machines"] == 2


def test_a_task_writes_nothing_that_others_would_have_to_see(post_file, tmp_path, monkeypatch):
    whole = SimpleNamespace(get_node_id=lambda: "a machine")
    fake = SimpleNamespace(get_runtime_context=lambda: whole)
    monkeypatch.setattr("deepmoji.corpus.remote.require", lambda *_: fake)
    begun = Build(
        posts=find_posts([post_file]),
        out=tmp_path / "out",
        settings=SETTINGS,
        workers=1,
        cluster=Ray(),
        progress=Silent(),
    )
    (stage,) = begun._stages(EMOJIS)
    shared = replace(stage, files=(), names=())
    done = run_stage(shared, (0, stage.files, stage.names))
    assert not (tmp_path / "out").exists()
    stage.keep(done.part, done.tally)
    kept = stage.part.read_bytes()
    assert stage.finished() == done.tally
    assert stage.run(0, lambda *_: None) == done.tally
    assert stage.part.read_bytes() == kept


# In a process of its own: Ray's warnings and threads are not the tests'.
REFUSED = """
import sys
from deepmoji.corpus.cluster import Ray, run_tasks
from deepmoji.errors import InputError

def work(shared, item):
    if item == shared:
        raise InputError("no, line 7")
    return item

try:
    print(sorted(run_tasks(Ray(sys.argv[1]), work, 3, range(5))))
except InputError as error:
    assert type(error) is InputError
    print(error)
"""


@pytest.mark.slow
def test_what_a_task_refuses_is_one_line(ray_cluster):
    run = subprocess.run(
        [sys.executable, "-c", REFUSED, ray_cluster.address],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "no, line 7\n"), run.stderr


OWN_END = """
import os, signal, sys
from deepmoji.corpus.cluster import Ray, run_tasks

def work(shared, item):
    return item

signal.signal(signal.SIGTERM, lambda *_: print("mine"))
for _ in run_tasks(Ray(sys.argv[1]), work, 0, [1]):
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.slow
def test_sigterm_stays_what_the_program_makes_of_it(ray_cluster):
    """Ray would end it, with exit code 15 and without a word."""
    run = subprocess.run(
        [sys.executable, "-c", OWN_END, ray_cluster.address],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "mine\n"), run.stderr


def test_what_cannot_be(post_file, tmp_path):
    pytest.importorskip("ray", reason="needs ray: pip install 'deepmoji[cluster]'")
    with pytest.raises(InputError, match=r"no Ray cluster answers at 127\.0\.0\.1:9: .*refused"):
        build(post_file, tmp_path / "out", cluster=Ray("127.0.0.1:9"))
    with pytest.raises(InputError, match="workers"):
        build(post_file, tmp_path / "out", cluster=Ray(), workers=2)
    arguments = ["corpus", "build", str(post_file), "--out", str(tmp_path / "out")]
    for options in (["--address", "x:1"], ["--runner", "ray", "--workers", "2"]):
        assert CliRunner().invoke(app, [*arguments, *options]).exit_code == 2


def test_ray_that_is_missing(post_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency, match=r"deepmoji\[cluster\]"):
        build(post_file, tmp_path / "out", cluster=Ray())
    assert not (tmp_path / "out").exists()
