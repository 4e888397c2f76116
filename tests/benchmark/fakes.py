"""Systems for tests: as quick as can be, and some that misbehave. Workers import them from here."""

import hashlib
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class FakeAnswers:
    """Probabilities that follow from the fitted state and the text alone."""

    state: str
    classes: int
    report: Mapping[str, Any]

    def scores(self, texts):
        rows = np.empty((len(texts), self.classes), np.float32)
        for row, text in zip(rows, texts, strict=True):
            seed = hashlib.sha256(f"{self.state} {text}".encode()).digest()[:4]
            row[:] = np.random.default_rng(list(seed)).dirichlet(np.ones(self.classes))
        return rows


@dataclass(frozen=True, kw_only=True)
class Fake:
    """Answers that depend on everything that a system may see."""

    name: str = "fake"
    deterministic: bool = False
    uses_base: bool = False
    settings: Mapping[str, Any] = field(default_factory=lambda: {"trees": (1, 2)})
    only: str | None = None  # the one task that it fits

    def fits(self, task):
        return self.only in (None, task.name)

    def fit(self, problem, train, validation, *, base, seed, measure):
        drawn = 0 if self.deterministic else seed
        seen = [train.texts, train.labels, validation.texts, validation.labels, drawn, measure]
        state = hashlib.sha256(repr(seen).encode()).hexdigest()
        report = {"threads": os.environ.get("OMP_NUM_THREADS"), "state": state, "pid": os.getpid()}
        return FakeAnswers(state, len(problem.classes), report)


class Raises(Fake):
    def fit(self, problem, train, validation, **options):
        print("about to fail")
        logging.getLogger("deepmoji.tests").info("epoch %d", 7)
        raise ValueError("no answer\nto this one")


class Dies(Fake):
    """Ends its process as the system does when memory is short."""

    def fit(self, problem, train, validation, **options):
        os.kill(os.getpid(), signal.SIGKILL)


class Exits(Fake):
    def fit(self, problem, train, validation, **options):
        sys.exit(3)


class Sleeps(Fake):
    def fit(self, problem, train, validation, **options):
        time.sleep(600)


class Garbles(Fake):
    """Forgets a column of its answers."""

    def fit(self, problem, train, validation, **options):
        return FakeAnswers("", len(problem.classes) + 1, {})


@dataclass(frozen=True, kw_only=True)
class Stumbles(Fake):
    """Is ended in its first attempt, and says in its report how far that one came."""

    folder: Path | None = None

    def going_on_in(self, folder):
        return replace(self, folder=folder)

    def fit(self, problem, train, validation, **options):
        note = self.folder / "note"
        if not note.exists():
            note.parent.mkdir(parents=True)
            note.write_text("half way")
            os.kill(os.getpid(), signal.SIGKILL)
        answers = super().fit(problem, train, validation, **options)
        history = [{"seconds": 1000.0}, {"seconds": 2000.0}]
        return replace(answers, report={"found": note.read_text(), "history": history})
