"""Texts a second in pretraining, full size, beside a straightforward network in the same run.

python -m benchmarks.training_speed CORPUS [--steps 12]

Straightforward is one bidirectional `nn.LSTM` of two layers over packed sequences in fp32, fed
with batches in random order. Each row of the result is a process (or several) of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.record import write
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.training.batches import collate
from deepmoji.training.loop import Progress
from deepmoji.training.pretrain import Hardware, Run, train

BATCH = 256
CORES = os.cpu_count() or 1
VARIANTS: dict[str, dict[str, Any]] = {
    "straightforward, packed, fp32, 1 core": {"threads": 1},
    "ours, fp32, 1 core": {"processes": 1, "precision": "32-true", "threads": 1},
    "ours, bf16, 1 core": {"processes": 1, "precision": "bf16-mixed", "threads": 1},
    f"ours, bf16, 1 process, {CORES} cores": {
        "processes": 1,
        "precision": "bf16-mixed",
        "threads": CORES,
    },
    f"ours, bf16, {CORES} processes, {CORES} cores": {
        "processes": CORES,
        "precision": "bf16-mixed",
        "threads": 1,
    },
    "ours, bf16, hard sigmoid, 1 core": {
        "processes": 1,
        "precision": "bf16-mixed",
        "threads": 1,
        "gates": "hard_sigmoid",
    },
}


class Packed(nn.Module):
    """The network as one would write it first."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
        options: dict[str, Any] = {"bidirectional": True, "batch_first": True}
        self.first = nn.LSTM(config.embedding_size, config.units, **options)
        self.second = nn.LSTM(2 * config.units, config.units, **options)
        self.attention = nn.Linear(config.features, 1, bias=False)
        self.output = nn.Linear(config.features, config.classes)

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Ids [B, T] and lengths [B] to logits [B, C]."""
        words = torch.tanh(self.embedding(ids))
        first, second = words, words
        for name in ("first", "second"):
            packed = nn.utils.rnn.pack_padded_sequence(
                second, lengths, batch_first=True, enforce_sorted=False
            )
            output, _ = getattr(self, name)(packed)
            second, _ = nn.utils.rnn.pad_packed_sequence(
                output, batch_first=True, total_length=ids.shape[1]
            )
            first = second if name == "first" else first
        everything = torch.cat([second, first, words], dim=-1)
        real = torch.arange(ids.shape[1]) < lengths[:, None]
        scores = self.attention(everything).squeeze(-1).masked_fill(~real, float("-inf"))
        return self.output((torch.softmax(scores, dim=1).unsqueeze(-1) * everything).sum(dim=1))


def say_rate(progress: Progress) -> None:
    """Print the rate so far; the last report stands after the evaluation, which is not training."""
    if not progress.evaluation:
        print(json.dumps({"step": progress.step, "rate": progress.texts_per_second}), flush=True)


def measure_packed(corpus: Path, steps: int) -> float:
    pairs = CorpusFolder.open(corpus).read_train()
    network = Packed(ModelConfig())
    optimiser = torch.optim.Adam(network.parameters())
    order = np.random.default_rng(0).permutation(len(pairs))
    begun = 0.0
    for step in range(steps + 2):
        if step == 2:
            begun = time.perf_counter()
        rows = order[step * BATCH : (step + 1) * BATCH]
        ids, lengths = collate(pairs, rows, 40)
        logits = network(torch.from_numpy(ids), torch.from_numpy(lengths))
        nn.functional.cross_entropy(logits, torch.from_numpy(pairs.labels[rows])).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
    return steps * BATCH / (time.perf_counter() - begun)


def measure_ours(corpus: Path, steps: int, variant: dict[str, Any], folder: Path) -> None:
    rows = len(CorpusFolder.open(corpus).read_train())
    config = PretrainConfig(
        epochs=(steps + 0.5) * BATCH / rows,
        batch_size=BATCH,
        max_tokens=40,
        evaluate_every=10**9,
        checkpoint_every=10**9,
    )
    sizes = ModelConfig(gates=variant.get("gates", "sigmoid"))
    run = Run(corpus=corpus, folder=folder, model=sizes, config=config)
    hardware = Hardware(
        device="cpu", processes=variant["processes"], precision=variant["precision"]
    )
    train(run, hardware, say_rate)


def measure(name: str, corpus: Path, steps: int) -> float:
    """Measure a variant in a process of its own, with as many threads as it says."""
    environment = os.environ | {"OMP_NUM_THREADS": str(VARIANTS[name]["threads"])}
    command = [sys.executable, "-m", "benchmarks.training_speed", str(corpus), "--variant", name]
    done = subprocess.run(
        [*command, "--steps", str(steps)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])["rate"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed")
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("runs/default/corpus"))
    parser.add_argument("--steps", type=int, default=12, help=f"of {BATCH} texts")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        variant = VARIANTS[options.variant]
        if "processes" not in variant:
            print(json.dumps({"rate": measure_packed(options.corpus, options.steps)}))
            return
        with tempfile.TemporaryDirectory() as folder:
            measure_ours(options.corpus, options.steps, variant, Path(folder))
        return
    rates = {name: measure(name, options.corpus, options.steps) for name in VARIANTS}
    slowest = rates["straightforward, packed, fp32, 1 core"]
    rows = {
        name: {"texts_per_second": round(rate, 1), "ratio": round(rate / slowest, 2)}
        for name, rate in rates.items()
    }
    write("training_speed", {"batch": BATCH, "steps": options.steps, "variants": rows})


if __name__ == "__main__":
    main()
