"""Fine-tuning from labelled texts to a bundle: every kind of labels, and what it starts from."""

import json
import shutil

import numpy as np
import pytest
import torch

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.config import FineTuneConfig
from deepmoji.errors import BundleError
from deepmoji.evaluation.datasets import Labelled
from deepmoji.inference.predictor import load
from deepmoji.training.export import export
from deepmoji.training.weights import read_weights, starting_weights
from deepmoji.transfer.finetune import finetune
from deepmoji.transfer.one_vs_rest import one_vs_rest
from deepmoji.transfer.options import METHODS
from deepmoji.transfer.plain import plain_lstm
from tests.helpers.tunable import base, fast, make_texts, make_tunable, tune

__all__ = ["base"]

torch.set_num_threads(1)  # this model is so small that threads would only wait for each other


def test_a_label_is_learnt_and_the_model_travels(base, tmp_path):
    texts, labels = make_texts(90)
    tuned = tune(base, texts, labels, method="chain-thaw", test=make_texts(30, seed=1), **{
        "epochs": 30, "patience": 8})  # fmt: skip
    assert tuned.predictor.labels == ("anger", "fear", "joy")
    assert tuned.report["measures"]["test"]["accuracy"] > 0.8
    folder = tuned.save(tmp_path / "model")
    moji = deepmoji.load(folder)
    scores = tuned.predictor.scores(texts)
    np.testing.assert_array_equal(moji.scores(texts), scores)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    prediction = moji.predict("so scared of the dark")
    assert prediction.labels == (prediction.top[0][0],) == ("fear",)
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert record["measures"] == tuned.report["measures"]
    assert record["method"] == "chain-thaw"
    # Tuned again, from the tuned one, to other classes.
    other = tune(folder, texts, ["x" if name == "joy" else "y" for name in labels], method="last")
    assert other.predictor.labels == ("x", "y")
    assert other.report["base"]["method"] == "chain-thaw"
    small = export(folder, tmp_path / "small")  # int8
    np.testing.assert_allclose(load(small.folder).scores(texts), scores, atol=0.02)


def test_the_folder_of_a_model_goes_with_it(base):
    tuned = tune(base, *make_texts(30), method="last", epochs=1)
    folder, predictor = tuned.predictor.bundle.folder, tuned.predictor
    del tuned
    assert folder.is_dir()
    assert predictor.scores(["so happy"]).shape == (1, 3)
    del predictor
    assert not folder.parent.exists()


@pytest.mark.parametrize("method", METHODS)
def test_two_classes_are_one_sigmoid_as_two_columns(base, method):
    texts, labels = make_texts(60, ("fear", "joy"))
    tuned = tune(base, texts, [name == "joy" for name in labels], method=method)
    assert tuned.predictor.labels == ("False", "True")
    assert tuned.predictor.scores(texts).sum(axis=1) == pytest.approx(1, abs=1e-5)
    weights = read_weights(tuned.predictor.bundle)
    assert not weights["output.weight"][0].any()
    assert {"accuracy", "positive_f1"} <= tuned.report["measures"]["validation"].keys()


def test_several_labels_hold_from_thresholds_that_are_stored(base, tmp_path):
    texts, labels = make_texts(90)
    several = [[name, "strong"] if name != "joy" else [] for name in labels]
    tuned = tune(base, texts, several, method="full", **{"epochs": 60, "patience": 20})
    assert tuned.predictor.labels == ("anger", "fear", "strong")
    bundle = Bundle.open(tuned.save(tmp_path / "model"))
    assert bundle.thresholds == tuple(tuned.report["thresholds"])
    assert all(0.01 <= each <= 0.49 for each in bundle.thresholds)
    moji = load(tmp_path / "model")
    for text in texts[:12]:
        prediction = moji.predict(text)
        chances = dict(zip(moji.labels, moji.scores([text])[0], strict=True))
        expected = [n for n, t in zip(moji.labels, bundle.thresholds, strict=True)
                    if chances[n] >= np.float32(t)]  # fmt: skip
        assert list(prediction.labels) == expected
    assert moji.predict("so furious").labels == ("anger", "strong")
    assert moji.predict("so happy and sunny").labels == ()
    small = export(tmp_path / "model", tmp_path / "small")
    assert small.thresholds == bundle.thresholds


def test_hard_sigmoid_models_can_be_tuned(tmp_path):
    hard = make_tunable(tmp_path / "hard", gates="hard_sigmoid").folder
    tuned = tune(hard, *make_texts(40), method="chain-thaw")
    assert tuned.predictor.bundle.config.gates == "hard_sigmoid"


def test_rare_classes_can_count_as_much(base):
    texts, labels = make_texts(60, ("joy", "joy", "joy", "joy", "fear"))
    plain = tune(base, texts, labels, method="last")
    weighted = tune(base, texts, labels, method="last", class_weights=True)
    rare = [
        plain.predictor.scores(texts)[:, 0].mean(),
        weighted.predictor.scores(texts)[:, 0].mean(),
    ]
    assert rare[1] > rare[0] + 0.1


def test_test_texts_decide_nothing(base):
    """The tuned model is the same, bit for bit, whatever the test texts and their labels."""
    texts, labels = make_texts(60)
    other, names = make_texts(30, seed=5)
    models = [
        tune(base, texts, labels, method="chain-thaw", **given)
        for given in ({}, {"test": (other, names)}, {"test": (other[:9], names[9:0:-1])})
    ]
    weights = [read_weights(each.predictor.bundle) for each in models]
    for name in weights[0]:
        assert np.array_equal(weights[0][name], weights[1][name])
        assert np.array_equal(weights[0][name], weights[2][name])
    assert len({str(each.report["thresholds"]) for each in models}) == 1
    assert len({str(each.report["measures"]["validation"]) for each in models}) == 1
    assert "test" not in models[0].report["measures"]


def test_the_same_seed_gives_the_same_model_and_leaves_torchs_alone(base):
    texts, labels = make_texts(40)
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    one = tune(base, texts, labels, method="full", seed=1)
    assert torch.equal(torch.rand(1), expected)
    two = tune(base, texts, labels, method="full", seed=1)
    three = tune(base, texts, labels, method="full", seed=2)
    assert np.array_equal(one.predictor.scores(texts), two.predictor.scores(texts))
    assert not np.array_equal(one.predictor.scores(texts), three.predictor.scores(texts))


def test_copies_between_the_splits_are_counted(base):
    texts, labels = make_texts(40)
    report = tune(
        base, [*texts, texts[0]], [*labels, labels[0]], method="last", epochs=1,
        test=([*texts[:3], "new"], [*labels[:3], "joy"]),
    ).report["data"]  # fmt: skip
    assert report["train_copies"] + report["validation_by_class"]["anger"] >= 1
    assert report["test_texts_in_train"] + report["test_texts_in_validation"] == 3
    assert report["validation_texts_in_train"] == 0


def test_a_file_with_a_split_column_brings_all_three(base, tmp_path):
    texts, labels = make_texts(40)
    rows = ["text,label,split"]
    parts = ["train"] * 28 + ["dev"] * 6 + ["test"] * 6
    rows += [f"{t},{n},{s}" for t, n, s in zip(texts, labels, parts, strict=True)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows), "utf-8")
    report = finetune(path, base=base, method="last", **fast("last")).report
    assert [report["data"][name] for name in ("train", "validation", "test")] == [28, 6, 6]
    assert report["measures"].keys() == {"validation", "test"}


def test_one_against_the_rest_has_a_column_for_each_class(base):
    texts, labels = make_texts(60)
    data = Labelled(texts=tuple(texts), labels=tuple((name,) for name in labels))
    train, validation = data.take(range(45)), data.take(range(45, 60))
    for method in ("last", "full"):
        model = one_vs_rest(train, validation, base=base, method=method, **fast(method))
        scores = model.scores(texts)
        assert scores.shape == (60, 3)
        assert scores.dtype == np.float32
        assert model.report["one_vs_rest"].keys() == {"anger", "fear", "joy"}
    alone = finetune(
        (train.texts, [name == "fear" for (name,) in train.labels]),
        (validation.texts, [name == "fear" for (name,) in validation.labels]),
        base=base, method="full", **fast("full"),
    )  # fmt: skip
    np.testing.assert_allclose(scores[:, 1], alone.predictor.scores(texts)[:, 1], atol=1e-6)


def test_one_against_the_rest_with_shared_encodings_is_the_same(base):
    texts, labels = make_texts(60)
    data = Labelled(texts=tuple(texts), labels=tuple((name,) for name in labels))
    train, validation = data.take(range(45)), data.take(range(45, 60))
    shared = one_vs_rest(train, validation, base=base, method="last", **fast("last")).scores(texts)
    alone = finetune(
        (train.texts, [name == "joy" for (name,) in train.labels]),
        (validation.texts, [name == "joy" for (name,) in validation.labels]),
        base=base, method="last", **fast("last"),
    )  # fmt: skip
    np.testing.assert_allclose(shared[:, 2], alone.predictor.scores(texts)[:, 1], atol=1e-5)


def test_a_plain_lstm_learns(monkeypatch):
    from deepmoji.transfer import plain

    small = {"units": 8, "embedding_size": 8}
    monkeypatch.setattr(plain, "ModelConfig", lambda **sizes: deepmoji_config(**sizes | small))
    monkeypatch.setattr(plain, "FineTuneConfig", lambda: FineTuneConfig(
        epochs=40, epoch_size=64, batch_size=16, new_learning_rate=0.02))  # fmt: skip
    texts, labels = make_texts(90)
    data = Labelled(texts=tuple(texts), labels=tuple((name,) for name in labels))
    model = plain_lstm(data.take(range(70)), data.take(range(70, 90)), seed=0)
    scores = model.scores(texts)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    names = np.array(["anger", "fear", "joy"])[scores.argmax(axis=1)]
    assert (names == np.array(labels)).mean() > 0.8


def deepmoji_config(**sizes):
    from deepmoji.config import ModelConfig

    return ModelConfig(**sizes)


# The weights to start from.


def test_weights_come_from_the_graph_too(base, tmp_path):
    bundle = Bundle.open(base)
    weights = read_weights(bundle)
    full = export(base, tmp_path / "fp32", precision="fp32")
    assert full.weights is None
    for name, array in starting_weights(full).items():
        np.testing.assert_array_equal(array, weights[name], err_msg=name)
    small = export(base, tmp_path / "int8")
    for name, array in starting_weights(small).items():
        np.testing.assert_allclose(array, weights[name], atol=np.abs(weights[name]).max() / 100)


def test_weights_of_a_foreign_graph_are_refused(base, tmp_path):
    shutil.copytree(base, tmp_path / "other")
    (tmp_path / "other" / "model.safetensors").unlink()
    graph = tmp_path / "other" / "model.onnx"
    graph.write_bytes(graph.read_bytes().replace(b"attention.weight", b"attention_weight"))
    with pytest.raises(BundleError, match="not made by deepmoji export"):
        tune(tmp_path / "other", *make_texts(20), method="last")
