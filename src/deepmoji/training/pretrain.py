"""Pretraining on emojis: a corpus folder in, a model bundle out (paper, section 3.3)."""

import multiprocessing
import os
import re
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Unpack

from lightning_fabric import Fabric
from torch.multiprocessing.spawn import ProcessException

from deepmoji.bundle import Bundle, check_replaceable
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import DeepmojiError, InputError
from deepmoji.files import LOCK, locked, remove_partials
from deepmoji.machine import under_torchrun
from deepmoji.text.vocabulary import SPECIAL_TOKENS
from deepmoji.training.checkpoint import Checkpoint
from deepmoji.training.finish import finish
from deepmoji.training.hardware import (
    Hardware,
    end_at_once,
    end_with_parent,
    is_first_process,
    leave_group,
    quieten_fabric,
    settle,
    share_cores,
)
from deepmoji.training.loop import Progress, Report
from deepmoji.training.material import choose_pairs, read_material
from deepmoji.training.run import Files, Run
from deepmoji.training.teacher import Teacher, write_answers
from deepmoji.training.trainer import Besides, Trainer

_OWN = re.compile(r"^deepmoji\.errors\.\w+: ")  # before what an error of ours says


class Options(Files, total=False):
    """What pretraining may be given besides a corpus, settings and hardware."""

    time_limit: float | None  # minutes


def pretrain(
    corpus: str | Path,
    out: str | Path,
    *,
    model: ModelConfig | None = None,
    config: PretrainConfig | None = None,
    hardware: Hardware | None = None,
    report: Report | None = None,
    **options: Unpack[Options],
) -> Path | None:
    """Pretrain a model on a corpus and write it as a bundle with its training weights.

    Checkpoints go to ``OUT.training``. Called again after it was stopped, it goes on with the same
    next batches; the number of epochs may be another one until the learning rate begins to fall.

    Args:
        corpus: a folder made by ``deepmoji corpus build``.
        out: the bundle's folder.
        model: sizes and gates; vocabulary (``config.words`` of it) and classes are the corpus's,
            whatever it says there.
        config: the settings.
        hardware: where to train; all cores or GPUs by default.
        report: told of progress every few seconds.
        options: ``init``, a bundle whose weights to start from, word by word and label by label,
            instead of random ones; its sizes and gates have to be the same. ``teacher``, a bundle
            of any sizes whose answers to learn from besides the labels (knowledge distillation),
            or several, of whose answers it takes the mean; their words and labels have to be the
            corpus's, in any order. ``vectors``, word vectors to start the embedding from, in
            word2vec's text format, as a text or as ``.gz``; not together with ``init``.
            ``encodings``, what another model makes of each training pair, to learn besides the
            labels (:class:`deepmoji.training.guide.Encodings`).
            ``time_limit``, minutes after which the training is to have stopped, with a checkpoint
            to go on from; what comes before the training, a teacher's answers, and what comes after
            it, the bundle, is not interrupted.

    Returns:
        ``out``, or None if the time limit came before the end. Under ``torchrun`` it is written by
        the first process.

    Raises:
        InputError: if the corpus cannot be read or has no pairs to train or validate on, or
            ``OUT.training`` holds another run, or a file does not fit.
        BundleError: if ``out`` holds something that is no bundle, or a bundle cannot be read.
        DeepmojiError: if training fails: a full disk, a loss that is no number.
    """
    until = _end_of(options.pop("time_limit", None))
    config = config or PretrainConfig()
    folder, out = CorpusFolder.open(corpus).with_words(config.words), Path(out).resolve()
    check_replaceable(out)
    teachers = _paths(options.pop("teacher", None))
    given: dict[str, Path] = {
        name: Path(str(file)) for name, file in options.items() if file is not None
    }
    for use, models in (("starts from", [given.get("init")]), ("learns from", teachers)):
        if out in (model.resolve() for model in models if model is not None):
            raise InputError(f"a run cannot write to the model it {use}, {out}; choose another")
    pairs = folder.report["pairs"]
    for split in ("train", "validation_natural"):
        if not pairs[split]:
            raise InputError(
                f"the corpus {corpus} has no pairs for {split.split('_')[0]}; "
                "build it from more posts, or with a larger --natural"
            )
    choose_pairs(pairs["train"], config)
    sizes = (model or ModelConfig()).to_dict()
    sizes |= {"vocabulary_size": len(folder.vocabulary), "classes": len(folder.labels)}
    run = Run(
        corpus=Path(corpus),
        folder=out.with_name(f"{out.name}.training"),
        model=ModelConfig(**sizes),
        config=config,
        teachers=teachers,
        **given,
    )
    hardware = hardware or Hardware()
    hardware.check_starter()
    with locked(run.folder / LOCK, run.folder) if is_first_process() else nullcontext():
        if is_first_process():
            remove_partials(run.folder)  # of a size with the checkpoints
        if not train(run, hardware, report or _ignore, until):
            return None
        if is_first_process():
            finish(run, out, hardware)
    return out


def _end_of(minutes: float | None) -> float | None:
    """Return when a time limit is over, on the clock of ``time.monotonic``."""
    if minutes is None:
        return None
    if not minutes > 0:
        raise InputError(f"time_limit has to be a positive number of minutes, not {minutes!r}")
    return time.monotonic() + 60 * minutes


def _paths(given: str | Path | Sequence[str | Path] | None) -> tuple[Path, ...]:
    """Return the paths of one file, of several, or of none."""
    if given is None:
        return ()
    return tuple(map(Path, [given] if isinstance(given, str | Path) else given))


def _ignore(progress: Progress) -> None:
    """Show nothing."""


def _nothing() -> None:
    """Do nothing."""


def train(run: Run, hardware: Hardware, report: Report, until: float | None = None) -> bool:
    """Train until the epochs are done or validation stops improving; weights go to checkpoints.

    Args:
        run: what to train.
        hardware: where.
        report: told of progress.
        until: stop before, on the clock of ``time.monotonic``, which processes of a machine share.

    Returns:
        whether the run is finished.

    Raises:
        InputError: if the corpus cannot be read or the folder holds another run.
        DeepmojiError: if one of several processes fails.
    """
    # Errors belong in this process, before others start and before hours are spent.
    run.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = run.checkpoint(hardware)
    if checkpoint.load() is None:
        run.network()
    _ask_teacher(run, hardware, report)
    process = _Process(run, checkpoint, report, until)
    fabric = hardware.fabric(run.config.batch_size)
    if under_torchrun():
        end_with_parent(os.getppid())
    if under_torchrun() or fabric.world_size == 1:
        fabric.launch()
        return process(fabric)
    try:
        with _ended_with_this():
            return fabric.launch(process)
    except ProcessException as error:
        reason = _OWN.sub("", str(error).strip().splitlines()[-1])
        raise DeepmojiError(
            f"a training process failed: {reason}; once that is mended, the same command goes on "
            f"from the last checkpoint in {run.folder}"
        ) from error


@contextmanager
def _ended_with_this() -> Generator[None]:
    """End the processes that are started inside: torch waits for them, however long they train."""
    before = multiprocessing.active_children()
    try:
        yield
    finally:
        for process in multiprocessing.active_children():
            if process not in before:
                process.terminate()
                process.join()


def _ask_teacher(run: Run, hardware: Hardware, report: Report) -> None:
    """Have each teacher's answers in their file."""
    # All are looked at before the first is asked, which may take an hour.
    asked = [_teacher(run.corpus, folder) for folder in run.teachers]
    for (corpus, teacher), answers in zip(asked, run.answers(), strict=True):
        # Not at a barrier, whose patience is half an hour; if the first process fails, all end.
        while not is_first_process() and not answers.path.exists():
            time.sleep(1)
        if answers.path.exists():
            continue
        rows, cut = read_material(corpus, run.config).rows, run.config.max_tokens
        with ExitStack() as stack:
            stack.callback(getattr(report, "close", _nothing))
            write_answers(
                answers.path, teacher, rows, max_tokens=cut, hardware=hardware, report=report
            )
            stack.pop_all()  # it went well, and goes on


def _teacher(folder: Path, model: Path) -> tuple[CorpusFolder, Teacher]:
    """Open a teacher, and the corpus as it reads it."""
    corpus, bundle = CorpusFolder.open(folder), Bundle.open(model)
    # It reads the words that it knows itself, whatever the run does.
    if len(SPECIAL_TOKENS) < len(bundle.vocabulary) < len(corpus.vocabulary):
        corpus = corpus.with_words(len(bundle.vocabulary))
    return corpus, Teacher(bundle=bundle, words=corpus.vocabulary.words, labels=corpus.labels)


class _Process:
    """What each process does: an object, to be picklable and quiet from the start."""

    def __init__(
        self, run: Run, checkpoint: Checkpoint, report: Report, until: float | None
    ) -> None:
        self.run, self.checkpoint, self.report, self.until = run, checkpoint, report, until
        self.started_by: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"started_by": os.getpid()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # In a process of its own, before Fabric sets it up, and waits for the others.
        end_at_once()
        end_with_parent(state["started_by"])
        quieten_fabric()
        vars(self).update(state)

    def __call__(self, fabric: Fabric) -> bool:
        if self.started_by is not None:  # again: torch has set what it does by default
            end_with_parent(self.started_by)
        share_cores(fabric)
        trainer = Trainer(
            fabric,
            corpus=self.run.open_corpus(),
            network=self.run.network(),
            config=self.run.config,
            checkpoint=self.checkpoint,
            report=self.report,
            besides=Besides(answers=self.run.answers(), encodings=self.run.opened_encodings),
        )
        try:
            trainer.resume()
            is_finished = trainer.run(self.until)
        finally:
            settle()  # before the trainer goes, and its network with it
            getattr(self.report, "close", _nothing)()
        leave_group()
        return is_finished
