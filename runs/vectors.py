"""Vectors of a corpus's words, for `deepmoji pretrain --vectors`.

python -m runs.vectors CORPUS OUT.vec [--dim 256 --epochs 5]     # skip-gram (Mikolov et al., 2013)
python -m runs.vectors CORPUS OUT.vec --model MODEL --dim 160    # those of a larger model, shorter

For skip-gram, fastText reads the training texts, each once, as ids of our vocabulary: no text of
validation or test, and no word that the model will not know. With one thread it makes the same
vectors again; fastText knows no other seed. A model's vectors are shortened to their main
directions (principal components over its words), so that a small model starts from what a large one
has learnt.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from deepmoji.bundle import Bundle
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import MissingDependency, require
from deepmoji.files import atomic_path
from deepmoji.text.vocabulary import SPECIAL_TOKENS, UNKNOWN
from deepmoji.training.copies import Copies
from deepmoji.training.material import take
from deepmoji.training.weights import starting_weights

Vector = NDArray[np.float32]


def training_texts(corpus: CorpusFolder) -> Iterator[list[int]]:
    """Yield the ids of every training text; a post with several emojis is one."""
    everything = corpus.read_train()
    pairs = take(everything, Copies.among(everything).first)
    for start, end in zip(pairs.offsets[:-1], pairs.offsets[1:], strict=True):
        yield pairs.ids[start:end].tolist()


def train(corpus: CorpusFolder, *, dim: int, epochs: int, threads: int) -> Any:
    """Return fastText's model of a corpus's ids."""
    fasttext: Any = require("fasttext", "eval")
    if not hasattr(fasttext, "train_unsupervised"):
        raise MissingDependency(
            "the fasttext that is installed can only predict (fasttext-predict, which language "
            "detection brings); run: pip install --force-reinstall --no-deps fasttext-wheel"
        )
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "texts.txt"
        with path.open("w", encoding="ascii") as file:
            file.writelines(f"{' '.join(map(str, ids))}\n" for ids in training_texts(corpus))
        return fasttext.train_unsupervised(
            input=str(path),
            model="skipgram",
            dim=dim,
            epoch=epochs,
            minCount=1,  # the vocabulary has chosen already
            maxn=0,  # an id has no parts
            bucket=0,
            thread=threads,
            verbose=0,
        )


def skip_gram(corpus: CorpusFolder, *, dim: int, epochs: int, threads: int) -> dict[str, Vector]:
    """Return vectors [dim] of all words that occur in a corpus."""
    model = train(corpus, dim=dim, epochs=epochs, threads=threads)
    words = corpus.vocabulary.words
    ids = sorted(int(name) for name in model.get_words() if name.isdigit())
    return {words[index]: model.get_word_vector(str(index)) for index in ids if index != UNKNOWN}


def shortened(model: Path, *, dim: int) -> dict[str, Vector]:
    """Return vectors [dim] of a model's words, the special tokens but padding among them.

    Raises:
        SystemExit: if its vectors have fewer numbers than that.
    """
    bundle = Bundle.open(model)
    own: Vector = starting_weights(bundle)["embedding.weight"]
    if own.shape[1] < dim:
        raise SystemExit(
            f"the vectors of {model} have {own.shape[1]} numbers, fewer than {dim}; "
            "give a smaller --dim"
        )
    directions = PCA(dim, svd_solver="full").fit(own[len(SPECIAL_TOKENS) :])
    print(f"{directions.explained_variance_ratio_.sum():.1%} of the variance of the words is kept")
    shorter = directions.transform(own).astype(np.float32)
    return dict(zip(bundle.vocabulary.words[1:], shorter[1:], strict=True))


def write(vectors: Mapping[str, Vector], out: Path) -> None:
    """Write vectors in word2vec's text format."""
    dim = len(next(iter(vectors.values())))
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f"{len(vectors)} {dim}\n")
        for word, vector in vectors.items():
            file.write(f"{word} {' '.join(f'{number:.5g}' for number in vector)}\n")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.vectors")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dim", type=int, default=256, help="numbers a word")
    parser.add_argument("--epochs", type=int, default=5, help="of skip-gram (%(default)s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--model", type=Path, help="a model whose vectors are shortened instead")
    options = parser.parse_args(arguments)
    corpus, dim = CorpusFolder.open(options.corpus), options.dim
    if options.model is None:
        of_words = skip_gram(corpus, dim=dim, epochs=options.epochs, threads=options.threads)
    else:
        of_words = shortened(options.model, dim=dim)
    known = set(corpus.vocabulary.words)
    write({word: vector for word, vector in of_words.items() if word in known}, options.out)
    count = len(known & of_words.keys())
    print(f"{options.out}: vectors of {count:,} of {len(known):,} words")


if __name__ == "__main__":
    main()
