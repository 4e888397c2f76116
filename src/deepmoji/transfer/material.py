"""What fine-tuning works on: the three splits, their classes, and their words for a model."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepmoji.bundle import Bundle, Contents
from deepmoji.config import FineTuneConfig, ModelConfig
from deepmoji.errors import InputError
from deepmoji.evaluation.datasets import (
    Labelled,
    Problem,
    Role,
    Source,
    Splits,
    read,
    read_as,
    shared_texts,
    split_validation,
)
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import Vocabulary
from deepmoji.transfer.words import (
    Reading,
    Words,
    extended,
    read_words,
    unknown_share,
    usual_length,
)

if TYPE_CHECKING:
    from deepmoji.training.finetune import Lesson

_SAMPLE = 24  # validation texts on which the finished model is compared with torch


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The texts as a model reads them."""

    material: "Material"
    bundle: Bundle  # the model to start from
    vocabulary: Vocabulary  # its own, perhaps extended
    max_tokens: int  # they are cut there
    batch_size: int
    train_words: Words
    validation_words: Words
    reading: Reading  # how texts become words

    @property
    def test(self) -> list[list[int]]:
        """The ids of the test texts; none without any."""
        test = () if self.material.test is None else self.material.test.texts
        return [self.vocabulary.ids(words) for words in read_words(test, self.reading)]

    @property
    def validation(self) -> list[list[int]]:
        """The ids of the validation texts."""
        return [self.vocabulary.ids(words) for words in self.validation_words]

    def as_lesson(self) -> "Lesson":
        """Return what the tuner learns from."""
        from deepmoji.training.finetune import Lesson

        return Lesson(
            kind=self.material.problem.kind,
            train=[self.vocabulary.ids(words) for words in self.train_words],
            train_targets=self.material.train_targets,
            validation=self.validation,
            validation_targets=self.material.validation_targets,
        )

    def contents(self, config: ModelConfig, thresholds: NDArray[np.float64]) -> Contents:
        """Return what the tuned bundle says of its model."""
        several = self.material.problem.kind == "multi"
        return Contents(
            config=config,
            vocabulary=self.vocabulary,
            labels=self.material.problem.classes,
            max_tokens=self.max_tokens,
            thresholds=tuple(round(float(each), 2) for each in thresholds) if several else None,
        )

    def coverage(self) -> dict[str, Any]:
        """Return how many words were added, and what is unknown with and without them."""
        return {
            "words_added": len(self.vocabulary) - len(self.bundle.vocabulary),
            "validation_unknown_share": round(
                unknown_share(self.vocabulary, self.validation_words, self.max_tokens), 4
            ),
            "validation_unknown_share_before": round(
                unknown_share(self.bundle.vocabulary, self.validation_words, self.max_tokens), 4
            ),
        }

    def sample(self) -> list[str]:
        """Return real texts to compare two forms of the model on, an empty one too."""
        return ["", *self.material.validation.texts[:_SAMPLE]]


@dataclass(frozen=True, kw_only=True)
class Material:
    """Labelled texts: to learn from, to choose on, and perhaps to measure on at the end."""

    problem: Problem
    train: Labelled
    validation: Labelled
    test: Labelled | None
    validation_held_out: bool  # it was taken from the training texts

    @property
    def train_targets(self) -> NDArray[np.float32]:
        """Which classes hold, float32 [n, C]."""
        return self.problem.targets(self.train, "training")

    @property
    def validation_targets(self) -> NDArray[np.float32]:
        """Which classes hold, float32 [n, C]."""
        return self.problem.targets(self.validation, "validation")

    @property
    def test_targets(self) -> NDArray[np.float32]:
        """Which classes hold, float32 [n, C]; no rows without test texts."""
        test = self.test or Labelled(texts=(), labels=())
        return self.problem.targets(test, "test")

    def words_for(
        self,
        bundle: Bundle,
        config: FineTuneConfig,
        *,
        extends: bool,
        reading: Reading | None = None,
    ) -> Texts:
        """Read the texts with a model's vocabulary, extended by training words if wanted."""
        reading = reading or tokenize
        train = read_words(self.train.texts, reading)
        vocabulary = bundle.vocabulary
        if extends and config.extend:
            vocabulary = extended(vocabulary, train, config.extend)
        usual = usual_length(train)
        max_tokens = config.max_tokens or max(usual, bundle.max_tokens)
        return Texts(
            material=self,
            bundle=bundle,
            vocabulary=vocabulary,
            max_tokens=max_tokens,
            batch_size=config.batch(min(usual, max_tokens)),
            train_words=train,
            validation_words=read_words(self.validation.texts, reading),
            reading=reading,
        )

    def counts(self) -> dict[str, Any]:
        """Return sizes, the texts of each class, and texts that stand in two splits."""
        counts: dict[str, Any] = {
            "kind": self.problem.kind,
            "train": len(self.train),
            "train_by_class": self._by_class(self.train_targets),
            "train_copies": len(self.train) - len({text.strip() for text in self.train.texts}),
            "validation": len(self.validation),
            "validation_by_class": self._by_class(self.validation_targets),
            "validation_held_out_of_train": self.validation_held_out,
            "validation_texts_in_train": shared_texts(self.train, self.validation),
        }
        if self.test is not None:
            counts |= {
                "test": len(self.test),
                "test_by_class": self._by_class(self.test_targets),
                "test_texts_in_train": shared_texts(self.train, self.test),
                "test_texts_in_validation": shared_texts(self.validation, self.test),
            }
        return counts

    def _by_class(self, targets: NDArray[np.float32]) -> dict[str, int]:
        totals = targets.sum(axis=0).astype(int).tolist()
        return dict(zip(self.problem.classes, totals, strict=True))


def gather(
    train: Source | Labelled,
    validation: Source | Labelled | None,
    *,
    seed: int,
    config: FineTuneConfig,
    options: Mapping[str, Any],
) -> Material:
    """Read the sources of :func:`transfer.finetune.finetune` and check them against each other.

    Raises:
        InputError: if one cannot be used, or they contradict each other.
    """
    columns = {name: options.get(name) for name in ("text_column", "label_column")}
    given = {"validation": validation, "test": options.get("test")}
    _check_columns(columns, [train, *given.values()])
    if isinstance(train, Labelled):
        splits = Splits(train=train, validation=None, test=None)
    else:
        splits = read(train, **columns)
    if not len(splits.train):
        raise InputError(
            "there are no training texts: the column 'split' names none; give a file with rows "
            "whose split is train, or without that column"
        )
    for name, part in (("validation", splits.validation), ("test", splits.test)):
        if part is not None and given[name] is not None:
            raise InputError(
                f"{name} texts are given twice: {len(part)} rows of the training file are marked "
                f"as {name} in its column 'split', and others are given besides; leave one of the "
                "two out"
            )

    def other(source: Source | Labelled | None, role: Role) -> Labelled | None:
        if source is None or isinstance(source, Labelled):
            return source
        return read_as(source, role, **columns)

    chosen = splits.validation if validation is None else other(validation, "validation")
    test = splits.test if given["test"] is None else other(given["test"], "test")
    for name, part in (("validation", chosen), ("test", test)):
        if part is not None and not len(part):
            raise InputError(f"there are no {name} texts in what was given for them")
    problem = Problem.of(
        splits.train, multi_label=options.get("multi_label"), classes=options.get("classes")
    )
    learnt = splits.train
    if chosen is None:
        learnt, chosen = split_validation(learnt, share=config.validation_share, seed=seed)
    material = Material(
        problem=problem,
        train=learnt,
        validation=chosen,
        test=test,
        validation_held_out=chosen is not splits.validation and validation is None,
    )
    # Labels that are no class are found before anything is trained.
    _ = material.validation_targets, material.test_targets
    return material


def _check_columns(columns: Mapping[str, object], sources: Sequence[object]) -> None:
    """Make sure that columns are named only where there are some."""
    named = [name for name, value in columns.items() if value is not None]
    if named and not any(isinstance(each, str | os.PathLike) for each in sources):
        raise InputError(
            f"{named[0]} names a column of a file, and no file is given; leave it out, or give the "
            "texts as a file"
        )
