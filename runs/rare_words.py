"""Give the rare words of a model vectors that MiniLM suggests; the others keep theirs.

python -m runs.rare_words MODEL CORPUS OUT    # OUT: a bundle, for `deepmoji pretrain --init OUT`

A word that occurs a dozen times in a corpus has hardly moved from its random start. MiniLM has read
more: a ridge regression from its encodings of single words to the model's vectors, fitted on words
that occur often, says where a word would be; that counts as much as --pull occurrences of it. The
corpus is the one that the model was trained on.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepmoji.bundle import Bundle, Contents
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.errors import InputError
from deepmoji.text.vocabulary import SPECIAL_TOKENS
from deepmoji.training.export import as_network, save_network
from deepmoji.training.run import origin
from deepmoji.training.weights import starting_weights
from runs import minilm

OFTEN = 200  # occurrences of a word that others are compared with
PENALTY = 1000.0


def encodings_of_words(words: NDArray[Any]) -> NDArray[np.float32]:
    """Return MiniLM's encoding of each word alone: [words, numbers]."""
    rows = Shard(
        ids=np.arange(len(words), dtype=np.uint32),
        offsets=np.arange(len(words) + 1),
        labels=np.zeros(len(words), np.int64),
    )
    return minilm.encode(words, rows).astype(np.float32)


def suggest(
    own: NDArray[np.float32], encodings: NDArray[np.float32], counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return where each word would be, [words, D], given where the frequent ones are.

    Args:
        own: the model's vectors [words, D].
        encodings: of another model [words, numbers].
        counts: how often each word occurs [words].

    Raises:
        InputError: if no word occurs often.
    """
    often = counts >= OFTEN
    if not often.any():
        raise InputError(f"no word of the corpus occurs {OFTEN} times; build it from more posts")
    ridge = make_pipeline(StandardScaler(), Ridge(alpha=PENALTY)).fit(encodings[often], own[often])
    return ridge.predict(encodings).astype(np.float32)


def pull(
    own: NDArray[np.float32],
    suggested: NDArray[np.float32],
    counts: NDArray[np.int64],
    strength: float,
) -> NDArray[np.float32]:
    """Return (n own + strength suggested) / (n + strength); special tokens keep their vectors."""
    share = (strength / np.maximum(counts + strength, 1.0))[:, None].astype(np.float32)
    share[: len(SPECIAL_TOKENS)] = 0
    return own + share * (suggested - own)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.rare_words")
    parser.add_argument("model", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pull", type=float, default=30.0, help="in occurrences (%(default)s)")
    options = parser.parse_args(arguments)
    if options.pull <= 0:
        parser.error(f"--pull has to be more than 0, not {options.pull}")
    bundle, corpus = Bundle.open(options.model), CorpusFolder.open(options.corpus)
    if bundle.vocabulary.words != corpus.vocabulary.words:
        raise InputError(
            f"{options.model} has other words than {options.corpus}; name the corpus that it was "
            "trained on"
        )
    words = np.array([minilm.WRITTEN.get(w, w) for w in bundle.vocabulary.words], dtype=object)
    weights = starting_weights(bundle)
    own = weights["embedding.weight"]
    counts = np.bincount(corpus.read_train().ids, minlength=len(words))
    suggested = suggest(own, encodings_of_words(words), counts)
    weights = {**weights, "embedding.weight": pull(own, suggested, counts, options.pull)}
    contents = Contents(
        config=bundle.config,
        vocabulary=bundle.vocabulary,
        labels=bundle.labels,
        max_tokens=bundle.max_tokens,
    )
    record = {"settings": {"rare_words_pull": options.pull}, "started_from": origin(bundle)}
    if "prior" in bundle.training:
        record["prior"] = bundle.training["prior"]
    network = as_network(bundle.config, weights)
    save_network(network, options.out, contents=contents, training=record)
    print(f"{int((counts < options.pull).sum()):,} words are now nearer to what MiniLM suggests")


if __name__ == "__main__":
    main()
