"""Skip-gram vectors (Mikolov et al., 2013) of a corpus's words, for `deepmoji pretrain --vectors`.

python -m runs.vectors CORPUS OUT.vec [--dim 256 --epochs 5]

fastText reads the training texts, each once, as ids of our vocabulary: no text of validation or
test, and no word that the model will not know. With one thread it makes the same vectors again;
fastText knows no other seed.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import MissingDependency, require
from deepmoji.files import atomic_path
from deepmoji.text.vocabulary import UNKNOWN
from deepmoji.training.copies import Copies
from deepmoji.training.material import take


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


def write(model: Any, corpus: CorpusFolder, out: Path, *, dim: int) -> int:
    """Write the vectors of all words that occur, in word2vec's text format; return how many."""
    words = corpus.vocabulary.words
    ids = sorted(int(name) for name in model.get_words() if name.isdigit())
    ids = [index for index in ids if index != UNKNOWN]  # many words in one
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write(f"{len(ids)} {dim}\n")
        for index in ids:
            numbers = " ".join(f"{number:.5g}" for number in model.get_word_vector(str(index)))
            file.write(f"{words[index]} {numbers}\n")
    return len(ids)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.vectors")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dim", type=int, default=256, help="numbers a word")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    corpus = CorpusFolder.open(options.corpus)
    model = train(corpus, dim=options.dim, epochs=options.epochs, threads=options.threads)
    count = write(model, corpus, options.out, dim=options.dim)
    print(f"{options.out}: vectors of {count:,} of {len(corpus.vocabulary):,} words")


if __name__ == "__main__":
    main()
