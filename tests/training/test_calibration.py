"""A calibrated model's probabilities are right as often as they say, and it is calibrated once."""

import json
import shutil

import numpy as np
import onnx
import pytest
from safetensors.numpy import load_file, save_file

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.evaluation.emoji import EmojiExam
from deepmoji.evaluation.metrics import Priors, calibration_error
from deepmoji.training.calibration import calibrated, fit_temperature, log_loss, prior_shift
from deepmoji.training.export import export
from deepmoji.training.graph import build_graph
from deepmoji.training.hardware import Hardware
from deepmoji.training.pretrain import pretrain

TEXTS = ["a funny joke", "we lost it", "angry traffic", "lovely flowers", "the"]


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def drawn():
    """Log-probabilities [4000, 5], and labels drawn from them."""
    random = np.random.default_rng(0)
    truth = log_softmax(random.normal(0, 1.5, (4000, 5)))
    labels = (np.exp(truth).cumsum(axis=1) < random.random((4000, 1))).sum(axis=1)
    return truth, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(drawn, temperature):
    truth, labels = drawn
    found = fit_temperature(truth * temperature, labels, np.zeros(5))
    assert found == pytest.approx(temperature, rel=0.05)  # 4000 draws
    grid = [
        log_loss(calibrated(truth * temperature, each, np.zeros(5)), labels)
        for each in found * np.array([0.98, 1.0, 1.02])
    ]
    assert grid[1] == min(grid)


def test_an_overconfident_model_is_mended(drawn):
    truth, labels = drawn
    raw = log_softmax(truth * 2.5)
    found = fit_temperature(raw, labels, np.zeros(5))
    mended = calibrated(raw, found, np.zeros(5))
    before, after = (calibration_error(np.exp(each), labels) for each in (raw, mended))
    assert before > 0.1
    assert after < 0.02


def test_a_handful_of_posts_that_a_model_knows_does_not_make_it_certain():
    sure = np.log(np.array([[0.9, 0.1], [0.1, 0.9]]))
    assert fit_temperature(sure, np.array([0, 1]), np.zeros(2)) == pytest.approx(0.25, abs=1e-4)


def test_prior_shift_by_hand():
    # p(x|y) of one post: 0.2 and 0.1. Sampled evenly it answers 2/3, 1/3; of the second class there
    # are nine times as many: 0.02 / (0.02 + 0.09).
    priors = Priors(seen=np.array([0.5, 0.5]), natural=np.array([0.1, 0.9]))
    answer = np.exp(calibrated(np.log(np.array([[2 / 3, 1 / 3]])), 1.0, prior_shift(priors)))
    np.testing.assert_allclose(answer, [[0.02 / 0.11, 0.09 / 0.11]])


def test_equal_priors_and_unseen_classes_shift_nothing():
    seen = np.array([0.12345678, 0.87654322, 0.0])
    natural = np.array([0.123456784, 0.876543216, 0.0])
    assert not prior_shift(Priors(seen=seen, natural=natural)).any()
    other = prior_shift(Priors(seen=seen, natural=np.array([0.5, 0.5, 0.0])))
    assert other[2] == 0
    assert np.isfinite(other).all()


TINY = ModelConfig(units=12, embedding_size=12)
SETTINGS = PretrainConfig(
    epochs=2, batch_size=32, learning_rate=0.01, warmup=5, max_tokens=20, balance=1.0
)


@pytest.fixture(scope="module")
def folder(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "model"
    one = Hardware(device="cpu", processes=1, precision="32-true")
    return pretrain(corpus, out, model=TINY, config=SETTINGS, hardware=one)


@pytest.fixture(scope="module")
def older(folder, tmp_path_factory):
    """The same model as it was before calibration, as older versions wrote it."""
    copy = tmp_path_factory.mktemp("older") / "model"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "training.json").read_text("utf-8"))
    made = record.pop("calibration")
    natural, seen = np.array(record["prior"]), np.array(made["sampling_prior"])
    weights = load_file(copy / "model.safetensors")
    shift = np.log(natural / seen).astype(np.float32)
    weights["output.bias"] = (weights["output.bias"] - shift) * np.float32(made["temperature"])
    weights["output.weight"] = weights["output.weight"] * np.float32(made["temperature"])
    save_file(weights, copy / "model.safetensors")
    onnx.save(build_graph(weights, Bundle.open(folder).config), copy / "model.onnx")
    record["prior"] = made["sampling_prior"]
    del record["posts"]
    (copy / "training.json").write_text(json.dumps(record), encoding="utf-8")
    return copy


def exam(corpus, split="test"):
    opened = CorpusFolder.open(corpus)
    return EmojiExam(
        train=opened.read_train(),
        test=opened.read_split(split),
        labels=opened.labels,
        words=opened.vocabulary.words,
    )


def test_pretraining_calibrates_and_says_how(folder, corpus):
    record = Bundle.open(folder).training
    made = record["calibration"]
    assert made["prior_corrected"]
    np.testing.assert_allclose(made["sampling_prior"], [0.25] * 4)
    counts = np.bincount(CorpusFolder.open(corpus).read_train().labels)
    np.testing.assert_allclose(record["prior"], counts / counts.sum(), atol=1e-8)
    for split in ("validation", "test"):
        # Fitted to validation; the generated test posts are like them.
        assert made[split]["after"]["loss"] < made[split]["before"]["loss"]
        assert made[split]["rows"] > 0
    marks = exam(corpus).model(deepmoji.load(folder))
    assert marks["natural_calibration_error"] == pytest.approx(
        made["test"]["after"]["calibration_error"], abs=1e-4
    )
    kept = record["scores"]["this model"]
    for name, value in kept.items():  # by torch there, by ONNX Runtime here
        assert marks[name] == pytest.approx(value, abs=1e-4), name
    assert kept["natural_loss"] == pytest.approx(made["test"]["after"]["loss"], abs=1e-5)


def test_an_older_bundle_is_calibrated_to_the_same(folder, older, corpus, tmp_path):
    made = export(older, tmp_path / "out", precision="fp32", calibrate=corpus)
    ours, expected = deepmoji.load(made.folder).scores(TEXTS), deepmoji.load(folder).scores(TEXTS)
    np.testing.assert_allclose(ours, expected, atol=1e-4)  # the older weights were rounded twice
    reference = Bundle.open(folder).training
    assert made.training["prior"] == pytest.approx(reference["prior"])
    assert made.training["posts"] == reference["posts"]
    temperature = reference["calibration"]["temperature"]
    assert made.training["calibration"]["temperature"] == pytest.approx(temperature, rel=1e-3)


def test_bytes_come_from_the_calibrated_weights(older, corpus, tmp_path):
    made = export(older, tmp_path / "out", calibrate=corpus)
    assert made.training["agreement_with_fp32"]["max_probability_difference"] < 0.02
    assert "calibration" in made.training
    assert "this model before quantisation" in made.training["scores"]


def test_a_model_is_calibrated_once(folder, corpus, tmp_path):
    with pytest.raises(InputError, match=r"already.*leave out --calibrate"):
        export(folder, tmp_path / "out", calibrate=corpus)
    plain = export(folder, tmp_path / "plain", precision="fp32")
    np.testing.assert_array_equal(
        deepmoji.load(plain.folder).scores(TEXTS), deepmoji.load(folder).scores(TEXTS)
    )
    assert plain.training["calibration"] == Bundle.open(folder).training["calibration"]


def test_an_older_bundle_is_exported_as_it_is(older, tmp_path):
    plain = export(older, tmp_path / "plain", precision="fp32")
    assert "calibration" not in plain.training
    np.testing.assert_array_equal(
        deepmoji.load(plain.folder).scores(TEXTS), deepmoji.load(older).scores(TEXTS)
    )


@pytest.mark.parametrize(("change", "message"), [("labels", "other classes"), ("prior", "prior")])
def test_what_cannot_be_calibrated_is_told(older, corpus, tmp_path, change, message):
    copy = shutil.copytree(older, tmp_path / "copy")
    if change == "labels":
        (copy / "labels.json").write_text('["a", "b", "c", "d"]', encoding="utf-8")
    else:
        record = json.loads((copy / "training.json").read_text("utf-8"))
        del record["prior"]
        (copy / "training.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        export(copy, tmp_path / "out", calibrate=corpus)
    with pytest.raises(InputError, match="no such folder"):
        export(older, tmp_path / "out", calibrate=tmp_path / "nothing")
    assert not (tmp_path / "out").exists()
