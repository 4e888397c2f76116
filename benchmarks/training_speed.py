"""Texts a second in pretraining, full size, beside a straightforward network in the same run.

python -m benchmarks.training_speed CORPUS [--steps 12] [--device cpu|cuda]

`--device cuda` alone writes results/training_speed_gpu.json, all else training_speed.json.

Straightforward is one bidirectional `nn.LSTM` of two layers over packed sequences in fp32, fed
with batches in random order. Each row of the result is a process (or several) of its own.

A row says what a text takes in its forward pass, its backward pass (with several processes also
the exchange of gradients) and the step (clipping and Adam), in microseconds; what is left of the
whole time makes batches. `mflop_per_text` follows from the sizes and the real tokens (formula:
`benchmarks/arithmetic.py`); `peak_gflops` is the best of several large square matrix products with
as many cores and in the same precision, measured in the same process right before.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from benchmarks.arithmetic import Watch, peak_gflops, training_flops
from benchmarks.packed import Packed
from benchmarks.record import write
from deepmoji.config import Gates, ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.training.batches import Pairs, collate
from deepmoji.training.hardware import share_cores
from deepmoji.training.loop import Progress
from deepmoji.training.pretrain import Hardware
from deepmoji.training.run import Run
from deepmoji.training.trainer import Trainer

MAX_TOKENS = 40
WARM = 2  # steps that are not counted
CORES = os.cpu_count() or 1
SLOWEST = "straightforward, packed, fp32, 1 core"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way of training."""

    device: str = "cpu"
    precision: str = "bf16-mixed"
    gates: Gates = "sigmoid"
    threads: int = 1  # of each process
    processes: int = 1
    batch: int = 256
    straightforward: bool = False


VARIANTS = {
    SLOWEST: Variant(straightforward=True, precision="32-true"),
    "ours, fp32, 1 core": Variant(precision="32-true"),
    "ours, bf16, 1 core": Variant(),
    f"ours, bf16, 1 process, {CORES} cores": Variant(threads=CORES),
    f"ours, bf16, {CORES} processes, {CORES} cores": Variant(processes=CORES),
    "ours, bf16, hard sigmoid, 1 core": Variant(gates="hard_sigmoid"),
    "ours, bf16, GPU, batch 256": Variant(device="cuda", batch=256),
    "ours, bf16, GPU, batch 1024": Variant(device="cuda", batch=1024),
    "ours, bf16, GPU, batch 4096": Variant(device="cuda", batch=4096),
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Some steps: their texts, the real tokens of these, and how long what took, in seconds."""

    texts: int
    tokens: int
    seconds: float
    parts: dict[str, float]


def count_tokens(pairs: Pairs, rows: NDArray[np.int64]) -> int:
    """The tokens of rows as training sees them: cut, and never none."""
    lengths = pairs.offsets[rows + 1] - pairs.offsets[rows]
    return int(np.clip(lengths, 1, MAX_TOKENS).sum())


def measure_packed(corpus: Path, steps: int, model: ModelConfig) -> Measured:
    batch, pairs = VARIANTS[SLOWEST].batch, CorpusFolder.open(corpus).read_train()
    network = Packed(model)
    optimiser = torch.optim.Adam(network.parameters())
    order = np.random.default_rng(0).permutation(len(pairs))
    watch, begun, tokens = Watch("cpu"), 0.0, 0
    for step in range(steps + WARM):
        if step == WARM:
            watch.clear()
            begun, tokens = time.perf_counter(), 0
        rows = np.take(order, np.arange(step * batch, (step + 1) * batch), mode="wrap")
        tokens += count_tokens(pairs, rows)
        ids, lengths = collate(pairs, rows, MAX_TOKENS)
        watch.mark("batch")
        logits = network(torch.from_numpy(ids), torch.from_numpy(lengths))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(pairs.labels[rows]))
        watch.mark("forward")
        loss.backward()
        watch.mark("backward")
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        watch.mark("step")
    seconds = time.perf_counter() - begun
    return Measured(texts=steps * batch, tokens=tokens, seconds=seconds, parts=watch.seconds())


def report_nothing(progress: Progress) -> None:
    """Picklable, for processes that are started anew."""


class Training:
    """What each process does: steps of the real trainer, with marks in between.

    Args:
        run: what to train.
        steps: to measure, after those to warm up.
        out: where the first process writes what it measured.
    """

    def __init__(self, run: Run, steps: int, out: Path) -> None:
        self.run, self.steps, self.out = run, steps, out

    def __call__(self, fabric: Fabric) -> None:
        share_cores(fabric)
        trainer = Trainer(
            fabric,
            corpus=self.run.open_corpus(),
            network=self.run.network(),
            config=self.run.config,
            checkpoint=self.run.checkpoint(),
            report=report_nothing,
        )
        watch = Watch(fabric.device.type)
        trainer.network.register_forward_pre_hook(lambda *_: watch.mark("batch"))
        backward = fabric.backward

        def marked(*arguments: Any, **options: Any) -> None:
            watch.mark("forward")
            backward(*arguments, **options)
            watch.mark("backward")

        fabric.backward = marked
        begun, rows, texts = 0.0, list[NDArray[np.int64]](), 0
        for step in range(self.steps + WARM):
            if step == WARM:
                synchronize(fabric)
                watch.clear()
                begun = time.perf_counter()
                rows.clear()
                texts = 0
            trainer.step(step)
            watch.mark("step")
            rows.append(trainer.plan.rows(step))
            texts += trainer.plan.size(step)
        synchronize(fabric)
        seconds, seen = time.perf_counter() - begun, np.concatenate(rows)
        own = count_tokens(trainer.material.rows, seen - trainer.material.part.first)
        counted = fabric.all_reduce(torch.tensor(own, device=fabric.device), reduce_op="sum")
        tokens = int(cast("torch.Tensor", counted))
        measured = Measured(texts=texts, tokens=tokens, seconds=seconds, parts=watch.seconds())
        if fabric.is_global_zero:
            self.out.write_text(json.dumps(asdict(measured)), encoding="utf-8")
        fabric.barrier()


def synchronize(fabric: Fabric) -> None:
    """Wait for a GPU to have done what it was told."""
    if fabric.device.type == "cuda":
        torch.cuda.synchronize()


def measure_ours(corpus: Path, steps: int, variant: Variant, model: ModelConfig) -> Measured:
    rows = CorpusFolder.open(corpus).train_rows
    config = PretrainConfig(
        epochs=(steps + WARM + 0.5) * variant.batch / rows,
        batch_size=variant.batch,
        max_tokens=MAX_TOKENS,
    )
    hardware = Hardware(
        device=variant.device, processes=variant.processes, precision=variant.precision
    )
    with tempfile.TemporaryDirectory() as folder:
        run = Run(corpus=corpus, folder=Path(folder), model=model, config=config)
        training = Training(run, steps, Path(folder) / "measured.json")
        fabric = hardware.fabric(variant.batch)
        if fabric.world_size == 1:
            fabric.launch()
            training(fabric)
        else:
            fabric.launch(training)
        return Measured(**json.loads(training.out.read_text(encoding="utf-8")))


def measure(name: str, corpus: Path, steps: int, units: int) -> dict[str, Any]:
    """Measure a variant in this process and those that it starts; return its row."""
    variant, opened = VARIANTS[name], CorpusFolder.open(corpus)
    model = ModelConfig(
        vocabulary_size=len(opened.vocabulary),
        classes=len(opened.labels),
        units=units,
        embedding_size=units // 2,
        gates=variant.gates,
    )
    peak = peak_gflops(variant.device, variant.precision, variant.threads * variant.processes)
    if variant.straightforward:
        measured = measure_packed(corpus, steps, model)
    else:
        measured = measure_ours(corpus, steps, variant, model)
    flops = training_flops(model, texts=measured.texts, tokens=measured.tokens)
    gflops = flops / measured.seconds / 1e9
    parts = {
        f"{part}_us": round(1e6 * measured.parts[part] / measured.texts, 2)
        for part in ("forward", "backward", "step")
    }
    return {
        "texts_per_second": round(measured.texts / measured.seconds, 1),
        "tokens_per_second": round(measured.tokens / measured.seconds),
        **parts,
        "mflop_per_text": round(flops / measured.texts / 1e6, 1),
        "gflops": round(gflops, 1),
        "peak_gflops": round(peak, 1),
        "share_of_peak": round(gflops / peak, 4),
    }


def measure_apart(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure a variant in a process of its own, with as many threads as it says."""
    environment = os.environ | {"OMP_NUM_THREADS": str(VARIANTS[name].threads)}
    command = [sys.executable, "-m", "benchmarks.training_speed", str(options.corpus)]
    command += ["--steps", str(options.steps), "--units", str(options.units), "--variant", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed")
    parser.add_argument("corpus", type=Path, nargs="?", default=Path("runs/default/corpus"))
    parser.add_argument("--steps", type=int, default=12, help="of each variant, besides 2 to warm")
    parser.add_argument("--units", type=int, default=512, help="fewer to try this program")
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    parser.add_argument("--device", choices=devices, help="default: all that there are")
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        print(json.dumps(measure(options.variant, options.corpus, options.steps, options.units)))
        return
    wanted = [options.device] if options.device else devices
    rows = {
        name: measure_apart(name, options)
        for name, variant in VARIANTS.items()
        if variant.device in wanted
    }
    for row in rows.values():
        if SLOWEST in rows:
            row["ratio"] = round(row["texts_per_second"] / rows[SLOWEST]["texts_per_second"], 2)
    gpu = {"gpu": torch.cuda.get_device_name()} if "cuda" in wanted else {}
    content = {**gpu, "units": options.units, "steps": options.steps, "variants": rows}
    # A GPU is in another machine than the one whose cores the README tells of.
    file = "training_speed_gpu" if wanted == ["cuda"] else "training_speed"
    write("training_speed", content, file=file)


if __name__ == "__main__":
    main()
