"""Scoring on Ray: the same parts as here, and what is said when a task is lost."""

import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from deepmoji.errors import BundleError, InputError
from deepmoji.scoring import score
from deepmoji.scoring.cluster import score_part
from deepmoji.scoring.runners import Local, Ray
from deepmoji.scoring.settings import ScoreSettings
from deepmoji.scoring.workers import WorkerDied
from tests.helpers.scorefiles import contents, write_texts


class RayError(Exception):
    pass


class RayTaskError(RayError):
    @property
    def cause(self):
        return self.__cause__


class FakeRay(ModuleType):
    """What is used of Ray, in this process: tasks run when they are asked for, the last first."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self):
        super().__init__("ray")
        self.begun, self.options, self.lost = None, None, False

    def is_initialized(self):
        return False

    def init(self, **options):
        self.begun = options

    def shutdown(self):
        self.begun = None

    def remote(self, **options):
        self.options = options
        # As between machines: what goes there and back is pickled.
        return lambda function: SimpleNamespace(
            remote=lambda *arguments: pickle.dumps((function, arguments))
        )

    def put(self, value):
        return value

    def wait(self, waiting, num_returns):
        return waiting[-num_returns:], waiting[:-num_returns]

    def get(self, reference):
        if self.lost:
            raise RayError("The worker died\nunexpectedly")
        function, arguments = pickle.loads(reference)  # noqa: S301 - our own
        try:
            return pickle.loads(pickle.dumps(function(*arguments)))  # noqa: S301
        except (BundleError, InputError) as error:
            raise RayTaskError from error


@pytest.fixture
def ray(monkeypatch):
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    return fake


@pytest.fixture
def run(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        write_texts(tmp_path / "posts" / f"{number}.txt", 50, number)

    def run(out, runner, model=bundle.folder):
        return score("posts", out, runner=runner, settings=ScoreSettings(model=model))

    return run


def test_parts_are_those_of_a_local_run(run, ray, tmp_path):
    report = run("out", Ray())
    assert (report.parts, report.rows, report.rows_now) == (3, 150, 150)
    assert ray.options["max_retries"] > 0
    assert ray.begun is None  # ended
    run("here", Local(1))
    assert contents(tmp_path / "out") == contents(tmp_path / "here")
    assert run("out", Local(1)).rows_now == 0


def test_a_bad_file_does_not_stop_the_others(run, ray, tmp_path):
    (tmp_path / "posts" / "bad.csv").write_text("id,text\n1\n")
    with pytest.raises(InputError, match=r"bad\.csv, line 2 .*; 3 of 4 files are scored"):
        run("out", Ray())


def test_tasks_that_fail_or_are_lost(run, ray, bundle, tmp_path):
    ray.lost = True
    with pytest.raises(WorkerDied, match="The worker died unexpectedly; what is finished is kept"):
        run("out", Ray())
    assert ray.begun is None


def test_a_machine_with_another_model_is_refused(run, ray, monkeypatch, tmp_path):
    monkeypatch.setattr("deepmoji.scoring.cluster.digest", lambda _: "another one")
    with pytest.raises(InputError, match=r"the model .*tiny of the machine .* is not that of the"):
        run("out", Ray())
    assert contents(tmp_path / "out") == {}


def test_a_shipped_model_goes_by_its_name(run, ray, tmp_path):
    for number in range(3):
        write_texts(tmp_path / "posts" / f"{number}.txt", 2, number)
    sent = []
    put = ray.put
    ray.put = lambda value: sent.append(value) or put(value)
    run("named", Ray(), model=Path("default"))
    run("unnamed", Ray(), model=None)
    assert [settings.model for settings, _ in sent] == [Path("default")] * 2
    assert contents(tmp_path / "named") == contents(tmp_path / "unnamed")
    with pytest.raises(InputError, match=r"the model /nowhere of the machine .* is not that"):
        score_part((ScoreSettings(model=Path("/nowhere")), sent[0][1]), None)


@pytest.mark.slow
def test_with_ray_itself(run, bundle, ray_cluster, tmp_path):
    command = [sys.executable, "-m", "deepmoji", "score", "posts", "--model", str(bundle.folder)]
    ray = ["--out", "out", "--runner", "ray", "--address", ray_cluster.address]
    assert subprocess.run([*command, *ray], cwd=tmp_path, check=False).returncode == 0
    run("here", Local(1))
    assert contents(tmp_path / "out") == contents(tmp_path / "here")
