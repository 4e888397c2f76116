"""Fine-tuning and encodings as scikit-learn estimators."""

import os
from dataclasses import KW_ONLY, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deepmoji.bundle import SHIPPED, model_folder
from deepmoji.config import MAX_SEED, FineTuneConfig, Method
from deepmoji.errors import InputError, MissingDependency
from deepmoji.evaluation.columns import column_values, indicated
from deepmoji.evaluation.labelled import Labelled, label_name, labelled
from deepmoji.inference.predictor import Predictor, load
from deepmoji.transfer.finetune import finetune
from deepmoji.transfer.options import UNUSED
from deepmoji.transfer.portable import PortableModel

try:
    from sklearn.base import (
        BaseEstimator,
        ClassifierMixin,
        ClassNamePrefixFeaturesOutMixin,
        TransformerMixin,
    )
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import (
        assert_all_finite,
        check_consistent_length,
        check_is_fitted,
    )
except ModuleNotFoundError as error:
    raise MissingDependency(
        "deepmoji's estimators need the library 'sklearn', which is not installed; "
        "run: pip install 'deepmoji[train]'"
    ) from error

_SETTINGS = tuple(field.name for field in fields(FineTuneConfig))


# Written as a dataclass, whose constructor does what scikit-learn asks: store what it is given.
@dataclass(eq=False, repr=False)
class DeepMojiClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of texts that tunes a pretrained model, see ``transfer.finetune.finetune``.

    >>> classifier = DeepMojiClassifier(method="last")
    >>> classifier.fit(texts, labels).predict(["I could cry"])  # doctest: +SKIP
    array(['sadness'], dtype='<U7')

    ``X`` is a column of n texts. ``y`` is a column of n labels, or an array [n, C] of 0 and 1 for
    classes that do not exclude each other. A tenth of the texts is held out to choose on. Settings
    that the method has no use for are passed over, so that a grid may hold several methods.

    Attributes:
        classes_: the classes in order, as in ``y``; column numbers for an array [n, C].
        thresholds_: float64 [C]; from them on a class that does not exclude others is predicted;
            chosen on the texts held out. None for classes that exclude each other.
        report_: how the model was made, and measures on the texts held out.
        model_: the model, which pickles with all its files.
    """

    base: str | os.PathLike[str] | None = None  # a bundle, or a shipped model's name
    _: KW_ONLY
    method: Method = "chain-thaw"
    random_state: Any = 0  # an int makes the same model again and again
    device: str = "auto"
    precision: str = "auto"
    validation_share: float = FineTuneConfig.validation_share  # this and the following: see there
    epochs: int = FineTuneConfig.epochs
    epoch_size: int = FineTuneConfig.epoch_size
    batch_size: int = FineTuneConfig.batch_size
    patience: int = FineTuneConfig.patience
    new_learning_rate: float = FineTuneConfig.new_learning_rate
    learning_rate: float = FineTuneConfig.learning_rate
    clip_norm: float = FineTuneConfig.clip_norm
    embedding_l2: float = FineTuneConfig.embedding_l2
    embedding_dropout: float = FineTuneConfig.embedding_dropout
    final_dropout: float = FineTuneConfig.final_dropout
    extend: int = FineTuneConfig.extend
    max_tokens: int = FineTuneConfig.max_tokens
    class_weights: bool = FineTuneConfig.class_weights

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803 - scikit-learn's name
        """Tune the model on texts and their labels.

        Raises:
            InputError: if texts or labels cannot be used; it is a ``ValueError``.
            MissingDependency: without the ``train`` extra.
        """
        classes, train, several = _training(X, y)
        unused = UNUSED.get(self.method, {})
        tuned = finetune(
            train,
            base=self.base,
            method=self.method,
            seed=_seed(self.random_state),
            multi_label=several,
            classes=[label_name(each) for each in classes.tolist()],
            device=self.device,
            precision=self.precision,
            **{name: getattr(self, name) for name in _SETTINGS if name not in unused},
        )
        self.classes_: NDArray[Any] = classes
        self.report_: dict[str, Any] = tuned.report
        self.thresholds_ = np.asarray(tuned.report["thresholds"]) if several else None
        self.model_ = PortableModel(tuned)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Return the probabilities of the classes, float32 [n, C]."""
        check_is_fitted(self)
        return self.model_.scores(column_values(X, "texts"))

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return the most probable class of each text [n], or which ones hold, int64 [n, C]."""
        probabilities = self.predict_proba(X)
        if self.thresholds_ is None:
            return self.classes_[probabilities.argmax(axis=1)]
        return (probabilities >= self.thresholds_).astype(np.int64)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the model as a bundle, for ``deepmoji.load`` and ``deepmoji predict --model``.

        Raises:
            BundleError: if the folder holds something that is no bundle.
        """
        check_is_fitted(self)
        return self.model_.save(folder)

    def __sklearn_tags__(self) -> Any:
        tags = _text_tags(super().__sklearn_tags__())
        tags.classifier_tags.multi_label = True
        return tags


@dataclass(eq=False, repr=False)
class DeepMojiVectorizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Encodings of texts as features, see ``Predictor.encode``.

    >>> DeepMojiVectorizer().transform(["so tired", "so proud of you"]).shape  # doctest: +SKIP
    (2, 2304)

    Nothing is learnt: there is no need to fit it. A pickle names the model's folder, and does not
    hold the model.
    """

    base: str | os.PathLike[str] | None = None  # a bundle, or a shipped model's name
    max_tokens: int | None = None  # longer texts are cut there, instead of where the bundle says

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Check that ``X`` is a column of texts, and that there is a model to read them."""
        self._model()
        column_values(X, "texts")
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: N803
        """Return the encodings, float32 [n, features]; the default model has 2304 features."""
        return self._model().encode(column_values(X, "texts"))

    @property
    def _n_features_out(self) -> int:
        return self._model().bundle.config.features

    def _model(self) -> Predictor:
        folder = SHIPPED if self.base is None else model_folder(self.base)
        parts = sorted(folder.iterdir()) if folder.is_dir() else []
        return _loaded(folder, self.max_tokens, tuple(path.stat().st_mtime_ns for path in parts))

    def __sklearn_tags__(self) -> Any:
        tags = _text_tags(super().__sklearn_tags__())
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = []
        return tags


@lru_cache(maxsize=2)
def _loaded(folder: Path, max_tokens: int | None, written: tuple[int, ...]) -> Predictor:
    """Load a model once for many calls; anew if its files have been written since."""
    return load(folder, max_tokens=max_tokens)


def _training(texts: Any, y: Any) -> tuple[NDArray[Any], Labelled, bool]:
    """Return the classes, texts with their names, and whether several may hold for a text."""
    if y is None:
        raise InputError(
            "DeepMojiClassifier requires y to be passed, but the target y is None; give a label "
            "for each text"
        )
    rows = column_values(texts, "texts")
    if not rows:
        raise InputError("there are no texts; give some with their labels")
    check_consistent_length(rows, y)
    targets = _array(y)
    check_classification_targets(targets)
    kind = type_of_target(targets)
    if kind == "multiclass-multioutput":
        raise InputError(
            "y has several columns that hold more than 0 and 1; give an array [n, C] with a column "
            "for each class"
        )
    several = kind == "multilabel-indicator"
    if several:
        classes = np.arange(targets.shape[1])
        labels = [tuple(map(str, places)) for places in indicated(targets) or []]
    else:
        classes, names, codes = _encoded(column_or_1d(targets, warn=True))
        labels = [(names[code],) for code in codes]
    return classes, labelled(rows, labels, "row {} (counted from 0)".format), several


def _array(y: Any) -> NDArray[Any]:
    """Return labels as an array without missing values."""
    try:
        targets = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    except ValueError as error:  # rows of several lengths
        raise InputError(
            f"y cannot be read as labels ({error}); for several labels a text give an array [n, C] "
            "of 0 and 1, as scikit-learn's MultiLabelBinarizer makes it"
        ) from error
    try:
        assert_all_finite(targets, input_name="y")
    except TypeError as error:  # pandas.NA is neither equal to itself nor different
        raise InputError(
            f"y has a missing value ({error}); a text without a label has to be left out"
        ) from error
    if targets.dtype == object:
        types = sorted({type(each).__name__ for each in targets.flat if not isinstance(each, str)})
        if types:
            raise InputError(
                f"Unknown label type: y is an array of objects with {', '.join(types)} in it; give "
                "labels of one type: all str, or an array of numbers; a text without a label has "
                "to be left out"
            )
    return targets


def _encoded(labels: NDArray[Any]) -> tuple[NDArray[Any], list[str], NDArray[np.intp]]:
    """Return the classes in order, their names, and the class of each text by its place."""
    classes, codes = np.unique(labels, return_inverse=True)
    names = [label_name(each) for each in classes.tolist()]
    if len(set(names)) < len(names):
        raise InputError(f"two classes have the same name among {names}; rename one")
    if len(names) < 2:
        raise InputError(f"y holds one class only, {names[0]!r}; at least two are needed")
    return classes, names, codes


def _seed(random_state: Any) -> int:
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(MAX_SEED))


def _text_tags(tags: Any) -> Any:
    tags.input_tags.string = tags.input_tags.one_d_array = True
    tags.input_tags.two_d_array = False
    return tags
