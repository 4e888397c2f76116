import pytest

from deepmoji.transfer import estimators
from tests.helpers import counting
from tests.helpers.bundles import make_bundle


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A tiny model that answers; its graph is not one to train."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "base").folder


@pytest.fixture
def counted(monkeypatch):
    """Fine-tuning replaced by the counting of words."""
    monkeypatch.setattr(estimators, "finetune", counting.finetune)
