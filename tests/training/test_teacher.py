"""A run with a teacher learns the teacher's answers, whatever its size and order of labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import deepmoji
from deepmoji.bundle import Bundle, Contents
from deepmoji.config import ModelConfig
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.errors import BundleError, DeepmojiError, InputError
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.training import teacher as teachers
from deepmoji.training.export import export, save_network
from deepmoji.training.loop import log_probabilities
from deepmoji.training.network import Network
from deepmoji.training.pretrain import pretrain, train
from deepmoji.training.run import digest
from deepmoji.training.teacher import (
    Answers,
    Distillation,
    Teacher,
    teacher_network,
    teacher_prior,
    write_answers,
)
from deepmoji.training.weights import adopt
from tests.helpers.corpora import EMOJIS, make_corpus, make_posts
from tests.helpers.tinyruns import (
    ONE,
    TINY,
    assert_continues_exactly,
    assert_same_weights,
    assert_two_processes_are_one,
    nothing,
    settings,
    tiny_run,
)

LARGER = ModelConfig(units=20, embedding_size=12)


@pytest.fixture(scope="module")
def teacher(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("teachers") / "teacher"
    return pretrain(corpus, out, model=LARGER, config=settings(epochs=6), hardware=ONE)


@pytest.fixture(scope="module")
def shuffled(teacher, tmp_path_factory):
    """The same model with its words and labels in another order."""
    bundle = Bundle.open(teacher)
    words = [*SPECIAL_TOKENS, *reversed(bundle.vocabulary.words[len(SPECIAL_TOKENS) :])]
    out = tmp_path_factory.mktemp("teachers") / "shuffled"
    return save_with(bundle, out, words=words, labels=bundle.labels[::-1])


def save_with(bundle, out, *, words, labels):
    """The same model with these of its words and labels."""
    config = replace(bundle.config, classes=len(labels))
    network = Network(config)
    adopt(network, bundle, words=words, labels=labels)
    contents = Contents(config=config, max_tokens=64, vocabulary=Vocabulary(words), labels=labels)
    shares = dict(zip(bundle.labels, bundle.training["prior"], strict=True))
    prior = {"prior": [shares[label] for label in labels]}
    save_network(network, out, contents=contents, training=prior, texts=["so funny"])
    return out


def distillation(tmp_path, scores, *, prior=None, seen=(0.5, 0.5), **changes):
    np.save(tmp_path / "answers.npy", np.array(scores, dtype=np.float16))
    answers = Answers(path=tmp_path / "answers.npy", prior=prior)
    return Distillation([answers], seen=np.array(seen), config=settings(**changes))


def test_the_loss_is_of_labels_and_teacher(tmp_path):
    scores = np.log([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    distil = distillation(tmp_path, scores, teacher_weight=0.3, temperature=2.0)
    logits = torch.tensor([[1.0, -1.0], [0.3, 0.0]])
    loss = distil(torch.tensor(5.0), logits, np.array([1, 2]))
    teacher = np.sqrt([[0.9, 0.1], [0.2, 0.8]])
    teacher /= teacher.sum(axis=1, keepdims=True)
    student = torch.log_softmax(logits / 2, dim=1).numpy()
    divergence = (teacher * (np.log(teacher) - student)).sum()
    # The answers are kept in 16 bits.
    assert loss.item() == pytest.approx(0.7 * 5 + 0.3 * 4 * divergence, abs=2e-3)


def test_a_student_that_says_the_same_has_no_loss(tmp_path):
    distil = distillation(tmp_path, np.log([[0.9, 0.1]]), teacher_weight=1.0)
    logits = torch.log(torch.tensor([[0.9, 0.1]])) + 7
    assert distil(torch.tensor(5.0), logits, np.array([0])).item() == pytest.approx(0, abs=1e-5)


def test_a_teacher_of_other_frequencies_is_corrected(tmp_path):
    """What it says is multiplied by the ratio of the frequencies, and sums to one again."""
    prior = np.array([0.8, 0.2])
    distil = distillation(tmp_path, np.log([[0.8, 0.2]]), prior=prior, teacher_weight=1.0)
    even = distil(torch.tensor(0.0), torch.zeros(1, 2), np.array([0]))
    assert even.item() == pytest.approx(0, abs=1e-5)


def test_of_several_teachers_the_mean_counts(tmp_path):
    """Of their probabilities at the temperature, each corrected by what it saw."""
    said = {"one": ([0.9, 0.1], None), "other": ([0.4, 0.6], np.array([0.25, 0.75]))}
    answers: list[Answers] = []
    for name, (probabilities, prior) in said.items():
        np.save(tmp_path / f"{name}.npy", np.log([probabilities]).astype(np.float16))
        answers.append(Answers(path=tmp_path / f"{name}.npy", prior=prior))
    config = settings(teacher_weight=1.0, temperature=2.0)
    distil = Distillation(answers, seen=np.array([0.5, 0.5]), config=config)
    roots = np.sqrt([[0.9, 0.1], [0.4 * 2, 0.6 * 2 / 3]])
    mean = (roots / roots.sum(axis=1, keepdims=True)).mean(axis=0)
    # A student that says this mean at that temperature has no loss.
    logits = torch.from_numpy(2 * np.log(mean)[None])
    assert distil(torch.tensor(5.0), logits, np.array([0])).item() == pytest.approx(0, abs=1e-5)
    assert distil(torch.tensor(5.0), logits.flip(1), np.array([0])).item() > 0.1


def test_a_class_that_the_teacher_never_saw_is_left_as_it_is(tmp_path):
    prior = np.array([1.0, 0.0])
    distil = distillation(tmp_path, np.log([[0.99, 0.01]]), prior=prior, teacher_weight=1.0)
    assert torch.isfinite(distil(torch.tensor(0.0), torch.zeros(1, 2), np.array([0])))


def test_the_student_learns_from_the_teacher_alone(corpus, teacher, tmp_path):
    """Of another size, and with labels that count for nothing."""
    config = settings(epochs=6, teacher_weight=1.0)
    out = pretrain(
        corpus, tmp_path / "student", model=TINY, config=config, hardware=ONE, teacher=teacher
    )
    posts = make_posts(200, seed=99)
    texts, truth = [post[:-2] for post in posts], [EMOJIS.index(post[-1]) for post in posts]
    accuracy = (deepmoji.load(out).scores(texts).argmax(axis=1) == truth).mean()
    assert accuracy > 0.9  # chance is 0.25
    record = Bundle.open(out).training
    (learnt_from,) = record["teachers"]
    assert len(learnt_from["weights_sha256"]) == 64
    assert learnt_from["settings"]["epochs"] == 6
    assert record["settings"]["teacher_weight"] == 1.0


def test_the_answers_are_the_models(corpus, teacher, tmp_path):
    """Of every row, in the corpus's order, also where the teacher's own is another."""
    seen = []
    run = tiny_run(corpus, tmp_path, files={"teacher": teacher}, epochs=0.1)
    train(run, ONE, seen.append)
    bundle, folder = Bundle.open(teacher), CorpusFolder.open(corpus)
    network = Network(bundle.config)
    adopt(network, bundle, words=bundle.vocabulary.words, labels=bundle.labels)
    rows = folder.read_train()
    device = torch.device("cpu")
    scores = log_probabilities(network, rows, classes=4, max_tokens=20, device=device)
    # 16 bits have eleven for the digits: half a thousandth of the number.
    (answers,) = run.answers()
    np.testing.assert_allclose(np.load(answers.path), scores, atol=5e-3, rtol=1e-3)
    (asked,) = [progress for progress in seen if progress.stage]
    assert asked.stage == "teacher"
    assert asked.step == asked.steps <= len(rows)
    assert asked.loss == pytest.approx(
        -scores[np.arange(len(rows)), rows.labels].mean(), rel=0.2, abs=1e-4
    )


def test_graph_and_network_answer_alike(corpus, teacher, shuffled, tmp_path, monkeypatch):
    """Also with words and labels in another order, and of fewer labels than the teacher knows."""
    monkeypatch.setattr("deepmoji.training.teacher._WINDOW", 64)  # several of them
    folder = CorpusFolder.open(corpus)
    rows, words = folder.read_train(), folder.vocabulary.words
    labels = folder.labels[::2]
    device, found = torch.device("cpu"), []
    for bundle in map(Bundle.open, (teacher, shuffled)):
        asked = Teacher(bundle=bundle, words=words, labels=labels)
        scores = all_answers(asked, rows)
        network = teacher_network(bundle, words=words, labels=labels)
        expected = log_probabilities(
            network, rows, classes=len(labels), max_tokens=3, device=device
        )
        np.testing.assert_allclose(scores, expected, atol=1e-4)
        found.append(scores)
    np.testing.assert_allclose(*found, atol=1e-4)
    # As on a GPU, but for the device.
    monkeypatch.setattr(
        Teacher,
        "answer",
        lambda self, pairs, max_tokens, hardware: teachers._from_network(
            teacher_network(self.bundle, words=words, labels=labels), pairs, max_tokens, hardware
        ),
    )
    np.testing.assert_allclose(all_answers(asked, rows), found[1], atol=1e-4)


def test_an_int8_teacher_answers_nearly_alike(corpus, teacher, tmp_path):
    folder = CorpusFolder.open(corpus)
    names, rows = {"words": folder.vocabulary.words, "labels": folder.labels}, folder.read_train()
    small = export(teacher, tmp_path / "int8")
    assert small.weights is None
    full, coarse = (
        np.exp(all_answers(Teacher(bundle=bundle, **names), rows))
        for bundle in (Bundle.open(teacher), small)
    )
    np.testing.assert_allclose(coarse, full, atol=0.05)
    assert (coarse.argmax(axis=1) == full.argmax(axis=1)).mean() > 0.99


def all_answers(teacher, rows):
    scores = np.full((len(rows), len(teacher.labels)), np.nan, np.float32)
    for places, some in teacher.answer(rows, max_tokens=3, hardware=ONE):
        scores[places] = some
    return scores


def test_two_teachers_are_asked_and_named(corpus, teacher, shuffled, tmp_path):
    config = settings(epochs=0.1)
    two = [teacher, str(shuffled)]
    out = pretrain(corpus, tmp_path / "m", model=TINY, config=config, hardware=ONE, teacher=two)
    assert len(list((tmp_path / "m.training").glob("teacher-*.npy"))) == 2
    named = [each["weights_sha256"] for each in Bundle.open(out).training["teachers"]]
    assert named == [digest(teacher), digest(shuffled)]
    assert f"model {named[0][:8]}, model {named[1][:8]}" in (out / "README.md").read_text("utf-8")
    with pytest.raises(InputError, match="another teacher;"):
        train(tiny_run(corpus, tmp_path / "m.training", files={"teacher": teacher}), ONE, nothing)
    with pytest.raises(InputError, match="learns from"):
        pretrain(corpus, teacher, model=TINY, config=config, hardware=ONE, teacher=two)


def test_words_and_labels_are_found_by_name(corpus, teacher, shuffled):
    folder = CorpusFolder.open(corpus)
    names = {"words": folder.vocabulary.words, "labels": folder.labels}
    one, other = (teacher_network(Bundle.open(each), **names) for each in (teacher, shuffled))
    assert_same_weights(one.state_dict(), other.state_dict())
    priors = [teacher_prior(Bundle.open(each), folder.labels) for each in (teacher, shuffled)]
    np.testing.assert_array_equal(*priors)


def test_a_killed_run_continues_exactly_and_asks_once(corpus, teacher, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "deepmoji.training.pretrain.write_answers",
        lambda *args, **names: asked.append(args) or write_answers(*args, **names),
    )
    given = {"teacher": teacher}
    assert_continues_exactly(lambda name: tiny_run(corpus, tmp_path / name, files=given))
    assert len(asked) == 2  # the run that was killed, and the one that was not


def test_two_processes_learn_what_one_does(corpus, teacher, tmp_path):
    plain = {"embedding_dropout": 0.0, "final_dropout": 0.0, "epochs": 1, "balance": 0.5}
    given = {"teacher": teacher}
    assert_two_processes_are_one(
        lambda name: tiny_run(corpus, tmp_path / name, files=given, **plain)
    )


def test_another_teacher_is_another_run(corpus, teacher, shuffled, tmp_path):
    train(tiny_run(corpus, tmp_path, files={"teacher": teacher}, epochs=0.1), ONE, nothing)
    for files, changes, message in (
        ({"teacher": shuffled}, {}, "another teacher;"),
        ({}, {}, "another teacher;"),
        (
            {"teacher": teacher},
            {"temperature": 3.0},
            r"another temperature \(not given there, 3.0 now\);",
        ),
        (
            {"teacher": teacher},
            {"teacher_weight": 0.4},
            r"another teacher_weight \(not given there, 0.4 now\);",
        ),
    ):
        with pytest.raises(InputError, match=message):
            train(tiny_run(corpus, tmp_path, files=files, epochs=0.1, **changes), ONE, nothing)


def test_a_teacher_of_other_words_or_labels_is_refused(corpus, teacher, tmp_path):
    bundle, folder = Bundle.open(teacher), CorpusFolder.open(corpus)
    words = folder.vocabulary.words
    with pytest.raises(InputError, match="does not know 🦩"):
        teacher_network(bundle, words=words, labels=[*folder.labels, "🦩"])
    other = make_corpus(tmp_path / "other", count=300)
    with pytest.raises(InputError, match="another vocabulary"):
        pretrain(
            other, tmp_path / "m", model=TINY, config=settings(), hardware=ONE, teacher=teacher
        )


def test_all_teachers_are_looked_at_before_one_is_asked(corpus, teacher, tmp_path):
    bundle = Bundle.open(teacher)
    unknowing = save_with(
        bundle, tmp_path / "unknowing", words=bundle.vocabulary.words, labels=bundle.labels[:3]
    )
    two = [teacher, unknowing]
    with pytest.raises(InputError, match=f"unknowing does not know {bundle.labels[3]}"):
        pretrain(corpus, tmp_path / "m", model=TINY, config=settings(), hardware=ONE, teacher=two)
    assert not list(tmp_path.rglob("teacher-*.npy"))


def test_mistakes_are_told_before_training(corpus, teacher, tmp_path):
    common = {"model": TINY, "config": settings(), "hardware": ONE}
    with pytest.raises(InputError, match="learns from"):
        pretrain(corpus, teacher, teacher=teacher, **common)
    with pytest.raises(BundleError, match="nothing"):
        pretrain(corpus, tmp_path / "m", teacher=tmp_path / "nothing", **common)
    with pytest.raises(TypeError, match="techer"):
        pretrain(corpus, tmp_path / "m", techer=teacher, **common)
    for changes in ({"teacher_weight": 0.2}, {"temperature": 1.0}):
        with pytest.raises(InputError, match="means nothing without a teacher"):
            pretrain(corpus, tmp_path / "m", **(common | {"config": settings(**changes)}))


@pytest.mark.parametrize(
    "changes",
    [{"teacher_weight": 1.1}, {"teacher_weight": -0.1}, {"temperature": 0}, {"temperature": "2"}],
)
def test_impossible_settings_are_refused(changes):
    with pytest.raises(InputError, match="|".join(changes)):
        settings(**changes)


def test_a_disk_without_room_is_told(corpus, teacher, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    with pytest.raises(DeepmojiError, match="make room"):
        train(tiny_run(corpus, tmp_path, files={"teacher": teacher}), ONE, nothing)
    assert list(tmp_path.iterdir()) == []
