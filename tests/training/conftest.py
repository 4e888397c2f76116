import pytest
import torch

from tests.helpers.corpora import make_corpus

torch.set_num_threads(1)  # these models are so small that threads would only wait for each other


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """A corpus of a few hundred generated pairs with four emojis."""
    return make_corpus(tmp_path_factory.mktemp("corpora") / "corpus")
