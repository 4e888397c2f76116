"""A run may start from the word vectors of other programs, or of its own texts."""

import gzip
import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from deepmoji.bundle import Bundle
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.text.vocabulary import SPECIAL_TOKENS
from deepmoji.training.pretrain import pretrain, train
from deepmoji.training.vectors import read_vectors
from deepmoji.training.weights import starting_weights
from runs import vectors as script
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    assert_continues_exactly,
    nothing,
    settings,
    tiny_run,
)

SIZE = TINY.embedding_size
WORDS = ["funny", "the", "lost", "nowhere-else"]


def write(path, words=WORDS, *, size=SIZE, header=False, end="\n"):
    random = np.random.default_rng(0)
    numbers = random.normal(3, 5, (len(words), size))
    lines = [" ".join([word, *map(str, row)]) for word, row in zip(words, numbers, strict=True)]
    if header:
        lines.insert(0, f"{len(words)} {size}")
    text = end.join([*lines, ""]).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return numbers


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("name", ["words.vec", "words.vec.gz"])
@pytest.mark.parametrize("end", ["\n", " \r\n"])  # fastText writes a space behind each number
def test_vectors_are_read(tmp_path, header, name, end):
    numbers = write(tmp_path / name, header=header, end=end)
    vectors = read_vectors(tmp_path / name, ["lost", "unheard", "the"], size=SIZE)
    assert vectors.ids.tolist() == [2, 0]
    np.testing.assert_allclose(vectors.numbers, numbers[[1, 2]], rtol=1e-6)


def test_a_words_first_vector_counts_and_its_spaces_are_its_own(tmp_path):
    numbers = write(tmp_path / "w.vec", ["a\u00a0b", "the", "the"])
    vectors = read_vectors(tmp_path / "w.vec", ["the", "a\u00a0b"], size=SIZE)
    assert vectors.ids.tolist() == [1, 0]
    np.testing.assert_allclose(vectors.numbers, numbers[:2], rtol=1e-6)


def test_the_embedding_starts_from_them(corpus, tmp_path):
    """Centred, spread as wide as the random numbers; the other words keep those."""
    numbers = write(tmp_path / "w.vec")
    plain = tiny_run(corpus, tmp_path, embedding_range=0.1)
    run = tiny_run(corpus, tmp_path, files={"vectors": tmp_path / "w.vec"}, embedding_range=0.1)
    random, started = (each.network().embedding.weight.detach().numpy() for each in (plain, run))
    words = CorpusFolder.open(corpus).vocabulary
    ids = [words.id(word) for word in WORDS[:3]]
    others = [index for index in range(len(words)) if index not in ids]
    np.testing.assert_array_equal(started[others], random[others])
    rows = started[ids]
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-7)
    assert rows.std() == pytest.approx(0.1 / np.sqrt(3), rel=1e-5)
    centred = numbers[:3] - numbers[:3].mean(axis=0)
    np.testing.assert_allclose(rows, centred / centred.std() * rows.std(), atol=1e-6)


def test_the_bundle_tells_of_them(corpus, tmp_path):
    write(tmp_path / "w.vec")
    given = {"vectors": tmp_path / "w.vec"}
    config = settings(epochs=0.5)
    out = pretrain(corpus, tmp_path / "m", model=TINY, config=config, hardware=ONE, **given)
    sha256 = hashlib.sha256((tmp_path / "w.vec").read_bytes()).hexdigest()
    assert Bundle.open(out).training["vectors"] == {"sha256": sha256, "words": 3}


def test_a_killed_run_continues_exactly(corpus, tmp_path):
    write(tmp_path / "w.vec")
    given = {"vectors": tmp_path / "w.vec"}
    assert_continues_exactly(lambda name: tiny_run(corpus, tmp_path / name, files=given))


def test_other_vectors_are_another_run(corpus, tmp_path):
    write(tmp_path / "w.vec")
    run = tiny_run(corpus, tmp_path / "run", files={"vectors": tmp_path / "w.vec"}, epochs=0.1)
    train(run, ONE, nothing)
    write(tmp_path / "w.vec", WORDS[::-1])
    with pytest.raises(InputError, match="another word vectors"):
        train(run, ONE, nothing)


NUMBERS = " ".join(["0.5"] * SIZE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "none of the corpus"),
        (f"elsewhere {NUMBERS}\n", "none of the corpus"),
        ("funny 1 2 3\n", "of 3 numbers, .*--embedding-size 3"),
        (f"7 300\nfunny {NUMBERS}\n", "of 300 numbers"),
        (f"the {NUMBERS}\nfunny 1 2\n", "line 2: 2 numbers"),
        (f"the {NUMBERS}\n\nfunny {NUMBERS}\n", "line 2: 0 numbers"),
        (f"the {NUMBERS}\nfunny {NUMBERS} 1\n", f"line 2: {SIZE + 1} numbers"),
        (f"the {NUMBERS}\nfunny {NUMBERS[:-3]}x.5\n", "line 2: .*x.5"),
        (f"the {NUMBERS}\nfunny {NUMBERS[:-3]}nan\n", "line 2: "),
        (f"3 {SIZE}\nthe {NUMBERS}\nfunny {NUMBERS}\n", "announces 3 vectors and holds 2"),
        (f"the {NUMBERS}\nfunny {NUMBERS}\n", "all the same"),
    ],
)
def test_what_is_no_vector_file_is_told(corpus, tmp_path, content, message):
    (tmp_path / "w.vec").write_text(content)
    with pytest.raises(InputError, match=message):
        tiny_run(corpus, tmp_path, files={"vectors": tmp_path / "w.vec"}).network()


def test_files_that_cannot_be_read_are_told(tmp_path):
    write(tmp_path / "whole.vec.gz")
    (tmp_path / "cut.vec.gz").write_bytes((tmp_path / "whole.vec.gz").read_bytes()[:-30])
    (tmp_path / "text.vec.gz").write_text("the 1 2 3")
    for name in ("cut.vec.gz", "text.vec.gz", "missing.vec", "."):
        with pytest.raises(InputError, match="cannot read"):
            read_vectors(tmp_path / name, WORDS, size=SIZE)


def test_mistakes_are_told_before_training(corpus, tmp_path):
    common = {"model": TINY, "config": settings(), "hardware": ONE}
    with pytest.raises(InputError, match=r"cannot read .*nowhere"):
        pretrain(corpus, tmp_path / "m", vectors=tmp_path / "nowhere", **common)
    with pytest.raises(InputError, match="not from both"):
        pretrain(corpus, tmp_path / "m", vectors=tmp_path / "w.vec", init=tmp_path, **common)


def test_vectors_of_the_corpus_itself(corpus, tmp_path, capsys):
    """Words that stand in the same texts come out alike, and a run can start from the file."""
    pytest.importorskip("fasttext")
    out = tmp_path / "own.vec"
    options = ["--dim", str(SIZE), "--epochs", "60", "--threads", "1"]
    script.main([str(corpus), str(out), *options])
    folder = CorpusFolder.open(corpus)
    vectors = read_vectors(out, folder.vocabulary.words, size=SIZE)
    occur = set(np.unique(folder.read_train().ids).tolist()) - {1}
    assert set(vectors.ids.tolist()) == occur
    assert f"vectors of {len(occur):,}" in capsys.readouterr().out
    again = tmp_path / "again.vec"
    script.main([str(corpus), str(again), *options])
    assert again.read_bytes() == out.read_bytes()
    started = tiny_run(corpus, tmp_path, files={"vectors": out}).network()
    assert torch.isfinite(started.embedding.weight).all()


def test_a_text_with_several_emojis_is_read_once(corpus):
    folder = CorpusFolder.open(corpus)
    texts = [tuple(ids) for ids in script.training_texts(folder)]
    assert len(texts) == len(set(texts))
    pairs = folder.read_train()
    everything = {
        tuple(pairs.ids[a:b].tolist())
        for a, b in zip(pairs.offsets[:-1], pairs.offsets[1:], strict=True)
    }
    assert set(texts) == everything


def test_vectors_of_a_larger_model_are_shortened(corpus, tmp_path, capsys):
    """What is left of them tells words apart nearly as well, and a smaller run starts there."""
    config = settings(epochs=0.5)
    model = pretrain(corpus, tmp_path / "m", model=TINY, config=config, hardware=ONE)
    large = starting_weights(Bundle.open(model))["embedding.weight"]
    out, size = tmp_path / "short.vec", SIZE // 2
    script.main([str(corpus), str(out), "--model", str(model), "--dim", str(size)])
    words = CorpusFolder.open(corpus).vocabulary.words
    vectors = read_vectors(out, words, size=size)
    assert sorted(vectors.ids) == list(range(1, len(words)))
    own = large[len(SPECIAL_TOKENS) :] - large[len(SPECIAL_TOKENS) :].mean(axis=0)
    directions = np.linalg.svd(own, full_matrices=False)[2][:size]
    expected = (large[vectors.ids] - large[len(SPECIAL_TOKENS) :].mean(axis=0)) @ directions.T
    signs = np.sign((expected * vectors.numbers).sum(axis=0))  # a direction may point either way
    np.testing.assert_allclose(vectors.numbers, signs * expected, atol=1e-3)
    said = re.search(r"([\d.]+)% of the variance", capsys.readouterr().out)
    kept = 100 * (own @ directions.T).var(axis=0).sum() / own.var(axis=0).sum()
    assert float(said[1]) == pytest.approx(kept, abs=0.06)
    smaller = replace(TINY, embedding_size=size)
    pretrain(corpus, tmp_path / "s", model=smaller, config=config, hardware=ONE, vectors=out)
    assert Bundle.open(tmp_path / "s").training["vectors"]["words"] == len(words) - 1


def test_vectors_are_not_made_longer(corpus, tmp_path):
    model = pretrain(corpus, tmp_path / "m", model=TINY, config=settings(epochs=0.1), hardware=ONE)
    options = ["--model", str(model), "--dim", str(SIZE + 1)]
    with pytest.raises(SystemExit, match=f"have {SIZE} numbers, fewer than {SIZE + 1}"):
        script.main([str(corpus), str(tmp_path / "out.vec"), *options])
    assert not (tmp_path / "out.vec").exists()
