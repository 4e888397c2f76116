"""The scikit-learn estimators: labels, parameters, and what people do with estimators."""

import inspect
import json
import os
import pickle
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline

import deepmoji
from deepmoji.config import FineTuneConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.transfer import estimators
from deepmoji.transfer.estimators import DeepMojiClassifier, DeepMojiVectorizer
from tests.helpers import counting
from tests.helpers.bundles import Tiny, make_bundle

TEXTS = ["i love you", "so happy today", "good morning love", "happy happy", "love it"] * 4 + [
    "i am so sad", "so tired of work", "sad and tired", "never back to work", "tired"
] * 4  # fmt: skip
MOODS = ["joy"] * 20 + ["gloom"] * 20


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (MOODS, ["gloom", "joy"]),
        (np.array(MOODS), ["gloom", "joy"]),
        (np.array(MOODS, dtype=object), ["gloom", "joy"]),
        ([mood == "joy" for mood in MOODS], [False, True]),
        ([int(mood == "joy") for mood in MOODS], [0, 1]),
        (np.array([mood == "joy" for mood in MOODS], dtype=np.uint8), [0, 1]),
        ([10.0 if mood == "joy" else 9.0 for mood in MOODS], [9.0, 10.0]),
        ([-1 if mood == "joy" else 1 for mood in MOODS], [-1, 1]),
        (["10" if mood == "joy" else "9" for mood in MOODS], ["10", "9"]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_labels_come_back_as_they_were(labels, classes):
    classifier = DeepMojiClassifier().fit(TEXTS, labels)
    assert classifier.classes_.tolist() == classes
    predicted = classifier.predict(TEXTS)
    assert predicted.dtype == classifier.classes_.dtype
    assert predicted.tolist() == np.asarray(labels).tolist()
    assert classifier.score(TEXTS, labels) == 1.0
    probabilities = classifier.predict_proba(TEXTS)
    assert (probabilities.shape, probabilities.dtype) == ((40, 2), np.float32)
    assert classifier.thresholds_ is None


@pytest.mark.usefixtures("counted")
def test_many_classes():
    labels = [f"class {n % 4}" for n in range(40)]
    texts = [f"{text} {'abcd'[n % 4]}" for n, text in enumerate(TEXTS)]
    classifier = DeepMojiClassifier().fit(texts, labels)
    assert classifier.predict_proba(texts).sum(axis=1) == pytest.approx(1)
    assert classifier.predict(texts).tolist() == labels


@pytest.mark.usefixtures("counted")
def test_classes_that_do_not_exclude_each_other():
    from scipy.sparse import csr_matrix

    table = np.array([["happy" in t, "love" in t, "tired" in t, "never" in t] for t in TEXTS])
    classifier = DeepMojiClassifier().fit(TEXTS, table)
    assert classifier.classes_.tolist() == [0, 1, 2, 3]
    assert classifier.predict_proba(TEXTS).shape == (40, 4)
    predicted = classifier.predict(TEXTS)
    assert predicted.dtype == np.int64
    assert (predicted == table).all()
    assert classifier.score(TEXTS, table) == 1.0
    assert classifier.thresholds_.shape == (4,)
    for other in (table.astype(int).tolist(), csr_matrix(table.astype(int)), table.astype(float)):
        assert (DeepMojiClassifier().fit(TEXTS, other).predict(TEXTS) == predicted).all()


@pytest.mark.usefixtures("counted")
def test_thresholds_decide_which_classes_hold():
    table = np.array([["happy" in text, "tired" in text] for text in TEXTS])
    classifier = DeepMojiClassifier().fit(TEXTS, table)
    classifier.thresholds_ = np.array([0.0, 1.0])
    assert classifier.predict(TEXTS).tolist() == [[1, 0]] * 40


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (TEXTS, None, "requires y to be passed, but the target y is None"),
        (TEXTS, ["joy"] * 40, "one class only, 'joy'"),
        (TEXTS, MOODS[1:], "inconsistent numbers of samples"),
        (TEXTS, np.linspace(0, 1, 40), "continuous"),
        (TEXTS, [*MOODS[:-1], None], "objects with NoneType"),
        (TEXTS, [*MOODS[:-1], float("nan")], "label is missing"),
        (TEXTS, np.array([*MOODS[:-1], float("nan")], dtype=object), "contains NaN"),
        (TEXTS, np.array([*MOODS[:-1], 5], dtype=object), "objects with int"),
        (TEXTS, np.array([5, *MOODS[1:]], dtype=object), "objects with int"),
        (TEXTS, [*np.arange(39.0), np.nan], "y contains NaN"),
        (TEXTS, [*MOODS[:-1], ""], "label is missing"),
        (TEXTS, [*MOODS[:-1], "nan"], "label is missing"),
        (TEXTS, [*MOODS[:-1], " joy"], "same name"),
        (TEXTS, [["joy"], ["joy", "gloom"]] * 20, "MultiLabelBinarizer"),
        (TEXTS, np.arange(80).reshape(40, 2) % 5, "several columns"),
        (TEXTS, np.ones((40, 3), int), "nothing to tell apart"),
        ("so happy", ["joy"], "single str"),
        ([*TEXTS[:-1], None], MOODS, "row 39 .*missing"),
        ([*TEXTS[:-1], 5], MOODS, "row 39 .*int 5"),
        (np.array(TEXTS).reshape(-1, 1), MOODS, "row 0 .*list"),
        (np.arange(40), MOODS, "row 0 .*int"),
        ([], [], "no texts"),
    ],
)
def test_what_cannot_be_learnt_from(texts, labels, message):
    with pytest.raises(ValueError, match=message):
        DeepMojiClassifier().fit(texts, labels)


@pytest.mark.usefixtures("counted")
def test_a_column_of_labels_is_taken_with_a_warning():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        classifier = DeepMojiClassifier().fit(TEXTS, np.array(MOODS).reshape(-1, 1))
    assert classifier.predict(["so happy"]).tolist() == ["joy"]


@pytest.mark.usefixtures("counted")
def test_texts_that_are_none_are_not_answered():
    classifier = DeepMojiClassifier().fit(TEXTS, MOODS)
    table = type("Frame", (), {"columns": ["text"], "__iter__": lambda self: iter(["text"])})()
    for wrong in ("so happy", [None], [5], table, np.array([["so happy"]])):
        with pytest.raises(InputError):
            classifier.predict(wrong)
    assert classifier.predict([]).shape == (0,)
    assert classifier.predict_proba([]).shape == (0, 2)
    assert classifier.predict(["", "\ud83d", "word " * 10_000]).shape == (3,)


# Parameters.


def test_every_setting_of_finetune_is_a_parameter():
    parameters = inspect.signature(DeepMojiClassifier).parameters
    for field in fields(FineTuneConfig):
        assert parameters[field.name].default == field.default
    assert list(parameters)[:3] == ["base", "method", "random_state"]


def test_parameters_reach_finetune(monkeypatch):
    given = {}

    def noted(train, **options):
        given.update(options)
        options.pop("base")
        return counting.finetune(train, **options)

    monkeypatch.setattr(estimators, "finetune", noted)
    classifier = DeepMojiClassifier("model", method="last", random_state=7, validation_share=0.2)
    classifier.set_params(patience=3, class_weights=True).fit(TEXTS, MOODS)
    chosen = {"base": "model", "method": "last", "seed": 7, "validation_share": 0.2, "patience": 3,
              "class_weights": True, "epochs": 1000, "multi_label": False,
              "classes": ["gloom", "joy"]}  # fmt: skip
    assert chosen.items() <= given.items()
    seeds = []
    for state in (np.int64(3), np.random.RandomState(3), np.random.RandomState(3), None):
        classifier.set_params(random_state=state).fit(TEXTS, MOODS)
        seeds.append(given["seed"])
    assert (seeds[0], seeds[1]) == (3, seeds[2])
    assert all(type(seed) is int for seed in seeds)


def test_copies_have_the_parameters_and_not_the_model():
    classifier = DeepMojiClassifier(base="somewhere", method="last", epochs=3)
    copy = clone(classifier)
    assert copy.get_params() == classifier.get_params()
    assert repr(copy) == "DeepMojiClassifier(base='somewhere', epochs=3, method='last')"
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(copy, method)(TEXTS)
    with pytest.raises(NotFittedError):
        copy.save("somewhere")


def test_what_finetune_refuses_is_refused(base):
    for wrong in ({"method": "first"}, {"epochs": 0}, {"random_state": -1}, {"device": "abacus"}):
        with pytest.raises((InputError, BundleError)):
            DeepMojiClassifier(**{"base": base, **wrong}).fit(TEXTS, MOODS)


# What people do with estimators.


@pytest.mark.usefixtures("counted")
def test_in_a_grid_search_and_cross_validation():
    search = GridSearchCV(DeepMojiClassifier(), {"method": ["last", "new"], "epochs": [1]}, cv=2)
    search.fit(TEXTS, MOODS)
    assert search.best_params_ == {"method": "last", "epochs": 1}
    assert search.predict(["so happy", "so sad"]).tolist() == ["joy", "gloom"]
    assert search.predict_proba(["so happy"]).shape == (1, 2)
    scores = cross_val_score(DeepMojiClassifier(), np.array(TEXTS), np.array(MOODS), cv=4)
    assert scores.mean() > 0.9
    scores = cross_val_score(DeepMojiClassifier(), TEXTS, MOODS, cv=3, scoring="roc_auc")
    assert scores.mean() > 0.9


def test_the_vectorizer_in_a_pipeline(base):
    moji = deepmoji.load(base)
    features = DeepMojiVectorizer(base).fit_transform(TEXTS)
    assert features.dtype == np.float32
    assert np.allclose(features, moji.encode(TEXTS), atol=1e-6)
    pipeline = make_pipeline(DeepMojiVectorizer(base), LogisticRegression())
    assert pipeline.fit(TEXTS, MOODS).score(TEXTS, MOODS) > 0.8
    search = GridSearchCV(
        pipeline, {"deepmojivectorizer__max_tokens": [1, None], "logisticregression__C": [1]}, cv=2
    )
    assert search.fit(TEXTS, MOODS).predict(TEXTS).shape == (40,)
    union = FeatureUnion([("one", DeepMojiVectorizer(base)), ("two", DeepMojiVectorizer(base, 2))])
    assert union.fit_transform(TEXTS).shape == (40, 2 * features.shape[1])


def test_the_vectorizer_needs_no_fitting(base):
    vectorizer = DeepMojiVectorizer(base=str(base))
    features = vectorizer.transform(["so tired", "", "so proud of you"])
    names = vectorizer.get_feature_names_out()
    assert features.shape == (3, len(names)) == (3, 34)
    assert names[:2].tolist() == ["deepmojivectorizer0", "deepmojivectorizer1"]
    assert vectorizer.transform([]).shape == (0, 34)
    assert np.array_equal(pickled(vectorizer).transform(["so tired"]), features[:1])
    short = DeepMojiVectorizer(base, max_tokens=1).transform(["so tired"])
    assert np.array_equal(short, DeepMojiVectorizer(base).transform(["so"]))


def test_the_vectorizer_takes_texts_only(base):
    vectorizer = DeepMojiVectorizer(base)
    for wrong in ("so tired", [None], [1.5], np.zeros((2, 3)), [["so tired"]], {"so": "tired"}):
        with pytest.raises(InputError):
            vectorizer.fit_transform(wrong)
    with pytest.raises(BundleError, match="no model folder"):
        DeepMojiVectorizer(base / "missing").fit(TEXTS)
    with pytest.raises(InputError, match="max_tokens"):
        DeepMojiVectorizer(base, max_tokens=0).transform(TEXTS)


def test_a_model_that_was_written_anew_is_read_anew(base, tmp_path):
    folder = make_bundle(tmp_path / "model").folder
    first = DeepMojiVectorizer(folder).transform(["so tired"])
    make_bundle(folder, Tiny(seed=1))
    for part in folder.iterdir():
        os.utime(part, ns=(1, 1))  # so that it is newer, or older, for sure
    assert not np.array_equal(DeepMojiVectorizer(folder).transform(["so tired"]), first)


def pickled(estimator):
    return pickle.loads(pickle.dumps(estimator))  # noqa: S301 - its own


READ = """
import pickle, sys, json
classifier = pickle.load(open(sys.argv[1], "rb"))
again = pickle.loads(pickle.dumps(classifier))
texts = ["so happy", "so tired of work", ""]
assert (classifier.predict_proba(texts) == again.predict_proba(texts)).all()
again.save(sys.argv[2])
print(json.dumps([classifier.predict_proba(texts).tolist(), again.predict(texts).tolist()]))
"""


def in_another_process(classifier, folder):
    """What the classifier answers there, after its files here are gone; it saves a bundle there."""
    (folder / "model.pickle").write_bytes(pickle.dumps(classifier))
    run = subprocess.run(
        [sys.executable, "-c", READ, folder / "model.pickle", folder / "bundle"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.usefixtures("counted")
def test_a_pickle_holds_the_model(tmp_path):
    classifier = DeepMojiClassifier().fit(TEXTS, MOODS)
    texts = ["so happy", "so tired of work", ""]
    expected = [classifier.predict_proba(texts).tolist(), classifier.predict(texts).tolist()]
    assert json.loads(in_another_process(classifier, tmp_path)) == expected
    saved = deepmoji.load(tmp_path / "bundle")
    assert saved.labels == ("gloom", "joy")
    assert saved.scores(texts).tolist() == expected[0]
    with pytest.raises(BundleError, match="no model bundle"):
        pickled(classifier).save(tmp_path)


WITHOUT_SKLEARN = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "sklearn":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from deepmoji.errors import MissingDependency
from deepmoji.evaluation.measures import measure
import numpy as np
for use in (
    lambda: __import__("deepmoji.transfer.estimators"),
    lambda: measure("accuracy", np.eye(2), np.eye(2), "binary"),
):
    try:
        use()
    except MissingDependency as error:
        print(error)
"""


def test_without_sklearn_it_is_said_what_is_missing():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_SKLEARN], capture_output=True, text=True, check=True
    )
    assert run.stdout.count("pip install 'deepmoji[train]'") == 2
