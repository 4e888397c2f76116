"""Pretraining on emojis: a corpus folder in, a model bundle out (paper, section 3.3)."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from lightning_fabric import Fabric
from torch.multiprocessing.spawn import ProcessException

from deepmoji.bundle import Bundle, Contents, check_replaceable
from deepmoji.config import MAX_TOKENS, ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import DeepmojiError, InputError
from deepmoji.training.calibration import calibrate
from deepmoji.training.checkpoint import Checkpoint
from deepmoji.training.export import SAMPLE_TEXTS, save_network
from deepmoji.training.hardware import (
    Hardware,
    is_first_process,
    quieten_fabric,
    share_cores,
    under_torchrun,
)
from deepmoji.training.loop import Progress
from deepmoji.training.network import Network
from deepmoji.training.record import corpus_record
from deepmoji.training.trainer import Report, Trainer, new_network, priors_of
from deepmoji.training.weights import adopt

_MAKERS = ("deepmoji", "torch", "lightning-fabric", "onnx", "onnxruntime")


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that defines a pretraining run."""

    corpus: Path
    folder: Path  # of checkpoints
    model: ModelConfig
    config: PretrainConfig
    init: Path | None = None  # a bundle whose weights it starts from

    def network(self) -> Network:
        """Return the network as the run starts it.

        Raises:
            InputError: if the bundle to start from has other sizes.
            BundleError: if that bundle cannot be read.
        """
        network = new_network(self.model, self.config)
        if self.init is not None:
            corpus = CorpusFolder.open(self.corpus)
            words, labels = corpus.vocabulary.words, corpus.labels
            adopt(network, Bundle.open(self.init), words=words, labels=labels)
        return network

    def checkpoint(self) -> Checkpoint:
        """Return the run's checkpoint folder."""
        settings = self.config.to_dict()
        # The flat middle of the schedule makes these free to change (see learning_rate).
        for name in ("epochs", "evaluate_every", "checkpoint_every", "patience"):
            del settings[name]
        corpus = CorpusFolder.open(self.corpus)
        words = "\n".join((*corpus.labels, *corpus.vocabulary.words))
        fingerprint = {
            "corpus": corpus.report["pairs"],
            "vocabulary": hashlib.sha256(words.encode("utf-8", "replace")).hexdigest(),
            "model": self.model.to_dict(),
            "settings": settings,
        }
        if self.init is not None:
            fingerprint["model to start from"] = _digest(self.init)
        return Checkpoint(self.folder, fingerprint)


def pretrain(
    corpus: str | Path,
    out: str | Path,
    *,
    model: ModelConfig | None = None,
    config: PretrainConfig | None = None,
    hardware: Hardware | None = None,
    report: Report | None = None,
    init: str | Path | None = None,
) -> Path:
    """Pretrain a model on a corpus and write it as a bundle with its training weights.

    Checkpoints go to ``OUT.training``. Called again after it was stopped, it goes on with the same
    next batches; the number of epochs may be another one until the learning rate begins to fall.

    Args:
        corpus: a folder made by ``deepmoji corpus build``.
        out: the bundle's folder.
        model: sizes and gates; vocabulary and classes are the corpus's, whatever it says there.
        config: the settings.
        hardware: where to train; all cores or GPUs by default.
        report: told of progress every few seconds.
        init: a bundle whose weights to start from, word by word and label by label, instead of
            random ones; its sizes and gates have to be the same.

    Returns:
        ``out``. Under ``torchrun`` it is written by the first process.

    Raises:
        InputError: if the corpus cannot be read or has no pairs to train or validate on, or
            ``OUT.training`` holds another run.
        BundleError: if ``out`` holds something that is no bundle, or ``init`` cannot be read.
        DeepmojiError: if training fails: a full disk, a loss that is no number.
    """
    folder, out = CorpusFolder.open(corpus), Path(out).resolve()
    check_replaceable(out)
    if init is not None and Path(init).resolve() == out:
        raise InputError(f"a run cannot write to the model it starts from, {out}; choose another")
    pairs = folder.report["pairs"]
    for split in ("train", "validation_natural"):
        if not pairs[split]:
            raise InputError(
                f"the corpus {corpus} has no pairs for {split.split('_')[0]}; "
                "build it from more posts, or with a larger --natural"
            )
    sizes = (model or ModelConfig()).to_dict()
    sizes |= {"vocabulary_size": len(folder.vocabulary), "classes": len(folder.labels)}
    run = Run(
        corpus=Path(corpus),
        folder=out.with_name(f"{out.name}.training"),
        model=ModelConfig(**sizes),
        config=config or PretrainConfig(),
        init=None if init is None else Path(init),
    )
    hardware = hardware or Hardware()
    train(run, hardware, report or _ignore)
    if is_first_process():
        finish(run, out, hardware)
    return out


def _digest(folder: Path) -> str:
    """Return the SHA-256 of a bundle's weights."""
    bundle = Bundle.open(folder)
    with (bundle.weights or bundle.graph).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _origin(bundle: Bundle) -> dict[str, Any]:
    """Return what made the model that a run started from, and its own origin."""
    kept = ("corpus", "corpus_settings", "posts", "settings", "steps", "seconds", "started_from")
    record = {name: bundle.training[name] for name in kept if name in bundle.training}
    return {"weights_sha256": _digest(bundle.folder)} | record


def _ignore(progress: Progress) -> None:
    """Show nothing."""


def _nothing() -> None:
    """Do nothing."""


def train(run: Run, hardware: Hardware, report: Report) -> None:
    """Train until the epochs are done or validation stops improving; weights go to checkpoints.

    Raises:
        InputError: if the corpus cannot be read or the folder holds another run.
        DeepmojiError: if one of several processes fails.
    """
    # Errors belong in this process, before others start and before hours are spent.
    run.folder.mkdir(parents=True, exist_ok=True)
    if run.checkpoint().load() is None:
        run.network()
    process = _Process(run, report)
    fabric = hardware.fabric(run.config.batch_size)
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

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        quieten_fabric()  # in a process of its own, before Fabric sets it up

    def __call__(self, fabric: Fabric) -> None:
        share_cores(fabric)
        trainer = Trainer(
            fabric,
            corpus=CorpusFolder.open(self.run.corpus),
            network=self.run.network(),
            config=self.run.config,
            checkpoint=self.run.checkpoint(),
            report=self.report,
        )
        try:
            trainer.resume()
            trainer.run()
        finally:
            getattr(self.report, "close", _nothing)()


def finish(run: Run, out: Path, hardware: Hardware) -> Bundle:
    """Calibrate the best weights of a run, measure them on the test split and write a bundle.

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
    validation, test = corpus.read_split("validation"), corpus.read_split("test")
    measured = calibrate(network, validation=validation, test=test, priors=priors)
    state = checkpoint.load_state()
    record = {
        "made_with": {name: version(name) for name in _MAKERS} | {"python": python_version()},
        "hardware": vars(hardware) | {"processes": hardware.count(run.config.batch_size)},
        **corpus_record(corpus),
        "settings": run.config.to_dict(),
        "steps": state.best_step,
        "seconds": round(state.seconds),
        "history": state.history,
        **({} if run.init is None else {"started_from": _origin(Bundle.open(run.init))}),
        **measured,
    }
    contents = Contents(
        config=run.model,
        vocabulary=corpus.vocabulary,
        labels=corpus.labels,
        max_tokens=MAX_TOKENS,
    )
    texts = (test.texts or SAMPLE_TEXTS)[:500]
    return save_network(network, out, contents=contents, training=record, texts=texts)
