"""By what a run is known again when it is started once more."""

import pytest
import torch

from deepmoji.config import PretrainConfig
from deepmoji.errors import InputError
from deepmoji.training.pretrain import train
from tests.helpers.tinyruns import ONE, assert_same_weights, best, latest, nothing, tiny_run

# What a checkpoint of the first version says of its settings: nothing else may be asked of it.
FIRST = {
    "batch_size",
    "learning_rate",
    "warmup",
    "decay",
    "clip_norm",
    "embedding_l2",
    "embedding_range",
    "embedding_dropout",
    "final_dropout",
    "label_smoothing",
    "balance",
    "max_tokens",
    "seed",
}
LATER = {
    "average": 0.9,
    "encodings_weight": 2.0,  # with encodings alone, see test_guide
    "pairs": 100,
    "soft_labels": True,
    "streams": 4,
    "teacher_weight": 0.4,  # with a teacher alone, see test_teacher
    "temperature": 3.0,
    "weight_decay": 0.1,
    "word_dropout": 0.1,
    "words": 20,
}


OF_FILES = {"encodings_weight", "teacher_weight", "temperature"}  # nothing without their files


def stop_at_16(progress):
    if progress.step >= 16:
        raise KeyError


def test_settings_that_came_later_are_not_asked_for(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path / "run")
    with pytest.raises(KeyError):
        train(run, ONE, stop_at_16)
    content = latest(run.folder)
    assert content.keys() == {"fingerprint", "state", "network", "optimiser"}
    content["fingerprint"]["settings"] = {
        name: value for name, value in run.config.to_dict().items() if name in FIRST
    }
    torch.save(content, run.folder / "latest.pt")
    train(run, ONE, nothing)
    whole = tiny_run(corpus, tmp_path / "whole")
    train(whole, ONE, nothing)
    assert_same_weights(latest(whole.folder)["network"], latest(run.folder)["network"])
    assert_same_weights(best(whole.folder), best(run.folder))


def of_the_first_version(run):
    """Make a run's checkpoint one of a version that drew batches in another order."""
    content = latest(run.folder)
    del content["fingerprint"]["order"]
    for path in (run.folder / "latest.pt", *run.folder.glob("step-*.pt")):
        torch.save(content, path)


def test_a_run_with_batches_in_another_order_is_told(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path / "run")
    with pytest.raises(KeyError):
        train(run, ONE, stop_at_16)
    of_the_first_version(run)
    with pytest.raises(InputError, match="drew batches in another order; finish it with"):
        train(run, ONE, nothing)


def test_one_that_is_finished_needs_no_more_batches(corpus, tmp_path):
    run = tiny_run(corpus, tmp_path / "run")
    train(run, ONE, nothing)
    of_the_first_version(run)
    before = latest(run.folder)["network"]
    assert train(run, ONE, nothing)
    assert_same_weights(before, latest(run.folder)["network"])


def test_every_later_setting_is_known():
    free = {"epochs", "evaluate_every", "checkpoint_every", "checkpoints", "patience"}
    assert set(PretrainConfig().to_dict()) == FIRST | set(LATER) | free


@pytest.mark.parametrize("name", sorted(LATER.keys() - OF_FILES))
def test_another_value_of_a_later_setting_is_another_run(corpus, tmp_path, name):
    before = tiny_run(corpus, tmp_path, epochs=0.1)
    train(before, ONE, nothing)
    with pytest.raises(InputError, match="settings"):
        train(tiny_run(corpus, tmp_path, epochs=0.1, **{name: LATER[name]}), ONE, nothing)
