import pytest

from tests.helpers.tunable import make_tunable


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    """A tiny model that can be tuned."""
    return make_tunable(tmp_path_factory.mktemp("bundles") / "base")
