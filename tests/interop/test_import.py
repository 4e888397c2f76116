"""Weight files in and out, on a model of our own; and what cannot be read."""

import json

import h5py
import numpy as np
import pytest
import torch

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.errors import BundleError, InputError, MissingDependency
from deepmoji.interop import isolation
from deepmoji.interop.bundles import import_weights
from deepmoji.interop.foreign import read_foreign
from deepmoji.interop.names import KERAS, TORCHMOJI
from deepmoji.interop.writing import export_weights
from deepmoji.training.weights import read_weights
from tests.helpers.weightfiles import TEXTS, same_scores


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


def test_a_missing_library_is_named(files, monkeypatch):
    monkeypatch.setitem(isolation._NEEDED, "keras", (("h5py_that_is_not_there", "interop"),))
    with pytest.raises(MissingDependency, match=r"deepmoji\[interop\]"):
        read_foreign(files.keras)
