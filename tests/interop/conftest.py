"""A tiny model in every format, made once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from deepmoji.bundle import Bundle
from deepmoji.interop.writing import export_weights
from tests.training.test_export import make_model


@dataclass(frozen=True, kw_only=True)
class Files:
    """One model's files."""

    bundle: Bundle
    keras: Path
    torchmoji: Path
    vocabulary: Path


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    bundle = make_model(folder / "bundle", "hard_sigmoid")
    return Files(
        bundle=bundle,
        keras=export_weights(bundle.folder, folder / "weights.hdf5", target="keras"),
        torchmoji=export_weights(bundle.folder, folder / "weights.bin", target="torchmoji"),
        vocabulary=bundle.folder / "vocabulary.json",
    )
