"""scikit-learn's own checks of estimators, as far as texts allow.

Those that give no X run on the estimators as they are. All others give numbers, which an estimator
of texts refuses: they run on a face that reads numbers as words, so that they check labels, state,
copies, pickles, parameters and determinism all the same.
"""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from deepmoji.transfer.estimators import DeepMojiClassifier, DeepMojiVectorizer
from tests.helpers.bundles import WORDS

WITHOUT_X = (
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
)
# What scikit-learn itself leaves out of the rest here: pandas is not installed, array API dispatch
# is not switched on, and there is no decision function.
SKIPPED = {
    "check_array_api_input",
    "check_classifier_data_not_an_array",
    "check_classifiers_multilabel_output_format_decision_function",
}


def in_letters(numbers):
    """A word for each number, of the letters of its column and its value."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [
        " ".join(f"x{letters[column % 26]}{letters[place]}" for column, place in enumerate(row))
        for row in binned(numbers)
    ]


def in_known_words(numbers):
    """A word of the tiny model's vocabulary for each number."""
    return [" ".join(WORDS[place] for place in row) for row in binned(numbers)]


def binned(numbers):
    return np.clip(np.round(np.asarray(numbers, float) * 2) + 13, 0, 25).astype(int)


def for_numbers(tags):
    tags.input_tags.two_d_array = True
    tags.input_tags.one_d_array = tags.input_tags.string = False
    return tags


class ClassifierOfNumbers(DeepMojiClassifier):
    """A classifier for scikit-learn's checks."""

    def fit(self, X, y):  # noqa: N803
        return super().fit(in_letters(validate_data(self, X)), y)

    def predict_proba(self, X):  # noqa: N803
        check_is_fitted(self)
        return super().predict_proba(in_letters(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        return for_numbers(super().__sklearn_tags__())


class VectorizerOfNumbers(DeepMojiVectorizer):
    """A transformer for scikit-learn's checks."""

    def fit(self, X, y=None):  # noqa: N803
        return super().fit(in_known_words(validate_data(self, X)), y)

    def transform(self, X):  # noqa: N803
        return super().transform(in_known_words(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        return for_numbers(super().__sklearn_tags__())


def skipped(estimator):
    """Run every check: none may fail; return the names of those that scikit-learn leaves out."""
    results = estimator_checks.check_estimator(estimator, on_fail=None, on_skip=None)
    assert {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"} == {}
    assert len(results) > 40
    return {r["check_name"] for r in results if r["status"] == "skipped"}


@pytest.mark.parametrize("check", WITHOUT_X)
@pytest.mark.parametrize("estimator", [DeepMojiClassifier(), DeepMojiVectorizer()])
def test_checks_of_sklearn_without_x(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@pytest.mark.usefixtures("counted")
@pytest.mark.filterwarnings("ignore::UserWarning")  # scikit-learn's about its own parameters
def test_checks_of_sklearn_on_the_classifier():
    assert skipped(ClassifierOfNumbers()) <= SKIPPED


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_checks_of_sklearn_on_the_vectorizer(base):
    assert skipped(VectorizerOfNumbers(base=str(base))) <= SKIPPED
