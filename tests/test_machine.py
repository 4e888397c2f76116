import os
import subprocess
import sys

import pytest

from deepmoji.machine import available_cores


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cannot choose cores")
def test_cores_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5})
    assert available_cores() == 3


def test_cores_where_they_cannot_be_chosen(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert available_cores() == 4
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


# The first process of a program is special: what it starts besides lets signals through again.
SPAWNS = """
import multiprocessing, signal
from deepmoji.machine import interrupts_held_back

if __name__ == "__mp_main__":  # a worker that still loads
    held = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    print(sorted(signal.Signals(each).name for each in held), flush=True)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        with interrupts_held_back():
            process = context.Process(target=print, args=("done",))
            process.start()
        process.join()
    print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows holds no signals back")
def test_processes_that_load_are_not_interrupted(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(SPAWNS, encoding="utf-8")
    ran = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    worker = ["['SIGINT', 'SIGTERM']", "done"]
    assert ran.stdout.splitlines() == [*worker, *worker, "set()"], ran.stderr
