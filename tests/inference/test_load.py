"""Loading models, and what is said when one cannot be loaded."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import deepmoji
from deepmoji import bundle as bundles
from deepmoji.bundle import MODELS, SHIPPED
from deepmoji.inference import predictor as module
from tests.helpers.bundles import Tiny, make_bundle

SMALL = MODELS / "small"
shipped = pytest.mark.skipif(not SHIPPED.is_dir(), reason="this checkout ships no model")


@pytest.fixture
def broken(bundle, tmp_path):
    return shutil.copytree(bundle.folder, tmp_path / "broken")


def test_a_folder_is_loaded(bundle):
    moji = deepmoji.load(bundle.folder, threads=1, max_tokens=7)
    assert moji.labels == bundle.labels
    assert moji.max_tokens == 7
    assert deepmoji.load(str(bundle.folder)).max_tokens == bundle.max_tokens


def test_no_shipped_model(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHIPPED", tmp_path / "nothing")
    with pytest.raises(deepmoji.BundleError, match="ships no model"):
        deepmoji.load()


def test_the_shipped_model_is_the_default(bundle, monkeypatch):
    monkeypatch.setattr(module, "SHIPPED", bundle.folder)
    assert deepmoji.load().bundle.folder == bundle.folder


def test_a_bundle_brings_its_vocabulary(bundle):
    with pytest.raises(deepmoji.InputError, match="own vocabulary"):
        deepmoji.load(bundle.folder, vocabulary="vocabulary.json")


def test_missing_folder(tmp_path):
    with pytest.raises(deepmoji.BundleError, match="no model folder"):
        deepmoji.load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"no graph at all", None])
def test_damaged_graph(broken, content):
    graph = broken / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:9000] if content is None else content)
    with pytest.raises(deepmoji.BundleError, match=r"model\.onnx"):
        deepmoji.load(broken)


def test_graph_of_another_model(broken, tmp_path):
    other = make_bundle(tmp_path / "other", Tiny(labels=("yes", "no")))
    shutil.copyfile(other.graph, broken / "model.onnx")
    with pytest.raises(deepmoji.BundleError, match=r"2 probabilities, config.json says 64"):
        deepmoji.load(broken)


@pytest.fixture
def fewer_words(broken):
    """A bundle whose graph has embeddings for fewer words than its config.json says."""
    graph = onnx.load(broken / "model.onnx")
    (table,) = (each for each in graph.graph.initializer if each.name == "embedding")
    table.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(table)[:20], "embedding"))
    onnx.save(graph, broken / "model.onnx")
    return broken


@pytest.mark.parametrize("threads", [1, 2])
def test_graph_with_fewer_words_fails_in_one_line(fewer_words, threads):
    moji = deepmoji.load(fewer_words, threads=threads)
    for texts in (["work"], ["love work"] * 100):
        with pytest.raises(deepmoji.BundleError, match=r"model\.onnx.*vocabulary\.json") as caught:
            moji.scores(texts)
        assert len(str(caught.value).splitlines()) == 1


def test_graph_that_says_how_many_words_it_knows(bundle, broken):
    for words, fits in (("48", True), ("20", False), ("many", False)):
        graph = onnx.load(bundle.graph)
        onnx.helper.set_model_props(graph, {"vocabulary_size": words})
        onnx.save(graph, broken / "model.onnx")
        if fits:
            assert deepmoji.load(broken).scores(["work"]).shape == (1, 64)
        else:
            with pytest.raises(deepmoji.BundleError, match=rf"knows {words} tokens.*says 48"):
                deepmoji.load(broken)


@shipped
def test_answers_of_the_shipped_model_depend_on_each_text_alone():
    moji = deepmoji.load()
    texts = [
        "I love you",
        "",
        "this is shit",
        "so tired 😴 of it all !!! " * 5,
        "good morning",
        "a b",
    ]
    together = moji.scores(texts * 12)
    for row, text in enumerate(texts):
        # Also where the model computes in 8 bits: its scales are the same for every batch.
        assert np.abs(together[row] - moji.scores([text])[0]).max() < 1e-5


@shipped
@pytest.mark.parametrize("name", bundles.shipped_models())
def test_shipped_models_tell_love_from_loss(name):
    moji = deepmoji.load(name)
    happy, sad = moji.predict(["i love you so much baby", "my dog died and i can't stop crying"])
    assert {label for label, _ in happy.top} & set("❤😍😘💕💖💙💜♥")
    assert {label for label, _ in sad.top} & set("😭😢💔😔😞")


@pytest.mark.skipif(not SMALL.is_dir(), reason="this checkout ships no small model")
def test_the_small_model_is_small_and_has_its_own_encodings():
    small = deepmoji.load("small")
    assert sum(path.stat().st_size for path in SMALL.iterdir()) < 8e6
    assert small.labels == deepmoji.load().labels
    assert small.encode(["so tired"]).shape == (1, 800)
    assert small.encode(["so tired"], reduce=32).shape == (1, 32)


@pytest.fixture
def named(tmp_path, monkeypatch):
    """A shipped model called small, and a working directory without one."""
    made = make_bundle(tmp_path / "models" / "small")
    (tmp_path / "models" / "empty").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr(bundles, "MODELS", tmp_path / "models")
    monkeypatch.chdir(tmp_path / "here")
    return made.folder


def test_a_shipped_model_is_loaded_by_its_name(named):
    assert bundles.shipped_models() == ["small"]
    assert deepmoji.load("small").bundle.folder == named
    assert module.load("small").bundle.folder == named
    with pytest.raises(deepmoji.BundleError, match=r"model folder empty;.*\(small\)"):
        deepmoji.load("empty")


def test_a_path_is_never_a_name(named):
    for path in ("./small", str(named.parent / "here" / "small")):
        with pytest.raises(deepmoji.BundleError, match="no model folder"):
            deepmoji.load(path)


def test_a_folder_of_the_same_name_comes_first(named):
    own = make_bundle(named.parents[1] / "here" / "small", Tiny(labels=("yes", "no")))
    assert deepmoji.load("small").labels == own.labels
    assert deepmoji.load("./small").labels == own.labels


def test_every_shipped_folder_is_a_model():
    for name in bundles.shipped_models():
        assert deepmoji.load(name).bundle.folder == bundles.MODELS / name
    folders = {path.name for path in bundles.MODELS.glob("*")}
    assert folders == set(bundles.shipped_models())
