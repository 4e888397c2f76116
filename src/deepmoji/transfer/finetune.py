"""Fine-tuning: labelled texts in, a model of the user's own classes out (paper, section 3.3)."""

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from deepmoji.bundle import SHIPPED, Bundle, check_replaceable, shipped_name
from deepmoji.config import FineTuneConfig, Method
from deepmoji.errors import require
from deepmoji.evaluation.datasets import Labelled, Source
from deepmoji.evaluation.measures import all_measures, best_thresholds
from deepmoji.files import LOCK, atomic_folder, locked
from deepmoji.hub.push import push
from deepmoji.inference.predictor import Predictor
from deepmoji.text.tokenizer import tokenize
from deepmoji.transfer.material import Texts, gather
from deepmoji.transfer.options import Options, check, own

if TYPE_CHECKING:
    from deepmoji.training.network import Network

_MAKERS = ("deepmoji", "torch", "onnx", "onnxruntime", "scikit-learn")


class FineTuned:
    """A tuned model, in a temporary folder that goes when its predictor goes; to be saved.

    Attributes:
        predictor: the model; its labels are the given classes.
        report: how it was made and how good it is, plain values.
    """

    def __init__(self, bundle: Bundle, remove: Callable[[], object]) -> None:
        self.predictor = Predictor(bundle)
        weakref.finalize(self.predictor, remove)
        self.report: dict[str, Any] = dict(bundle.training)

    def scores(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probabilities of the classes, float32 [n, C]."""
        return self.predictor.scores(texts)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model as a bundle, whole or not at all, over one that may stand there.

        Returns:
            the folder; ``deepmoji.load`` takes it, and ``finetune`` as ``base``.

        Raises:
            BundleError: if the folder holds something that is no bundle.
        """
        check_replaceable(Path(folder))
        with atomic_folder(Path(folder)) as temporary:
            shutil.copytree(self.predictor.bundle.folder, temporary, dirs_exist_ok=True)
        return Path(folder)

    def push(self, place: str, *, private: bool = False) -> str:
        """Publish the model with its card on a model hub, as ``hub.push.push`` does.

        Args:
            place: ``hf://OWNER/NAME``.
            private: whether only you may see it.

        Returns:
            the address of the page.

        Raises:
            HubError, InputError, MissingDependency: as ``hub.push.push``.
        """
        return push(self.predictor.bundle.folder, place, private=private).page


def finetune(
    train: Source | Labelled,
    validation: Source | Labelled | None = None,
    *,
    base: str | os.PathLike[str] | None = None,
    method: Method = "chain-thaw",
    seed: int = 0,
    report: Callable[[Any], None] | None = None,
    **options: Unpack[Options],
) -> FineTuned:
    """Tune a pretrained model on labelled texts.

    >>> tuned = finetune((texts, labels), method="last")  # doctest: +SKIP
    >>> tuned.predictor.predict("I could cry").top[0]  # doctest: +SKIP
    ('sadness', 0.81)

    Methods: ``new`` (random weights), ``full`` (all layers at once), ``last`` (a new last layer on
    fixed encodings; seconds), ``chain-thaw`` (layer by layer, then all) and ``gradual`` (unfrozen
    from the top). Whatever is chosen on the way, it is chosen on the validation texts: when each
    stage stops, which weights are kept, and the thresholds of labels that may hold together.

    Args:
        train: a file with labelled texts (see :func:`evaluation.datasets.read`), or a pair (texts,
            labels). A column ``split`` in it names validation and test texts as well.
        validation: the same, to choose on; by default a tenth of ``train``, stratified by label.
        base: the bundle to start from; the shipped model by default, a tuned one also does.
        method: one of the five.
        seed: of the split, the new weights, the draws and dropout.
        report: called with a ``training.tuning.Progress`` about twice a second.
        options: see :class:`Options`.

    Returns:
        the tuned model and a report with the measures on validation and, if given, test texts.

    Raises:
        InputError: if a source, a label or an option cannot be used.
        BundleError: if the base cannot be used.
        MissingDependency: without the ``train`` extra.
        DeepmojiError: if training fails: a loss that is no number, a full disk.
    """
    with ExitStack() as stack:
        if (folder := options.get("folder")) is not None:
            stack.enter_context(locked(Path(folder) / LOCK, folder))
        return _tuned(train, validation, base, method, own(seed), report or _ignore, options)


def _tuned(
    train: Source | Labelled,
    validation: Source | Labelled | None,
    base: str | os.PathLike[str] | None,
    method: Method,
    seed: int,
    report: Callable[[Any], None],
    options: Options,
) -> FineTuned:
    """See :func:`finetune`."""
    begun = time.monotonic()
    for module in ("torch", "lightning_fabric", "onnx", "safetensors", "sklearn"):
        require(module, "train")
    config = check(method, seed, options, validates=validation is not None)
    material = gather(train, validation, seed=seed, config=config, options=options)
    bundle = Bundle.open(SHIPPED if base is None else base)
    lesson = material.words_for(
        bundle, config, extends=method != "last", reading=options.get("words")
    )

    from deepmoji.training.export import as_network, network_scores
    from deepmoji.training.finetune import Course, Start, tune
    from deepmoji.training.hardware import Hardware
    from deepmoji.training.weights import starting_weights

    folder = options.get("folder")
    course = Course(
        method=method,
        config=config,
        max_tokens=lesson.max_tokens,
        batch_size=lesson.batch_size,
        seed=seed,
        hardware=Hardware(
            device=options.get("device", "auto"),
            processes=1,
            precision=options.get("precision", "auto"),
        ),
        folder=None if folder is None else Path(folder),
    )
    start = Start(
        config=bundle.config,
        weights=starting_weights(bundle),
        new_words=len(lesson.vocabulary) - len(bundle.vocabulary),
    )
    outcome, _ = tune(start, lesson.as_lesson(), course, report=report)
    network = as_network(outcome.config, outcome.weights)
    scores = network_scores(network, lesson.validation, lesson.max_tokens)
    thresholds = best_thresholds(material.validation_targets, scores)
    arithmetic = course.hardware.arithmetic
    record = _record(lesson, config, method=method, seed=seed, arithmetic=arithmetic) | {
        "history": outcome.history,
        "thresholds": [round(float(each), 2) for each in thresholds],
        "measures": {
            "validation": all_measures(
                material.validation_targets, scores, material.problem.kind, thresholds
            )
        },
    }
    return _finish(network, lesson, thresholds, record, begun)


def _finish(
    network: "Network",
    lesson: Texts,
    thresholds: NDArray[np.float64],
    record: dict[str, Any],
    begun: float,
) -> FineTuned:
    """Write the bundle and measure it."""
    from deepmoji.training.export import network_scores, save_network, write_record

    with ExitStack() as stack:
        scratch = Path(tempfile.mkdtemp(prefix="deepmoji-"))
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        made = save_network(
            network,
            scratch / "model",
            contents=lesson.contents(network.config, thresholds),
            training=record,
            texts=lesson.sample(),
        )
        record = dict(made.training)  # with the measured agreement of ONNX Runtime and torch
        if lesson.material.test is not None:
            if lesson.reading is tokenize:  # as it will be used
                scores = Predictor(made).scores(lesson.material.test.texts)
            else:  # a predictor would cut into words what is none of its texts
                scores = network_scores(network, lesson.test, lesson.max_tokens)
            measures = all_measures(
                lesson.material.test_targets, scores, lesson.material.problem.kind, thresholds
            )
            record["measures"] |= {"test": measures}
        record["seconds"] = round(time.monotonic() - begun, 1)
        return FineTuned(write_record(made, record), remove=stack.pop_all().close)


def _record(
    lesson: Texts, config: FineTuneConfig, *, method: str, seed: int, arithmetic: str
) -> dict[str, Any]:
    """Return what is known before training."""
    return {
        "method": method,
        "seed": seed,
        "arithmetic": arithmetic,
        "made_with": {name: version(name) for name in _MAKERS} | {"python": python_version()},
        "base": _origin(lesson.bundle),
        "settings": config.to_dict()
        | {"max_tokens": lesson.max_tokens, "batch_size": lesson.batch_size},
        "data": lesson.material.counts() | lesson.coverage(),
    }


def _origin(bundle: Bundle) -> dict[str, Any]:
    """Return what the tuned model came from, without what is long."""
    if bundle.folder == SHIPPED:
        return {"name": "the shipped model", "deepmoji": version("deepmoji")}
    if shipped := shipped_name(bundle.folder):
        return {"name": f"the shipped model {shipped}", "deepmoji": version("deepmoji")}
    base = {"name": bundle.folder.absolute().name}
    if "method" in bundle.training:
        base |= {name: bundle.training.get(name) for name in ("method", "seed", "base")}
    return base


def _ignore(progress: object) -> None:
    """Show nothing."""
