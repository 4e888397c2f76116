"""`deepmoji import`, `deepmoji verify` and `deepmoji export --format`, as a user runs them."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import deepmoji
from deepmoji.cli import app
from tests.training.test_export import make_model


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_import_verify_and_export_make_a_round(files, tmp_path):
    made = run("import", files.torchmoji, "--vocabulary", files.vocabulary, "--out", tmp_path / "m")
    assert made.exit_code == 0, made.stderr
    assert "of torchmoji weights: 8 classes, 28 words, hard sigmoid gates" in made.stdout
    verdict = run("verify", tmp_path / "m")
    assert verdict.exit_code == 1
    assert "This is not the original." in verdict.stdout
    for target in ("keras", "torchmoji"):
        out = tmp_path / target
        assert run("export", tmp_path / "m", "--out", out, "--format", target).exit_code == 0
        arguments = ("verify", out, "--vocabulary", files.vocabulary, "--json")
        assert json.loads(run(*arguments).stdout)["is_original"] is False
    assert (tmp_path / "torchmoji").stat().st_size > 1000


def test_import_takes_labels_gates_and_length(files, tmp_path):
    (tmp_path / "labels.txt").write_text("\n".join("abcdefgh"))
    made = run(
        "import", files.keras, "--vocabulary", files.vocabulary, "--out", tmp_path / "m",
        "--labels", tmp_path / "labels.txt", "--gates", "sigmoid", "--max-tokens", "12", "--json",
    )  # fmt: skip
    facts = json.loads(made.stdout)
    assert facts["model"]["gates"] == "sigmoid"
    assert facts["max_tokens"] == 12
    assert facts["format"] == "keras"
    assert len(facts["sha256"]) == 64
    assert deepmoji.load(tmp_path / "m").labels == tuple("abcdefgh")


@pytest.mark.parametrize(
    "option", ["--precision=int8", "--texts=x", "--scores=x", "--calibrate=x", "--note=x"]
)
def test_options_of_bundles_are_not_ignored(option, files, tmp_path):
    arguments = ("export", files.bundle.folder, "--out", tmp_path / "w", "--format", "keras")
    result = run(*arguments, option)
    assert result.exit_code == 1
    assert "are for --format bundle alone" in result.stderr
    assert not (tmp_path / "w").exists()


def test_a_damaged_file_is_one_line(files, tmp_path):
    (tmp_path / "cut.hdf5").write_bytes(files.keras.read_bytes()[:3000])
    result = run(
        "import", tmp_path / "cut.hdf5", "--vocabulary", files.vocabulary, "--out", tmp_path / "m"
    )
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "cannot be read as weights of Keras" in result.stderr
    assert not (tmp_path / "m").exists()


def test_labels_are_read_as_people_save_them(files, tmp_path):
    names = tmp_path / "labels.txt"
    arguments = (
        "import",
        files.keras,
        "--vocabulary",
        files.vocabulary,
        "--labels",
        names,
        "--out",
    )
    names.write_bytes("\ufeffä\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\n\r\n".encode())
    assert run(*arguments, tmp_path / "m").exit_code == 0
    assert deepmoji.load(tmp_path / "m").labels == tuple("äbcdefgh")
    names.write_bytes("ä\nb".encode("latin-1"))
    result = run(*arguments, tmp_path / "other")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "is not UTF-8 (byte 0)" in result.stderr


def test_logistic_gates_survive_a_state_dict_and_whoever_uses_torchmoji_is_warned(tmp_path):
    model = make_model(tmp_path / "model", "sigmoid")
    result = run("export", model.folder, "--out", tmp_path / "w.bin", "--format", "torchmoji")
    assert result.exit_code == 0
    assert "torchMoji would give other answers" in result.stderr
    again = deepmoji.load(tmp_path / "w.bin", vocabulary=model.folder / "vocabulary.json")
    assert again.bundle.config.gates == "sigmoid"
    texts = ["i love you", "this is the shit", ""]
    expected = deepmoji.load(model.folder).scores(texts)
    np.testing.assert_allclose(again.scores(texts), expected, atol=1e-6)
    state = torch.load(tmp_path / "w.bin", weights_only=True)
    assert {type(each) for each in state.values()} == {torch.Tensor}  # nothing more for others
