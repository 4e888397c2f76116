"""Which way to draw the pairs: as they occur, each emoji as often, or half-way; small models.

python -m benchmarks.sampling CORPUS [--epochs 0.09] [--units 96]

Every way gets the same settings, seed and number of texts; validation split; what training saw is
divided out of every score (and the natural prior multiplied in, for natural posts).
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.record import write
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.training.loop import Progress
from deepmoji.training.pretrain import Hardware, Run, train

WAYS = {"as they occur": 0.0, "square root": 0.5, "each as often": 1.0}


def ignore(progress: Progress) -> None:
    """Show nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling")
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("runs/default/corpus"))
    parser.add_argument("--epochs", type=float, default=0.09)
    parser.add_argument("--units", type=int, default=96)
    options = parser.parse_args()
    corpus = CorpusFolder.open(options.corpus)
    sizes = ModelConfig(
        vocabulary_size=len(corpus.vocabulary), units=options.units, classes=len(corpus.labels)
    )
    rows: dict[str, dict[str, float]] = {}
    config = PretrainConfig()
    for name, balance in WAYS.items():
        config = PretrainConfig(
            epochs=options.epochs,
            learning_rate=2e-3,
            warmup=100,
            embedding_l2=1e-7,
            embedding_range=0.1,
            embedding_dropout=0.0,
            final_dropout=0.1,
            evaluate_every=10**6,
            checkpoint_every=10**6,
            balance=balance,
        )
        with tempfile.TemporaryDirectory() as folder:
            run = Run(corpus=options.corpus, folder=Path(folder), model=sizes, config=config)
            train(run, Hardware(device="cpu"), ignore)
            rows[name] = run.checkpoint().load_state().history[-1]
    settings = config.to_dict() | {"units": options.units}
    del settings["balance"]
    write("sampling", {"settings": settings, "ways": rows})


if __name__ == "__main__":
    main()
