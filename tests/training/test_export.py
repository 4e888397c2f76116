"""Exported models agree with the trained one, in both gates and both precisions."""

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from typer.testing import CliRunner

import deepmoji
from deepmoji.bundle import Contents, write_bundle
from deepmoji.cli import app
from deepmoji.config import ModelConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.training import export as exporting
from deepmoji.training.export import SAMPLE_TEXTS, export, save_network
from deepmoji.training.graph import build_graph
from deepmoji.training.network import Network

WORDS = (
    "i",
    "love",
    "you",
    "this",
    "is",
    "the",
    "shit",
    "how",
    "never",
    "reply",
    "back",
    "..",
    "!",
    "so",
    "tired",
    "soo",
    "of",
    "it",
)


def make_model(folder, gates):
    torch.manual_seed(3)
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *WORDS])
    config = ModelConfig(
        vocabulary_size=len(vocabulary), embedding_size=16, units=32, classes=8, gates=gates
    )
    network = Network(config)
    with torch.no_grad():
        network.attention.normal_(0, 0.5)
        network.output.weight.normal_(0, 0.5)
    labels = tuple("abcdefgh")
    contents = Contents(config=config, vocabulary=vocabulary, labels=labels, max_tokens=20)
    return save_network(network, folder, contents=contents, training={"seed": 3})


@pytest.fixture(scope="module", params=["sigmoid", "hard_sigmoid"])
def model(request, tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("models") / "full", request.param)


def test_onnx_agrees_with_torch(model):
    agreement = model.training["agreement_with_torch"]
    assert agreement["texts"] == len(SAMPLE_TEXTS)
    assert agreement["max_probability_difference"] <= 1e-5
    assert agreement["max_feature_difference"] <= 1e-5
    assert agreement["top1_agreement"] == 1.0


@pytest.mark.parametrize("gates", [(3, 0, 1, 2), (0, 1, 2, 3)])
def test_gates_in_a_wrong_order_are_refused(tmp_path, monkeypatch, gates):
    monkeypatch.setattr("deepmoji.training.graph._ONNX_GATES", gates)
    with pytest.raises(BundleError, match=r"differs from the trained one by .*nothing was written"):
        make_model(tmp_path / "model", "sigmoid")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", ["lstm_2.back.bias_hh_l0", "output.bias"])
def test_weights_left_out_are_refused(tmp_path, monkeypatch, name):
    def without(weights, config):
        return build_graph({**weights, name: np.zeros_like(weights[name])}, config)

    def drawn(network):
        initialise(network)
        for key, parameter in network.named_parameters():
            if "bias" in key:
                torch.nn.init.normal_(parameter, 0, 0.01)  # as small as trained ones may be

    initialise = Network.initialise
    monkeypatch.setattr(Network, "initialise", drawn)
    monkeypatch.setattr("deepmoji.training.export.build_graph", without)
    with pytest.raises(BundleError, match="differs from the trained one by"):
        make_model(tmp_path / "model", "sigmoid")


def test_graph_is_the_contract(model):
    graph = onnx.load(model.graph).graph
    assert [(i.name, i.type.tensor_type.elem_type) for i in graph.input] == [
        ("ids", onnx.TensorProto.INT64),
        ("lengths", onnx.TensorProto.INT32),
    ]
    assert [o.name for o in graph.output] == ["probabilities", "features", "attention"]


def test_fp32_export_is_the_same_model_without_weights(model, tmp_path):
    small = export(model.folder, tmp_path / "small", precision="fp32")
    assert small.weights is None
    texts = list(SAMPLE_TEXTS)
    np.testing.assert_array_equal(
        deepmoji.load(small.folder).scores(texts), deepmoji.load(model.folder).scores(texts)
    )


def test_int8_export_is_close_and_says_how_close(model, tmp_path):
    small = export(model.folder, tmp_path / "small", scores={"this model": _scores()})
    agreement = small.training["agreement_with_fp32"]
    assert agreement["max_probability_difference"] < 0.02
    assert agreement["min_feature_cosine"] > 0.999
    assert small.training["precision"] == "int8"
    assert "12.3" in small.card
    assert "top1_agreement" in small.card
    kinds = {node.op_type for node in onnx.load(small.graph).graph.node}
    assert "DynamicQuantizeLSTM" in kinds


@pytest.mark.parametrize(
    ("texts", "share", "warns"), [(100, 0.98, True), (100, 0.99, False), (99, 0.5, False)]
)
def test_a_form_that_often_answers_otherwise_is_warned_of(
    model, tmp_path, monkeypatch, texts, share, warns
):
    def compared(ours, theirs):
        return replace(compare(ours, theirs), top1_agreement=share)

    compare = exporting.compare
    monkeypatch.setattr(exporting, "compare", compared)
    (tmp_path / "texts.txt").write_text("so tired\n" * texts, encoding="utf-8")
    command = ["export", str(model.folder), "--out", str(tmp_path / "small")]
    result = CliRunner().invoke(app, [*command, "--texts", str(tmp_path / "texts.txt")])
    assert result.exit_code == 0
    assert ("warning" in result.stderr) == warns
    assert json.loads(result.stdout)["texts"] == texts


def test_notes_go_on_the_card_and_stay_there(model, tmp_path):
    noted = export(model.folder, tmp_path / "noted", notes=["All of it is\nabout buses.", "Rain."])
    assert noted.training["notes"] == ["All of it is about buses.", "Rain."]
    assert "- All of it is about buses.\n- Rain." in noted.card


def _scores():
    names = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5")
    return dict.fromkeys(names, 0.123)


def test_a_bundle_without_weights_cannot_be_exported(model, tmp_path):
    small = export(model.folder, tmp_path / "small", precision="fp32")
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        export(small.folder, tmp_path / "again")
    with pytest.raises(InputError, match="precision"):
        export(model.folder, tmp_path / "again", precision="int4")  # pyright: ignore[reportArgumentType]
    assert not (tmp_path / "again").exists()


def test_weights_of_another_size_are_refused(model, tmp_path):
    contents = Contents(
        config=ModelConfig(**(model.config.to_dict() | {"units": 31})),
        vocabulary=model.vocabulary,
        labels=model.labels,
        max_tokens=20,
    )
    parts = {"model.onnx": model.graph, "model.safetensors": model.weights}
    wrong = write_bundle(tmp_path / "wrong", contents, training={}, card="", parts=parts)
    with pytest.raises(BundleError, match=r"does not fit its config\.json"):
        export(wrong.folder, tmp_path / "new")
