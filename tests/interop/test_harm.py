"""Files made to do harm: nothing runs, leads elsewhere, grows or goes on without end."""

import os
import pickle
import zipfile

import h5py
import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from deepmoji.errors import InputError
from deepmoji.interop import isolation
from deepmoji.interop.foreign import read_foreign
from tests.helpers.weightfiles import graph, rewrite


def test_no_module_beside_the_weights_is_executed(files, tmp_path, monkeypatch):
    for name in ("h5py", "torch", "json"):
        (tmp_path / f"{name}.py").write_text("open('executed', 'w').close()\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    read_foreign(files.keras)
    assert not (tmp_path / "executed").exists()


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
