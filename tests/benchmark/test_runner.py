import os
import re
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from deepmoji.benchmark.cells import Cell, state
from deepmoji.benchmark.job import Base, Job, plan
from deepmoji.benchmark.runner import run
from deepmoji.benchmark.systems import SYSTEMS
from deepmoji.errors import BundleError, DeepmojiError, InputError
from tests.benchmark.fakes import Dies, Exits, Fake, Garbles, Raises, Sleeps, Stumbles
from tests.helpers.bundles import Tiny, make_bundle
from tests.helpers.signals import heed_interrupts


class Recorder:
    """Keeps what a run tells."""

    def __init__(self):
        self.events = []

    def begin(self, *, done, left):
        self.events.append(("begin", done, left))

    def stale(self, job, why):
        self.events.append(("stale", str(job), why))

    def started(self, job):
        self.events.append(("started", str(job)))

    def finished(self, job, seconds):
        assert seconds > 0
        self.events.append(("finished", str(job)))

    def failed(self, job, why):
        self.events.append(("failed", str(job), why))


def jobs_of(tasks, base, *systems, seeds=1):
    return plan(tasks, systems, seeds=seeds, base=base)


def test_plan_begins_with_what_tells_most(data, base):
    from deepmoji.benchmark.tasks import load_tasks

    tasks = load_tasks("paper", data, ["SE0714", "SCv1"])
    tasks[0] = tasks[0].with_train(range(30))
    cheap = Fake(name="cheap", deterministic=True)
    jobs = jobs_of(tasks[::-1], base, cheap, Fake(name="b"), Fake(name="c", only="SCv1"), seeds=2)
    assert list(map(str, jobs)) == [
        "cheap on SE0714, seed 0",
        "cheap on SCv1, seed 0",
        "b on SE0714, seed 0",
        "b on SCv1, seed 0",
        "c on SCv1, seed 0",
        "b on SE0714, seed 1",
        "b on SCv1, seed 1",
        "c on SCv1, seed 1",
    ]


def test_key_names_all_that_answers_depend_on(tasks, base, tmp_path):
    make_bundle(tmp_path / "other", Tiny(seed=1))
    other = Base.of(tmp_path / "other")
    plain, tuned = Fake(), Fake(uses_base=True)

    def key(system, base):
        return Job.of(tasks[0], system, seed=0, base=base).key

    assert key(plain, base) == key(plain, other)
    assert key(plain, base).model is None
    assert key(tuned, base).differences(key(tuned, other)) == ["model"]
    assert key(plain, base).settings == {"trees": [1, 2]}  # as JSON gives it back
    with pytest.raises(BundleError, match="nowhere"):
        Base.of(tmp_path / "nowhere")


def test_answers_are_checked(tasks, base):
    with pytest.raises(DeepmojiError, match=r"shape \(12, 4\)"):
        Job.of(tasks[0], Garbles(), seed=0, base=base).compute()


def test_run_keeps_each_cell_and_goes_on(tasks, base, tmp_path):
    jobs = jobs_of(tasks, base, Fake(), Fake(name="second"), seeds=2)
    recorder = Recorder()
    assert run(jobs[:3], tmp_path, processes=2, progress=recorder) == []
    assert recorder.events[0] == ("begin", 0, 3)
    assert sorted(recorder.events[1:]) == sorted(
        (what, str(job)) for job in jobs[:3] for what in ("started", "finished")
    )
    again = Recorder()
    assert run(jobs, tmp_path, processes=1, progress=again) == []
    assert again.events[0] == ("begin", 3, 5)
    assert [event[1] for event in again.events if event[0] == "started"] == list(map(str, jobs[3:]))
    assert {state(job.key, tmp_path) for job in jobs} == {"done"}
    assert not list(tmp_path.rglob("*.log"))
    last = Recorder()
    run(jobs, tmp_path, progress=last)
    assert last.events == [("begin", 8, 0)]

    cell = Cell.load(jobs[0].key.path(tmp_path))
    expected = jobs[0].compute()
    np.testing.assert_array_equal(cell.test, expected.test)
    np.testing.assert_array_equal(cell.validation, expected.validation)
    assert cell.report["threads"] == "1"
    assert cell.report["pid"] != os.getpid()
    assert os.environ.get("OMP_NUM_THREADS") != "1" or expected.report["threads"] == "1"
    assert cell.versions["numpy"] == np.__version__


def test_stale_cells_are_computed_again(tasks, base, tmp_path):
    (job,) = jobs_of(tasks[:1], base, Fake())
    run([job], tmp_path, processes=1)
    (changed,) = jobs_of(tasks[:1], base, Fake(settings={"trees": 3}))
    recorder = Recorder()
    run([changed], tmp_path, processes=1, progress=recorder)
    assert recorder.events[:2] == [
        ("begin", 0, 1),
        ("stale", str(job), "made with other settings"),
    ]
    assert state(changed.key, tmp_path) == "done"
    assert state(job.key, tmp_path) == "made with other settings"


def test_what_fails_is_told_in_a_line_and_the_rest_goes_on(tasks, base, tmp_path):
    systems = [
        Raises(name="raises"),
        Dies(name="dies"),
        Exits(name="exits"),
        Garbles(name="garbles"),
        Fake(name="works"),
    ]
    jobs = jobs_of(tasks[:1], base, *systems)
    recorder = Recorder()
    failures = run(jobs, tmp_path, processes=2, progress=recorder)
    told = {failure.job.system.name: failure.why for failure in failures}
    assert sorted(told) == ["dies", "exits", "garbles", "raises"]
    assert told["raises"] == "ValueError: no answer to this one"
    assert told["dies"].startswith("its process was ended by SIGKILL: there was not enough memory")
    assert told["exits"] == "its process ended with code 3"
    assert told["garbles"].startswith("DeepmojiError: the system answered with an array of shape")
    assert [state(job.key, tmp_path) for job in jobs] == ["missing"] * 4 + ["done"]
    failure = next(each for each in failures if each.job.system.name == "raises")
    log = failure.log.read_text("utf-8")
    assert "about to fail" in log
    assert re.search(r"^\d\d:\d\d:\d\d epoch 7$", log, re.MULTILINE)
    assert "Traceback" in log
    assert {event[0] for event in recorder.events} == {"begin", "started", "failed", "finished"}
    # It is tried again, and then it works; the log goes.
    (mended,) = jobs_of(tasks[:1], base, Fake(name="raises"))
    assert run([mended], tmp_path, processes=1) == []
    assert not failure.log.exists()


def test_a_long_fit_goes_on_where_it_was_broken_off(tasks, base, tmp_path):
    (job,) = jobs_of(tasks[:1], base, Stumbles(name="long"))
    (failure,) = run([job], tmp_path, processes=1)
    unfinished = failure.log.with_suffix(".unfinished")
    (unfinished / "of-an-older-key").mkdir()
    assert run([job], tmp_path, processes=1) == []
    cell = Cell.load(job.key.path(tmp_path))
    assert cell.report["found"] == "half way"
    assert cell.seconds == 3000  # of all attempts
    assert not unfinished.exists()
    # A system that fine-tunes keeps its run; other settings never go on from it.
    kept = SYSTEMS["last"].going_on_in(tmp_path)
    assert (kept.folder, kept.settings) == (tmp_path, SYSTEMS["last"].settings)
    (other,) = jobs_of(tasks[:1], base, Stumbles(name="long", settings={"trees": 3}))
    assert other.key.digest != job.key.digest


def test_processes_has_to_be_positive(tmp_path):
    with pytest.raises(InputError, match="processes"):
        run([], tmp_path, processes=0)


@pytest.mark.skipif(os.name == "nt", reason="sends a Unix signal")
def test_interrupt_ends_the_workers_and_keeps_what_is_done(tasks, base, tmp_path):
    heed_interrupts()
    jobs = jobs_of(tasks[:1], base, Fake(), Sleeps(name="sleeps"), Sleeps(name="too"))
    pids = []

    class Interrupts(Recorder):
        def finished(self, job, seconds):
            super().finished(job, seconds)
            pids.append(Cell.load(job.key.path(tmp_path)).report["pid"])

        def started(self, job):
            super().started(job)
            if job.system.name == "too":
                threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(jobs, tmp_path, processes=2, progress=Interrupts())
    assert time.monotonic() - begun < 30
    assert [state(job.key, tmp_path) for job in jobs] == ["done", "missing", "missing"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "seed-0.json",
        "seed-0.npz",
    ]
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.parametrize("broken", ["first", "second"])
def test_what_ends_before_a_worker_has_its_job_removes_no_file(
    tasks, base, tmp_path, monkeypatch, broken
):
    """The null device least of all, which a superuser can remove."""
    null = tmp_path / "null"
    null.write_text("")
    monkeypatch.setattr(os, "devnull", str(null))
    jobs = jobs_of(tasks[:1], base, Fake(name="first"), Fake(name="second"))

    class Stops(Recorder):
        def started(self, job):
            if job.system.name == broken:
                raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run(jobs, tmp_path / "out", processes=1, progress=Stops())
    assert null.exists()
    assert [state(job.key, tmp_path / "out") for job in jobs] == [
        "done" if broken == "second" else "missing",
        "missing",
    ]


def test_a_cell_that_is_not_of_these_tasks_stays(tasks, base, tmp_path):
    (job,) = jobs_of(tasks[:1], base, Fake())
    other = replace(job.key, seed=7)
    replace(job.compute(), key=other).save(tmp_path)
    run([job], tmp_path, processes=1)
    assert state(other, tmp_path) == "done"


def test_an_old_worker_makes_room(tasks, base, tmp_path, monkeypatch):
    monkeypatch.setattr("deepmoji.benchmark.worker._OLD", 0.0)
    jobs = jobs_of(tasks, base, Fake())
    assert run(jobs, tmp_path, processes=1) == []
    pids = [Cell.load(job.key.path(tmp_path)).report["pid"] for job in jobs]
    assert len(set(pids)) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
