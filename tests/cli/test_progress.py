"""What a person sees of a run, in a log and on a terminal."""

import pickle

import pytest

from deepmoji.cli.progress import ProgressLine
from deepmoji.training.loop import Progress


def progress(step, stage="", **more):
    defaults = {"steps": 10, "loss": 2.5, "texts_per_second": 1000.0, "seconds_left": 65.0}
    return Progress(step=step, stage=stage, **(defaults | more))


def test_a_log_has_a_line_a_minute_and_every_evaluation(capsys):
    line = ProgressLine()
    line(progress(1))
    line(progress(2))  # within the minute
    line(progress(3, evaluation={"natural_loss": 2.25}))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "step 1 of 10  loss 2.5000  1,000 texts/s  0:01:05 left",
        "step 3  train_loss 2.5000  natural_loss 2.2500",
    ]


def test_a_stage_before_training_says_what_it_is(capsys):
    ProgressLine()(progress(5, stage="teacher"))
    assert capsys.readouterr().err.startswith("teacher 5 of 10  loss 2.5000")


@pytest.mark.parametrize("stage", ["teacher", ""])
def test_a_bar_ends_with_its_stage(monkeypatch, stage):
    """After a stage the line is sent to another process, which begins its own bar."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    line = ProgressLine()
    line(progress(1, stage=stage))
    assert line._bar is not None
    line(progress(10, stage=stage))
    assert (line._bar is None) == bool(stage)
    line.close()
    pickle.loads(pickle.dumps(line))  # noqa: S301 - our own
