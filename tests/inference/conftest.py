import pytest

from deepmoji.inference.predictor import Predictor
from tests.helpers.bundles import Tiny, make_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("model") / "tiny", Tiny())


@pytest.fixture(scope="session")
def predictor(bundle):
    return Predictor(bundle, threads=2)
