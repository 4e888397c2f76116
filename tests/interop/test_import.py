"""Weight files in and out, on a model of our own; and what cannot be read."""

import json
import os
import pickle
import zipfile

import h5py
import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.errors import BundleError, InputError, MissingDependency
from deepmoji.interop import isolation
from deepmoji.interop.bundles import import_weights
from deepmoji.interop.foreign import read_foreign
from deepmoji.interop.names import KERAS, TORCHMOJI
from deepmoji.interop.writing import export_weights
from deepmoji.training.weights import read_weights
from tests.training.test_export import make_model

TEXTS = ["i love you", "this is the shit", "", "so tired of it !"]


def same_scores(files, moji, tolerance=1e-6):
    expected = deepmoji.load(files.bundle.folder).scores(TEXTS)
    return np.abs(moji.scores(TEXTS) - expected).max() <= tolerance


@pytest.mark.parametrize("kind", ["keras", "torchmoji"])
def test_a_file_gives_the_scores_of_the_bundle_it_was_made_from(kind, files):
    assert same_scores(files, deepmoji.load(getattr(files, kind), vocabulary=files.vocabulary))


def test_a_state_dict_keeps_every_number(files):
    ours, theirs = read_weights(files.bundle), read_foreign(files.torchmoji).weights
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_keras_keeps_every_number_but_the_split_of_the_biases(files):
    ours, theirs = read_weights(files.bundle), read_foreign(files.keras).weights
    for name in ours:
        if "bias_ih" in name:
            other = name.replace("bias_ih", "bias_hh")
            assert np.array_equal(ours[name] + ours[other], theirs[name] + theirs[other])
        elif "bias_hh" not in name:
            assert np.array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("table", [KERAS, TORCHMOJI])
def test_tables_read_in_both_directions(table):
    assert len({each.ours for each in table}) == len({each.theirs for each in table}) == len(table)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for entry in table:
        given = array[0] if entry.form == "column" else array
        assert np.array_equal(entry.read(entry.write(given)), given)


def test_keras_reads_weights_in_the_order_of_their_names(files):
    with h5py.File(files.keras) as file:
        names = [name.decode() for name in file["bi_lstm_1"].attrs["weight_names"]]
    assert [name.split("/")[-1] for name in names] == [
        "kernel:0",
        "recurrent_kernel:0",
        "bias:0",
    ] * 2
    assert ["forward" in name for name in names] == [True] * 3 + [False] * 3


def test_the_int8_bundle_can_be_exported_too(files, tmp_path):
    from deepmoji.training.export import export

    export(files.bundle.folder, tmp_path / "int8", precision="int8")
    file = export_weights(tmp_path / "int8", tmp_path / "w.bin", target="torchmoji")
    moji = deepmoji.load(file, vocabulary=files.vocabulary)
    int8 = deepmoji.load(tmp_path / "int8").scores(TEXTS)
    assert np.abs(moji.scores(TEXTS) - int8).max() < 0.05


def test_an_imported_model_can_be_tuned(files, tmp_path):
    made = import_weights(files.torchmoji, tmp_path / "made", vocabulary=files.vocabulary)
    texts = [f"{text} {number}" for number in range(10) for text in ("i love you", "this is shit")]
    tuned = deepmoji.finetune(
        (texts, ["good", "bad"] * 10), base=made.folder, method="last", epochs=2, epoch_size=20
    )
    assert tuned.predictor.bundle.config.gates == "hard_sigmoid"
    assert tuned.scores(texts).shape == (20, 2)


# Variants of the formats.


def rewrite(source, target, change):
    """Copy an HDF5 file and change the copy."""
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:
        change(file)
    return target


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


def graph(files, slope=0.2, offset=0.5, extra=()):
    """An ONNX file with the names and the gates that deepmoji-onnx's exporter leaves."""
    state = torch.load(files.torchmoji, weights_only=True)
    slope_value = numpy_helper.from_array(np.array(slope, np.float32), "slope")
    nodes = [
        helper.make_node("Constant", [], ["slope"], value=slope_value),
        helper.make_node("Mul", ["x", "slope"], ["steep"]),
        helper.make_node("Add", ["offset", "steep"], ["moved"]),
        helper.make_node("Clip", ["moved", "zero", "one"], ["gate"]),
        helper.make_node("Identity", ["given"], ["x"]),
        *(helper.make_node(kind, ["x"], [f"y{index}"]) for index, kind in enumerate(extra)),
    ]
    constants = [numpy_helper.from_array(v.numpy(), k) for k, v in state.items()]
    constants.append(numpy_helper.from_array(np.array(offset, np.float32), "offset"))
    return helper.make_model(helper.make_graph(nodes, "g", [], [], constants))


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


# What cannot be read: a clear message, and nothing is written.


def test_a_weight_file_needs_its_vocabulary(files, tmp_path):
    with pytest.raises(InputError, match=r"needs the vocabulary\.json"):
        deepmoji.load(files.keras)
    words = json.loads(files.vocabulary.read_text("utf-8"))
    (tmp_path / "v.json").write_text(json.dumps(words | {"more": len(words)}))
    with pytest.raises(InputError, match=r"29 words, .* was trained with 28"):
        deepmoji.load(files.keras, vocabulary=tmp_path / "v.json")
    with pytest.raises(InputError, match="brings its own vocabulary"):
        deepmoji.load(files.bundle.folder, vocabulary=files.vocabulary)


def test_unknown_files_are_refused(files, tmp_path):
    (tmp_path / "notes.txt").write_text("no weights")
    (tmp_path / "empty.hdf5").write_bytes(b"")
    for name in ("notes.txt", "empty.hdf5"):
        with pytest.raises(InputError, match="no weight file that deepmoji knows"):
            deepmoji.load(tmp_path / name, vocabulary=files.vocabulary)
    with pytest.raises(InputError, match="there is no weight file"):
        deepmoji.load(tmp_path / "missing.hdf5", vocabulary=files.vocabulary)
    with pytest.raises(BundleError, match="is a file, but a model is a folder"):
        Bundle.open(files.keras)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("lstm_1.bias_hh_l0"), "it lacks lstm_1.bias_hh_l0"),
        (lambda s: s.update({"embed.weight": torch.zeros(28, 17)}), r"attention .* \[144\]"),
        (lambda s: s.update({"embed.weight": torch.zeros(28)}), r"no DeepMoji: .* shape \[28\]"),
        (lambda s: s["output_layer.0.bias"].fill_(float("nan")), "values that are no numbers"),
        (lambda s: s.update({"output_layer.0.bias": torch.zeros(9)}), r"output.weight has the"),
        (lambda s: s.clear(), "no arrays at all"),
        (lambda s: s.update({"embed.weight": torch.zeros(1, 1).expand(1 << 40, 16)}),
         "larger than what the file holds"),
    ],
)  # fmt: skip
def test_wrong_arrays_are_named(change, message, files, tmp_path):
    state = torch.load(files.torchmoji, weights_only=True)
    change(state)
    torch.save(state, tmp_path / "wrong.bin")
    with pytest.raises(InputError, match=message):
        read_foreign(tmp_path / "wrong.bin")


def test_labels_and_targets_are_checked(files, tmp_path):
    made = import_weights(
        files.keras, tmp_path / "made", vocabulary=files.vocabulary, labels=list("hgfedcba")
    )
    assert made.labels == tuple("hgfedcba")
    with pytest.raises(InputError, match="8 classes; labels names 2"):
        import_weights(files.keras, tmp_path / "b", vocabulary=files.vocabulary, labels=["a", "b"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="is no model bundle"):
        import_weights(files.keras, tmp_path / "mine", vocabulary=files.vocabulary)
    with pytest.raises(InputError, match="there is no format 'onnx'"):
        export_weights(files.bundle.folder, tmp_path / "x", target="onnx")
    with pytest.raises(InputError, match="gates has to be one of"):
        read_foreign(files.keras, gates="soft")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "mine"]


def test_arguments_are_checked(files, tmp_path):
    for labels, message in (
        (["a", "b"], "8 classes; labels names 2"),
        (list("abcdefga"), "'a' twice"),
        (list("abc efgh"), "class 3 has no name"),
    ):
        with pytest.raises(InputError, match=message):
            import_weights(files.keras, tmp_path / "b", vocabulary=files.vocabulary, labels=labels)
    for wrong in (True, 2.5, "30", 0):
        with pytest.raises(InputError, match="max_tokens has to be"):
            deepmoji.load(files.keras, vocabulary=files.vocabulary, max_tokens=wrong)
    with pytest.raises(InputError, match=r"the path of a vocabulary\.json, not a dict"):
        deepmoji.load(files.keras, vocabulary={})
    before = files.bundle.graph.read_bytes()
    with pytest.raises(InputError, match="is part of a model"):
        export_weights(files.bundle.folder, files.bundle.graph, target="keras")
    assert files.bundle.graph.read_bytes() == before


def test_another_programs_hdf5_is_named(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(InputError, match="no layer_names: another program's HDF5"):
        read_foreign(tmp_path / "other.h5")


def test_checkpoints_and_networks_of_several_devices_are_read(files, tmp_path):
    state = torch.load(files.torchmoji, weights_only=True)
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": each for name, each in state.items()}}
    torch.save(wrapped, tmp_path / "checkpoint.bin")
    assert same_scores(
        files, deepmoji.load(tmp_path / "checkpoint.bin", vocabulary=files.vocabulary)
    )


def test_no_module_beside_the_weights_is_executed(files, tmp_path, monkeypatch):
    for name in ("h5py", "torch", "json"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w').close()\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    read_foreign(files.keras)
    assert not (tmp_path / "executed").exists()


def test_a_missing_library_is_named(files, monkeypatch):
    monkeypatch.setitem(isolation._NEEDED, "keras", (("h5py_that_is_not_there", "interop"),))
    with pytest.raises(MissingDependency, match=r"deepmoji\[interop\]"):
        read_foreign(files.keras)


# Files made to do harm.


class Harm:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("old_format", [False, True])
def test_no_pickle_is_executed(old_format, files, tmp_path):
    marker = tmp_path / "executed"
    state = torch.load(files.torchmoji, weights_only=True)
    state["x"] = Harm(marker)
    path = tmp_path / "harm.bin"
    torch.save(state, path, _use_new_zipfile_serialization=not old_format)
    with pytest.raises(InputError, match="cannot be read as a state dict of torchMoji"):
        read_foreign(path)
    path.write_bytes(pickle.dumps(Harm(marker)))
    with pytest.raises(InputError, match="cannot be read as a state dict of torchMoji"):
        read_foreign(path)
    assert not marker.exists()


def test_hdf5_cannot_lead_to_other_files_or_claim_more_than_it_holds(files, tmp_path):
    secret = rewrite(files.keras, tmp_path / "secret.h5", lambda file: None)

    def linked(file):
        del file["softmax/softmax/bias:0"]
        file["softmax/softmax/bias:0"] = h5py.ExternalLink(str(secret), "/softmax/softmax/bias:0")

    def external(file):
        del file["softmax/softmax/bias:0"]
        raw = [(str(secret), 0, 32)]
        file.create_dataset("softmax/softmax/bias:0", (8,), "f4", external=raw)

    def huge(file):
        del file["embedding/embedding/embeddings:0"]
        file.create_dataset(
            "embedding/embedding/embeddings:0", (1 << 30, 1 << 10), "f4", chunks=(1024, 1024)
        )

    for change, message in ((linked, "is a link"), (external, "whole and plain"), (huge, "whole")):
        path = rewrite(files.keras, tmp_path / "harm.h5", change)
        with pytest.raises(InputError, match=message):
            read_foreign(path)


def test_one_large_array_under_many_names_is_refused_before_it_is_read(files, tmp_path):
    def change(file):
        group = file["embedding"]
        group["large"] = np.zeros(1_000_000, "f4")
        names = [f"more{number}" for number in range(50)]
        for name in names:
            group[name] = group["large"]
        names = [*group.attrs["weight_names"], *(name.encode() for name in names)]
        group.attrs["weight_names"] = np.array(names)

    path = rewrite(files.keras, tmp_path / "many.h5", change)
    with pytest.raises(InputError, match="more than the file holds"):
        read_foreign(path)


def test_a_packed_state_dict_cannot_grow_beyond_its_file(files, tmp_path):
    state = torch.load(files.torchmoji, weights_only=True)
    state["embed.weight"] = torch.zeros(1_000_000, 16)
    torch.save(state, tmp_path / "plain.bin")
    with (
        zipfile.ZipFile(tmp_path / "plain.bin") as plain,
        zipfile.ZipFile(tmp_path / "packed.bin", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for entry in plain.infolist():
            packed.writestr(entry.filename, plain.read(entry.filename))
    assert (tmp_path / "packed.bin").stat().st_size < 1_000_000
    with pytest.raises(InputError, match="more than the file holds"):
        read_foreign(tmp_path / "packed.bin")


def test_onnx_cannot_name_one_large_array_many_times(files, tmp_path):
    model = graph(files)
    large = numpy_helper.from_array(np.zeros(500_000, np.float32), "large")
    model.graph.initializer.append(large)
    for number in range(20):
        model.graph.node.append(helper.make_node("Identity", ["large"], [f"more{number}"]))
    onnx.save(model, tmp_path / "many.onnx")
    with pytest.raises(InputError, match="more than the file holds"):
        read_foreign(tmp_path / "many.onnx")


def test_onnx_cannot_lead_to_other_files(files, tmp_path):
    model = graph(files)
    outside = tmp_path / "secret"
    outside.write_bytes(bytes(4 * 8))
    bias = next(each for each in model.graph.initializer if each.name == "output_layer.0.bias")
    bias.ClearField("raw_data")
    bias.data_location = onnx.TensorProto.EXTERNAL
    bias.external_data.add(key="location", value=str(outside))
    (tmp_path / "harm.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"lacks output_layer\.0\.bias"):
        read_foreign(tmp_path / "harm.onnx")


def test_what_takes_too_long_is_stopped(files):
    with pytest.raises(InputError, match="takes too long"):
        isolation.read(files.keras, "keras", seconds=0.01)
