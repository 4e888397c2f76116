import pyarrow.parquet as pq
import pytest

from deepmoji.inference.predictor import Predictor
from deepmoji.scoring import score, writing
from deepmoji.scoring.runners import Local
from deepmoji.scoring.settings import ScoreSettings
from tests.helpers.bundles import Tiny, make_bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("model") / "tiny", Tiny())


@pytest.fixture(scope="session")
def predictor(bundle):
    return Predictor(bundle, threads=1)


@pytest.fixture
def scored(bundle, tmp_path):
    """Score files in this process; return the rows of one part."""

    def scored(*inputs, name, out=tmp_path / "out", overwrite=False, **settings):
        chosen = ScoreSettings(model=bundle.folder, **settings)
        score(inputs, out, settings=chosen, runner=Local(1), overwrite=overwrite)
        return pq.read_table(out / name).to_pylist()

    return scored


@pytest.fixture
def run(bundle, tmp_path):
    """Score files in this process or in several; return what the run reports."""

    def run(*inputs, out=tmp_path / "out", workers=1, overwrite=False, progress=None, **settings):
        settings = {"model": bundle.folder, **settings}
        return score(
            [str(each) for each in inputs],
            out,
            settings=ScoreSettings(**settings),
            runner=Local(workers),
            overwrite=overwrite,
            progress=progress,
        )

    return run


@pytest.fixture
def small_segments(monkeypatch):
    """Several segments for files of a few thousand rows."""
    monkeypatch.setattr(writing, "SEGMENT_ROWS", 4096)
    monkeypatch.setattr(writing, "_GROUP_ROWS", 2048)
