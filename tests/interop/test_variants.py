"""Variants of the formats that other programs, versions and devices write."""

import json

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

import deepmoji
from deepmoji.errors import InputError
from deepmoji.interop.foreign import read_foreign
from deepmoji.interop.writing import export_weights
from tests.helpers.weightfiles import TEXTS, graph, rewrite, same_scores
from tests.training.test_export import make_model


def test_other_numbers_of_the_inner_lstms_and_whole_models_are_read(files, tmp_path):
    def change(file):
        for layer in ("bi_lstm_0", "bi_lstm_1"):
            group = file[layer][layer]
            for direction in ("forward", "backward"):
                number = int(layer[-1]) + 1
                group.move(f"{direction}_lstm_{number}", f"{direction}_lstm_{number + 6}")
            names = [
                name.decode().replace(f"lstm_{number}/", f"lstm_{number + 6}/")
                for name in file[layer].attrs["weight_names"]
            ]
            file[layer].attrs["weight_names"] = np.array([name.encode() for name in names])
        whole = file.create_group("model_weights")
        for name, value in file.attrs.items():
            whole.attrs[name] = value
        for layer in list(file):
            if layer != "model_weights":
                file.move(layer, f"model_weights/{layer}")

    path = rewrite(files.keras, tmp_path / "whole.h5", change)
    assert same_scores(files, deepmoji.load(path, vocabulary=files.vocabulary))


@pytest.mark.parametrize(
    ("version", "gates"), [("2.0.5", "hard_sigmoid"), ("2.2.4", "hard_sigmoid"), ("2.3.0", None),
                           ("3.1", None), ("", None), ("two", None), ("2.2.4-tf", None)],
)  # fmt: skip
def test_gates_come_from_the_version_or_are_asked_for(version, gates, files, tmp_path):
    def change(file):
        del file.attrs["deepmoji_gates"]
        file.attrs["keras_version"] = version.encode()

    path = rewrite(files.keras, tmp_path / "version.h5", change)
    if gates:
        assert read_foreign(path).config.gates == gates
    else:
        with pytest.raises(InputError, match="--gates hard_sigmoid"):
            read_foreign(path)
        assert read_foreign(path, gates="sigmoid").config.gates == "sigmoid"


@pytest.mark.parametrize(
    ("version", "stated", "gates"),
    [
        ("2.0.8", ["sigmoid", "sigmoid"], "sigmoid"),
        ("2.4.0", ["hard_sigmoid", "hard_sigmoid"], "hard_sigmoid"),
        ("2.0.8", ["sigmoid", "hard_sigmoid"], None),
        ("2.0.8", ["softsign", "softsign"], None),
        ("3.1.0", ["hard_sigmoid"], None),  # with another slope
    ],
)
def test_a_whole_model_states_its_gates(version, stated, gates, files, tmp_path):
    def change(file):
        del file.attrs["deepmoji_gates"]
        file.attrs["keras_version"] = version.encode()
        layers = [{"config": {"layer": {"recurrent_activation": each}}} for each in stated]
        file.attrs["model_config"] = json.dumps({"config": layers}).encode()

    path = rewrite(files.keras, tmp_path / "stated.h5", change)
    if gates:
        assert read_foreign(path).config.gates == gates
    else:
        with pytest.raises(InputError, match="--gates hard_sigmoid"):
            read_foreign(path)


def test_logistic_gates_survive_keras(tmp_path):
    bundle = make_model(tmp_path / "model", "sigmoid")
    file = export_weights(bundle.folder, tmp_path / "w.hdf5", target="keras")
    assert read_foreign(file).config.gates == "sigmoid"


def test_one_output_is_the_sigmoid_of_two_classes(files, tmp_path):
    state = torch.load(files.torchmoji, weights_only=True)
    state["output_layer.0.weight"] = state["output_layer.0.weight"][:1].clone()
    state["output_layer.0.bias"] = state["output_layer.0.bias"][:1].clone()
    torch.save(state, tmp_path / "binary.bin")
    moji = deepmoji.load(tmp_path / "binary.bin", vocabulary=files.vocabulary)
    assert moji.labels == ("0", "1")
    logits = moji.encode(TEXTS) @ state["output_layer.0.weight"][0].numpy()
    expected = 1 / (1 + np.exp(-(logits + state["output_layer.0.bias"][0].item())))
    assert np.allclose(moji.scores(TEXTS)[:, 1], expected, atol=1e-6)


def test_half_precision_and_the_old_torch_format_are_read(files, tmp_path):
    state = {k: v.half() for k, v in torch.load(files.torchmoji, weights_only=True).items()}
    torch.save(state, tmp_path / "half.bin", _use_new_zipfile_serialization=False)
    moji = deepmoji.load(tmp_path / "half.bin", vocabulary=files.vocabulary)
    assert same_scores(files, moji, tolerance=0.01)


def test_checkpoints_and_networks_of_several_devices_are_read(files, tmp_path):
    state = torch.load(files.torchmoji, weights_only=True)
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": each for name, each in state.items()}}
    torch.save(wrapped, tmp_path / "checkpoint.bin")
    assert same_scores(
        files, deepmoji.load(tmp_path / "checkpoint.bin", vocabulary=files.vocabulary)
    )


def test_names_of_deepmoji_onnx_are_read(files, tmp_path):
    onnx.save(graph(files, extra=["Tanh"]), tmp_path / "theirs.onnx")
    moji = deepmoji.load(tmp_path / "theirs.onnx", vocabulary=files.vocabulary)
    assert moji.bundle.config.gates == "hard_sigmoid"
    assert same_scores(files, moji)
    shared = graph(files)
    copies = [each for each in shared.graph.initializer if "bias_hh" in each.name]
    for each in copies[1:]:
        shared.graph.initializer.remove(each)
        node = helper.make_node("Identity", [copies[0].name], [each.name])
        shared.graph.node.append(node)
    onnx.save(shared, tmp_path / "shared.onnx")
    weights = read_foreign(tmp_path / "shared.onnx").weights
    assert np.array_equal(weights["lstm_2.back.bias_hh_l0"], weights["lstm_1.ahead.bias_hh_l0"])


@pytest.mark.parametrize(
    "other", [{"slope": 1 / 6}, {"offset": 0.4}, {"extra": ["Sigmoid"]}, {"extra": ["HardSigmoid"]}]
)
def test_gates_of_a_graph_are_asked_for_unless_they_are_the_originals(other, files, tmp_path):
    onnx.save(graph(files, **other), tmp_path / "other.onnx")
    with pytest.raises(InputError, match="does not tell which gates"):
        read_foreign(tmp_path / "other.onnx")
    assert read_foreign(tmp_path / "other.onnx", gates="sigmoid").config.gates == "sigmoid"
