"""Pretraining on emojis: a corpus folder in, a model bundle out (paper, section 3.3)."""

import logging
import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch.multiprocessing.spawn import ProcessException

from deepmoji.bundle import Bundle, Contents
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import DeepmojiError
from deepmoji.training.checkpoint import Checkpoint
from deepmoji.training.export import save_network
from deepmoji.training.loop import Progress, log_probabilities
from deepmoji.training.network import Network
from deepmoji.training.trainer import Report, Trainer, new_network, priors_of, split_accuracies

MAX_TOKENS = 128  # of the finished model: an LSTM reads on past the length it was trained with


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """Where to train."""

    device: str = "auto"  # Fabric's accelerator: auto, cpu, cuda, mps
    processes: int = 0  # data-parallel processes on this machine; 0: one a core, or one a GPU
    precision: str = "bf16-mixed"  # Fabric's: 32-true, bf16-mixed, 16-mixed

    def fabric(self) -> Fabric:
        """Set up devices; started by ``torchrun``, the processes are torchrun's."""
        precision = cast("Any", self.precision)
        if under_torchrun():
            local = int(os.environ["LOCAL_WORLD_SIZE"])
            return Fabric(
                accelerator=self.device,
                devices=local,
                num_nodes=int(os.environ["WORLD_SIZE"]) // local,
                strategy="ddp",
                precision=precision,
            )
        on_gpu = self.device in ("auto", "cuda", "gpu") and torch.cuda.is_available()
        count = self.processes or (torch.cuda.device_count() if on_gpu else os.cpu_count() or 1)
        return Fabric(
            accelerator="cpu" if self.device == "auto" and not on_gpu else self.device,
            devices=count,
            # Fresh processes: forking after torch's threads have started can hang.
            strategy="ddp_spawn" if count > 1 else "auto",
            precision=precision,
        )


def under_torchrun() -> bool:
    """Tell whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that defines a pretraining run."""

    corpus: Path
    folder: Path  # of checkpoints
    model: ModelConfig
    config: PretrainConfig

    def checkpoint(self) -> Checkpoint:
        """Return the run's checkpoint folder."""
        settings = self.config.to_dict()
        # The flat middle of the schedule makes these free to change (see learning_rate).
        for name in ("epochs", "evaluate_every", "checkpoint_every", "patience"):
            del settings[name]
        corpus = CorpusFolder.open(self.corpus).report["pairs"]
        fingerprint = {"corpus": corpus, "model": self.model.to_dict(), "settings": settings}
        return Checkpoint(self.folder, fingerprint)


def pretrain(
    corpus: str | Path,
    out: str | Path,
    *,
    model: ModelConfig | None = None,
    config: PretrainConfig | None = None,
    hardware: Hardware | None = None,
    report: Report | None = None,
) -> Path:
    """Pretrain a model on a corpus and write it as a bundle with its training weights.

    Checkpoints go to ``OUT.training``. Called again after it was stopped, it goes on with the same
    next batches; called again with more epochs, it goes on from where the schedule was still flat.

    Args:
        corpus: a folder made by ``deepmoji corpus build``.
        out: the bundle's folder.
        model: sizes and gates; vocabulary and classes are the corpus's, whatever it says there.
        config: the settings.
        hardware: where to train; all cores or GPUs by default.
        report: told of progress every few seconds.

    Returns:
        ``out``. Under ``torchrun`` it is written by the first process.

    Raises:
        InputError: if the corpus cannot be read or ``OUT.training`` holds another run.
    """
    folder, out = CorpusFolder.open(corpus), Path(out)
    sizes = (model or ModelConfig()).to_dict()
    sizes |= {"vocabulary_size": len(folder.vocabulary), "classes": len(folder.labels)}
    run = Run(
        corpus=Path(corpus),
        folder=out.with_name(f"{out.name}.training"),
        model=ModelConfig(**sizes),
        config=config or PretrainConfig(),
    )
    train(run, hardware or Hardware(), report or _ignore)
    if int(os.environ.get("RANK", "0")) == 0 or not under_torchrun():
        finish(run, out)
    return out


def _ignore(progress: Progress) -> None:
    """Show nothing."""


def train(run: Run, hardware: Hardware, report: Report) -> None:
    """Train until the epochs are done or validation stops improving; weights go to checkpoints.

    Raises:
        InputError: if the corpus cannot be read or the folder holds another run.
        DeepmojiError: if one of several processes fails.
    """
    run.checkpoint().load()  # errors belong in this process, before others start
    process = _Process(run, report)
    fabric = hardware.fabric()
    if under_torchrun() or fabric.world_size == 1:
        fabric.launch()
        process(fabric)
        return
    try:
        fabric.launch(process)
    except ProcessException as error:
        reason = str(error).strip().splitlines()[-1]
        raise DeepmojiError(
            f"a training process failed: {reason}; once that is mended, the same command goes on "
            f"from the last checkpoint in {run.folder}"
        ) from error


class _Process:
    """What each process does: an object, to be picklable and quiet from the start."""

    def __init__(self, run: Run, report: Report) -> None:
        self.run, self.report = run, report
        _quieten_fabric()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        _quieten_fabric()  # in a process of its own, before Fabric sets it up

    def __call__(self, fabric: Fabric) -> None:
        if fabric.device.type == "cpu" and fabric.world_size > 1:
            torch.set_num_threads(max(1, (os.cpu_count() or 1) // fabric.world_size))
        trainer = Trainer(
            fabric,
            corpus=CorpusFolder.open(self.run.corpus),
            network=new_network(self.run.model, self.run.config),
            config=self.run.config,
            checkpoint=self.run.checkpoint(),
            report=self.report,
        )
        trainer.resume()
        trainer.run()


def _quieten_fabric() -> None:
    """Keep Fabric's announcements of ranks and precision out of the progress display."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


def finish(run: Run, out: Path) -> Bundle:
    """Measure the best weights of a run on the test split and write them as a bundle.

    Raises:
        InputError: if the run has no weights yet.
        BundleError: if the exported model does not agree with the trained one.
    """
    checkpoint = run.checkpoint()
    corpus = CorpusFolder.open(run.corpus)
    network = Network(run.model)
    network.load_state_dict(checkpoint.load_best())
    network.eval()
    labels = corpus.read_train().labels
    priors = priors_of(labels, run.model.classes, run.config.balance)
    test = corpus.read_split("test")
    scores = log_probabilities(
        network,
        test,
        classes=run.model.classes,
        max_tokens=MAX_TOKENS,
        device=torch.device("cpu"),
    )
    state = checkpoint.load_state()
    record = {
        "made_with": {name: version(name) for name in ("deepmoji", "torch", "onnx")},
        "corpus": corpus.report["pairs"],
        "settings": run.config.to_dict(),
        "steps": state.best_step,
        "seconds": round(state.seconds),
        "history": state.history,
        "prior": [round(float(share), 8) for share in priors.seen],
        "scores": {"this model": split_accuracies(scores, test, priors)},
    }
    contents = Contents(
        config=run.model,
        vocabulary=corpus.vocabulary,
        labels=corpus.labels,
        max_tokens=MAX_TOKENS,
    )
    texts = (test.texts or [])[:500]
    return save_network(network, out, contents=contents, training=record, texts=texts)
