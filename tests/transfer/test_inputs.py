"""Bad input to fine-tuning: a clear message before training, or a sensible result."""

import json

import numpy as np
import pytest
import torch

from deepmoji.config import FineTuneConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.transfer.finetune import finetune
from deepmoji.transfer.options import Options
from tests.helpers.tunable import base, make_texts, tune

__all__ = ["base"]

torch.set_num_threads(1)  # this model is so small that threads would only wait for each other


def test_numbers_of_numpy_are_numbers(base):
    tuned = tune(base, *make_texts(20), method="last", epochs=np.int64(2), seed=np.int32(3),
                 final_dropout=np.float32(0.5))  # fmt: skip
    assert (tuned.report["settings"]["epochs"], tuned.report["seed"]) == (2, 3)
    json.dumps(tuned.report)


def test_one_class_only_is_refused(base):
    with pytest.raises(InputError, match="nothing to tell apart"):
        tune(base, make_texts(20)[0], ["joy"] * 20, method="last")


def test_a_class_with_one_example_is_kept_for_training(base):
    texts, labels = make_texts(20, ("fear", "joy"))
    tuned = tune(base, [*texts, "what a rare thing"], [*labels, "rare"], method="last")
    assert tuned.predictor.labels == ("fear", "joy", "rare")
    assert tuned.report["data"]["train_by_class"]["rare"] == 1


@pytest.mark.parametrize("part", ["test", "validation"])
def test_labels_that_train_never_saw_are_named_before_training(part, base):
    def never(progress):
        pytest.fail("it trained")

    other = (["so new"] * 2, ["joy", "surprise"])
    with pytest.raises(InputError, match=rf"{part} texts have labels .*'surprise'"):
        tune(base, *make_texts(30), method="last", report=never, **{part: other})


def test_empty_texts_and_long_ones_are_texts(base):
    texts, labels = make_texts(30)
    texts[0], texts[1], texts[2] = "", " \n", "word " * 10_000
    tuned = tune(base, texts, labels, method="chain-thaw", test=(texts, labels))
    assert np.isfinite(tuned.predictor.scores(texts)).all()
    assert tuned.report["settings"]["max_tokens"] == tuned.predictor.max_tokens == 20


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_missing_labels_are_refused(missing, base):
    texts, labels = make_texts(20)
    labels[3] = missing
    with pytest.raises(InputError, match=r"row 3.*missing"):
        tune(base, texts, labels, method="last")


def test_a_thousand_classes(base):
    texts, _ = make_texts(2000)
    labels = [number % 1000 for number in range(2000)]
    tuned = tune(base, texts, labels, method="last", epochs=1)
    assert len(tuned.predictor.labels) == 1000
    assert tuned.predictor.labels[:3] == ("0", "1", "2")


def test_a_validation_of_two_rows(base):
    texts, labels = make_texts(20, ("fear", "joy"))
    tuned = tune(base, texts, labels, method="last", validation=(texts[:2], labels[:2]))
    assert tuned.report["data"]["validation"] == 2
    assert tuned.report["data"]["validation_texts_in_train"] == 2


def test_duplicate_rows_are_one_side_of_the_split(base):
    texts, labels = make_texts(10, ("fear", "joy"))
    tuned = tune(base, texts * 5, labels * 5, method="last", validation_share=0.2)
    assert tuned.report["data"]["validation_texts_in_train"] == 0
    assert tuned.report["data"]["train_copies"] == 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "best"}, "method has to be one of new, full"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"epoch": 3}, "no option 'epoch'"),
        ({"epochs": 0}, "epochs has to be"),
        ({"final_dropout": 1.0}, "final_dropout"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"validation_share": 1}, "validation_share"),
        ({"class_weights": "yes"}, "class_weights"),
        ({"device": "tpu"}, "device"),
        ({"precision": "fp8"}, "precision"),
        ({"classes": ["joy", "anger"]}, "no class"),
        ({"classes": 3}, "several classes, got 3"),
        ({"batch_size": 10**22}, "batch_size has to be less than 2,147,483,648"),
        ({"multi_label": "no"}, "multi_label has to be True, False or None, not 'no'"),
        ({"words": "split"}, "words has to be a function"),
        ({"text_column": "body"}, "text_column names a column of a file, and no file is given"),
        ({"learning_rate": 0.01}, "learning_rate changes nothing with the method last: only"),
        ({"extend": 5}, "extend changes nothing with the method last"),
        ({"method": "full", "new_learning_rate": 0.02}, "new_learning_rate changes nothing"),
        ({"method": "new", "learning_rate": 0.02}, "learning_rate changes nothing"),
        ({"method": "gradual", "learning_rate": 0.02}, "learning_rate changes nothing"),
        (
            {"validation": make_texts(9), "validation_share": 0.3},
            "here they are given: leave one of the two out",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message, base):
    with pytest.raises(InputError, match=message):
        tune(base, *make_texts(20), **({"method": "last"} | options))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_texts_of_a_split_are_not_given_twice(part, base, tmp_path):
    """Those of the file were passed over, without a word."""
    texts, labels = make_texts(30)
    parts = ["train"] * 24 + [part] * 6
    rows = [f"{t},{n},{s}" for t, n, s in zip(texts, labels, parts, strict=True)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["text,label,split", *rows]), "utf-8")
    with pytest.raises(InputError, match=f"{part} texts are given twice: 6 rows of the training"):
        finetune(path, base=base, method="last", **{part: make_texts(9)})


def test_every_setting_is_an_option():
    from dataclasses import fields

    assert {each.name for each in fields(FineTuneConfig)} <= Options.__annotations__.keys()


def test_a_missing_base_is_told(tmp_path):
    with pytest.raises(BundleError, match="no model folder"):
        tune(tmp_path / "nothing", *make_texts(20), method="last")


def test_saving_over_something_else_is_refused(base, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("all", "utf-8")
    tuned = tune(base, *make_texts(20), method="last", epochs=1)
    with pytest.raises(BundleError, match="no model bundle"):
        tuned.save(tmp_path / "precious")
    assert (tmp_path / "precious" / "thesis.txt").read_text("utf-8") == "all"
