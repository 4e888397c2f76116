"""A run that starts from another model has that model's numbers for all that both know."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import BundleError, InputError
from deepmoji.training.export import export
from deepmoji.training.network import Network
from deepmoji.training.pretrain import Hardware, Run, pretrain, train
from deepmoji.training.weights import adopt

TINY = ModelConfig(units=16, embedding_size=16)
ONE = Hardware(device="cpu", processes=1, precision="32-true")


def settings(**changes):
    return PretrainConfig(epochs=2, batch_size=32, warmup=5, max_tokens=20, **changes)


@pytest.fixture(scope="module")
def model(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "first"
    return pretrain(corpus, out, model=TINY, config=settings(learning_rate=0.01), hardware=ONE)


def test_a_run_goes_on_from_the_model(corpus, model, tmp_path):
    still = settings(learning_rate=1e-12, seed=7)  # nothing moves: what comes out is what went in
    pretrain(corpus, tmp_path / "second", model=TINY, config=still, hardware=ONE, init=model)
    before, after = (
        load_file(folder / "model.safetensors") for folder in (model, tmp_path / "second")
    )
    assert before.keys() == after.keys()
    temperature = Bundle.open(tmp_path / "second").training["calibration"]["temperature"]
    assert temperature == pytest.approx(1, abs=1e-3)  # the model had been calibrated already
    for name, array in before.items():
        scale = temperature if name.startswith("output") else 1.0
        np.testing.assert_allclose(after[name] * scale, array, atol=1e-6, err_msg=name)
    origin = Bundle.open(tmp_path / "second").training["started_from"]
    assert origin["settings"] == Bundle.open(model).training["settings"]
    assert len(origin["weights_sha256"]) == 64


def test_it_starts_from_a_model_for_inference_too(model, tmp_path, recwarn):
    """Its weights are those of the graph, read-only, of which torch would warn."""
    small = export(model, tmp_path / "small", texts=["so happy"])
    assert small.weights is None
    torch.set_warn_always(True)
    try:
        network = Network(small.config)
        adopt(network, small, words=small.vocabulary.words, labels=small.labels)
    finally:
        torch.set_warn_always(False)
    assert [each for each in recwarn if each.category is UserWarning] == []
    full = load_file(model / "model.safetensors")["embedding.weight"]
    step = np.abs(full).max(axis=1, keepdims=True) / 127  # of int8, a scale a row
    assert (np.abs(network.embedding.weight.detach().numpy() - full) <= step).all()


def test_words_and_labels_find_their_numbers_by_name(model):
    bundle = Bundle.open(model)
    words = ["unheard-of", *reversed(bundle.vocabulary.words)]
    labels = [*reversed(bundle.labels), "🦩"]
    config = ModelConfig(
        vocabulary_size=len(words), classes=len(labels), units=16, embedding_size=16
    )
    network = Network(config)
    start = {name: each.detach().clone() for name, each in network.named_parameters()}
    assert adopt(network, bundle, words=words, labels=labels) == (len(words) - 1, len(labels) - 1)
    weights = load_file(model / "model.safetensors")
    now = {name: each.detach().numpy() for name, each in network.named_parameters()}
    np.testing.assert_array_equal(now["embedding.weight"][1:], weights["embedding.weight"][::-1])
    np.testing.assert_array_equal(now["output.weight"][:-1], weights["output.weight"][::-1])
    np.testing.assert_array_equal(now["output.bias"][:-1], weights["output.bias"][::-1])
    np.testing.assert_array_equal(now["embedding.weight"][0], start["embedding.weight"][0])
    np.testing.assert_array_equal(now["output.weight"][-1], start["output.weight"][-1])
    np.testing.assert_array_equal(now["attention"], weights["attention"])


@pytest.mark.parametrize(
    "sizes",
    [{"units": 8}, {"embedding_size": 8}, {"gates": "hard_sigmoid"}],
)
def test_another_shape_is_refused_before_training(corpus, model, tmp_path, sizes):
    other = ModelConfig(**({"units": 16, "embedding_size": 16} | sizes))
    (name,) = sizes
    with pytest.raises(InputError, match=f"has {name} .*--{name.replace('_', '-')}"):
        pretrain(corpus, tmp_path / "out", model=other, config=settings(), hardware=ONE, init=model)


def test_no_model_to_start_from_is_a_clear_error(corpus, tmp_path):
    with pytest.raises(BundleError, match="nothing"):
        pretrain(
            corpus,
            tmp_path / "out",
            model=TINY,
            config=settings(),
            hardware=ONE,
            init=tmp_path / "nothing",
        )


def test_a_run_may_not_replace_what_it_starts_from(corpus, model):
    with pytest.raises(InputError, match="starts from"):
        pretrain(corpus, model, model=TINY, config=settings(), hardware=ONE, init=model)


def test_a_run_does_not_go_on_from_another_start(corpus, model, tmp_path):
    folder = CorpusFolder.open(corpus)
    sizes = TINY.to_dict() | {
        "vocabulary_size": len(folder.vocabulary),
        "classes": len(folder.labels),
    }
    run = Run(corpus=corpus, folder=tmp_path, model=ModelConfig(**sizes), config=settings())
    train(run, ONE, lambda progress: None)
    again = replace(run, init=model)
    with pytest.raises(InputError, match="model to start from"):
        train(again, ONE, lambda progress: None)
