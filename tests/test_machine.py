import os

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
