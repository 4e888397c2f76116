"""What defines a pretraining run, and by what it is known again."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import InputError
from deepmoji.training.checkpoint import Checkpoint
from deepmoji.training.guide import Encodings
from deepmoji.training.hardware import Hardware
from deepmoji.training.network import Network
from deepmoji.training.teacher import Answers, teacher_prior
from deepmoji.training.trainer import new_network
from deepmoji.training.vectors import Vectors, read_vectors, start_from_vectors
from deepmoji.training.weights import adopt

# The flat middle of the schedule makes these free to change (see training.loop.learning_rate).
_FREE = ("epochs", "evaluate_every", "checkpoint_every", "checkpoints", "patience")
# Settings that the first runs did not know: at their defaults they change nothing, and are left
# out, so that a run that was begun without them goes on.
_LATER = (
    "average",
    "encodings_weight",
    "pairs",
    "soft_labels",
    "streams",
    "teacher_weight",
    "temperature",
    "weight_decay",
    "word_dropout",
    "words",
)

# What the record of a run says of the files that it was given.
_GIVEN = ("started_from", "teacher", "teachers", "vectors", "encodings")

_ORDER = 2  # in which batches are drawn; it changed when processes began to read parts


class Files(TypedDict, total=False):
    """What a run may be given besides a corpus."""

    init: str | Path | None  # a bundle whose weights it starts from
    # Bundles whose answers it learns from, one or several.
    teacher: str | Path | Sequence[str | Path] | None
    vectors: str | Path | None  # word vectors that its embedding starts from
    encodings: str | Path | None  # another model's, of the training pairs, that it learns to say


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that defines a pretraining run."""

    corpus: Path
    folder: Path  # of checkpoints
    model: ModelConfig
    config: PretrainConfig
    init: Path | None = None  # a bundle whose weights it starts from
    teachers: tuple[Path, ...] = ()  # bundles whose answers it learns from
    vectors: Path | None = None  # word vectors that its embedding starts from
    encodings: Path | None = None  # another model's, of the training pairs, that it learns to say

    def __post_init__(self) -> None:
        if self.init is not None and self.vectors is not None:
            raise InputError("a run starts from a model (init) or from word vectors, not from both")
        default = PretrainConfig()
        for name in ("teacher_weight", "temperature"):
            if not self.teachers and getattr(self.config, name) != getattr(default, name):
                raise InputError(f"{name} means nothing without a teacher; name one")
        if self.encodings is None and self.config.encodings_weight != default.encodings_weight:
            raise InputError("encodings_weight means nothing without encodings; name their file")

    def open_corpus(self) -> CorpusFolder:
        """Open the corpus, as one reads it who knows the run's words.

        Raises:
            InputError: if it cannot be read or has fewer words.
        """
        return CorpusFolder.open(self.corpus).with_words(self.config.words)

    def network(self) -> Network:
        """Return the network as the run starts it.

        Raises:
            InputError: if the bundle or the vectors to start from have other sizes, or the vectors
                or the encodings cannot be read.
            BundleError: if that bundle cannot be read.
        """
        encodings = self.opened_encodings
        network = new_network(self.model, self.config, guess=encodings.size if encodings else 0)
        if self.init is not None:
            corpus = self.open_corpus()
            words, labels = corpus.vocabulary.words, corpus.labels
            adopt(network, Bundle.open(self.init), words=words, labels=labels)
        if vectors := self.read_vectors():
            start_from_vectors(network.embedding, vectors, span=self.config.embedding_range)
        return network

    def read_vectors(self) -> Vectors | None:
        """Return the vectors of the corpus's words, or None where the run is given none.

        Raises:
            InputError: if they cannot be read.
        """
        if self.vectors is None:
            return None
        words = self.open_corpus().vocabulary.words
        return read_vectors(self.vectors, words, size=self.model.embedding_size)

    @cached_property
    def opened_encodings(self) -> Encodings | None:
        """What there is to know of the encodings, or None where the run is given none.

        Found out once, for this process and those it starts: the file may have gigabytes.

        Raises:
            InputError: if they cannot be read or are not those of the corpus's pairs.
        """
        if self.encodings is None:
            return None
        return Encodings.open(self.encodings, pairs=CorpusFolder.open(self.corpus).train_rows)

    @cached_property
    def _encodings_digest(self) -> str:
        return file_digest(self.encodings) if self.encodings else ""

    def given(self) -> dict[str, Any]:
        """Return what made the files that the run was given, for the record of its model."""
        record: dict[str, Any] = {}
        if self.init is not None:
            record["started_from"] = origin(Bundle.open(self.init))
        if self.teachers:
            record["teachers"] = [origin(Bundle.open(each)) for each in self.teachers]
        if self.vectors is not None and (vectors := self.read_vectors()):
            sha256 = file_digest(self.vectors)
            record["vectors"] = {"sha256": sha256, "words": len(vectors.ids)}
        if self.encodings is not None and (encodings := self.opened_encodings):
            sizes = {"numbers": encodings.size, "pairs": encodings.known}
            record["encodings"] = {"sha256": self._encodings_digest} | sizes
        return record

    def answers(self) -> tuple[Answers, ...]:
        """Return each teacher's answers, which may still have to be written."""
        if not self.teachers:
            return ()
        # All that decides what is asked and what is answered is in the name, but for rounding: a
        # graph may hold the same weights in another precision.
        print_, settings = self._fingerprint(), self.config.to_dict()
        rows = [settings[name] for name in ("pairs", "soft_labels", "seed", "max_tokens")]
        labels = CorpusFolder.open(self.corpus).labels
        found: list[Answers] = []
        for teacher in self.teachers:
            key = [print_["corpus"], print_["vocabulary"], digest(teacher), rows]
            older, path = (self._answers(each) for each in (key, [*key, print_["corpus content"]]))
            prior = teacher_prior(Bundle.open(teacher), labels)
            found.append(Answers(path=older if older.exists() else path, prior=prior))
        return tuple(found)

    def _answers(self, key: list[Any]) -> Path:
        name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
        return self.folder / f"teacher-{name}.npy"

    def checkpoint(self, hardware: Hardware | None = None) -> Checkpoint:
        """Return the run's checkpoint folder.

        Args:
            hardware: that the run is to go on with; not needed to read what is there.
        """
        fingerprint = self._fingerprint()
        if hardware is not None:
            fingerprint["arithmetic"] = hardware.described
        return Checkpoint(self.folder, fingerprint, kept=self.config.checkpoints)

    def _fingerprint(self) -> dict[str, Any]:
        settings = self.config.to_dict()
        defaults = PretrainConfig().to_dict()
        unchanged = [name for name in _LATER if settings[name] == defaults[name]]
        for name in (*_FREE, *unchanged):
            del settings[name]
        corpus = self.open_corpus()
        words = "\n".join((*corpus.labels, *corpus.vocabulary.words))
        fingerprint = {
            "corpus": corpus.report["pairs"],
            "corpus content": _content(corpus.report),
            "vocabulary": hashlib.sha256(words.encode("utf-8", "replace")).hexdigest(),
            "model": self.model.to_dict(),
            "settings": settings,
            "order": _ORDER,
        }
        if self.init is not None:
            fingerprint["model to start from"] = digest(self.init)
        digests = [digest(each) for each in self.teachers]
        if digests:  # one alone as in the first runs, so that these go on
            fingerprint["teacher"] = digests if len(digests) > 1 else digests[0]
        if self.vectors is not None:
            fingerprint["word vectors"] = file_digest(self.vectors)
        if self.encodings is not None:
            fingerprint["encodings"] = self._encodings_digest
        return fingerprint


def _content(report: dict[str, Any]) -> str:
    """Return a digest of what a corpus's report says of its pairs, wherever its posts lie."""
    settings = {name: each for name, each in report.get("settings", {}).items() if name != "labels"}
    parts = [report.get(name) for name in ("length_histogram", "pairs_per_emoji", "unknown_share")]
    text = json.dumps([settings, *parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def digest(folder: Path) -> str:
    """Return the SHA-256 of a bundle's weights."""
    bundle = Bundle.open(folder)
    return file_digest(bundle.weights or bundle.graph)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def origin(bundle: Bundle) -> dict[str, Any]:
    """Return what made the model that a run started from, and its own origin."""
    kept = ("corpus", "corpus_settings", "posts", "settings", "steps", "seconds", *_GIVEN)
    record = {name: bundle.training[name] for name in kept if name in bundle.training}
    return {"weights_sha256": digest(bundle.folder)} | record
