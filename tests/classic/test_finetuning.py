"""`define_deepmoji` and `finetune_chainthaw` call the real thing, on texts and on ids."""

import logging

import numpy as np
import pytest
import torch

import deepmoji
from deepmoji import SentenceTokenizer, define_deepmoji, finetune_chainthaw
from deepmoji.errors import InputError
from deepmoji.training.weights import read_weights
from tests.helpers.tunable import CUES, FAST, make_texts

torch.set_num_threads(1)  # this model is so small that threads would only wait for each other
QUICK = {"nb_epochs": 4, "epoch_size": 64, "patience": 2, "initial_lr": 0.02, "next_lr": 0.01,
         "device": "cpu", "precision": "32-true"}  # fmt: skip
ORDER = sorted(CUES)


def three(count=60):
    """Return texts and labels for training, validation and test."""
    texts, names = make_texts(count)
    cuts = [slice(0, count - 24), slice(count - 24, count - 12), slice(count - 12, count)]
    return [texts[cut] for cut in cuts], [names[cut] for cut in cuts]


@pytest.fixture
def model(bundle):
    return define_deepmoji(3, weight_path=bundle.folder)


def test_it_is_finetune_under_its_old_name(model, bundle):
    texts, labels = three()
    tuned, score = finetune_chainthaw(model, texts, labels, 3, 16, **QUICK)
    pairs = list(zip(texts, labels, strict=True))
    same = deepmoji.finetune(pairs[0], pairs[1], test=pairs[2], base=bundle.folder, **FAST)
    one, two = (read_weights(each.predictor.bundle) for each in (tuned, same))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert score == same.report["measures"]["test"]["accuracy"]
    assert tuned.predictor.labels == tuple(ORDER)
    assert tuned.report["method"] == "chain-thaw"
    assert tuned.report["data"]["words_added"] > 0


def test_ids_give_what_their_texts_give(bundle):
    texts, names = make_texts(60)
    tokenizer = SentenceTokenizer(bundle.vocabulary, 20)
    rows = [list(range(36)), list(range(36, 48)), list(range(48, 60))]
    ids, labels, added = tokenizer.split_train_val_test(texts, names, rows, extend_with=1000)
    assert added > 0
    model = define_deepmoji(
        3, 20, bundle.folder, vocabulary=tokenizer, extend_embedding=added
    )  # fmt: skip
    tuned, score = finetune_chainthaw(model, ids, labels, 3, 16, **QUICK)
    strings = define_deepmoji(3, 20, bundle.folder, extend_embedding=added)
    parts = [[texts[row] for row in part] for part in rows]
    same, other = finetune_chainthaw(strings, parts, labels, 3, 16, **QUICK)
    assert score == other
    assert tuned.predictor.bundle.vocabulary.words == same.predictor.bundle.vocabulary.words
    one, two = (read_weights(each.predictor.bundle) for each in (tuned, same))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    assert set(tokenizer.vocabulary) == set(tuned.predictor.bundle.vocabulary.words)
    assert tuned.report["data"]["validation_unknown_share"] == pytest.approx(
        same.report["data"]["validation_unknown_share"]
    )


def test_unknown_words_of_ids_stay_unknown_and_special_ones_what_they_are(bundle):
    texts, labels = three()
    texts = [[f"{text} @bob xyzzy" for text in part] for part in texts]
    tokenizer = SentenceTokenizer(bundle.vocabulary, 20)
    ids = [tokenizer.tokenize_sentences(part)[0] for part in texts]
    model = define_deepmoji(3, weight_path=bundle.folder, vocabulary=tokenizer.vocabulary)
    tuned, _ = finetune_chainthaw(model, ids, labels, batch_size=16, **QUICK)
    assert tuned.report["data"]["words_added"] == 0
    assert tuned.predictor.bundle.vocabulary.words == bundle.vocabulary.words
    words = sum(np.count_nonzero(row) for row in ids[1])
    assert tuned.report["data"]["validation_unknown_share"] == pytest.approx(
        np.count_nonzero(ids[1] == 1) / words, abs=1e-4
    )


@pytest.mark.parametrize(
    "form",
    [
        lambda names: [ORDER.index(name) for name in names],
        lambda names: np.array([ORDER.index(name) for name in names]),
        lambda names: np.eye(3)[[ORDER.index(name) for name in names]],
    ],
)
def test_labels_come_as_numbers_or_as_a_table(form, model):
    texts, labels = three()
    tuned, score = finetune_chainthaw(
        model, texts, [form(part) for part in labels], batch_size=16, **QUICK
    )
    assert tuned.predictor.labels == ("0", "1", "2")
    assert 0 <= score <= 1


def test_several_labels_and_another_metric(model):
    texts, labels = three()
    several = [
        np.array([[name != "joy", name == "fear", name == "joy"] for name in part]) * 1
        for part in labels
    ]
    tuned, score = finetune_chainthaw(
        model, texts, several, batch_size=16, metric="class_average_f1", seed=3, **QUICK
    )
    assert tuned.report["seed"] == 3
    assert tuned.report["measures"]["test"]["class_average_f1"] == score
    assert len(tuned.report["thresholds"]) == 3


def test_progress_goes_to_the_logger_if_wanted(model, caplog, capsys):
    texts, labels = three(36)
    with caplog.at_level(logging.INFO, logger="deepmoji"):
        finetune_chainthaw(model, texts, labels, batch_size=16, verbose=0, **QUICK)
        assert caplog.messages == []
        finetune_chainthaw(model, texts, labels, batch_size=16, verbose=1, **QUICK)
    assert any(message.startswith("stage 6/6 all layers: epoch ") for message in caplog.messages)
    assert capsys.readouterr().out == ""


def test_old_names_mean_what_they_meant(bundle):
    model = define_deepmoji(
        1, 30, bundle.folder, extend_embedding=7, embed_dropout_rate=0.1, final_dropout_rate=0.2,
        embed_l2=0.0,
    )  # fmt: skip
    assert model.nb_classes == 2
    assert model.settings == {
        "max_tokens": 30, "extend": 7, "embedding_dropout": 0.1, "final_dropout": 0.2,
        "embedding_l2": 0.0,
    }  # fmt: skip
    texts, labels = three(48)
    marks = [[int(name == "joy") for name in part] for part in labels]
    tuned, _ = finetune_chainthaw(model, texts, marks, 2, 16, embed_l2=1e-5, **QUICK)
    settings = tuned.report["settings"]
    assert settings["embedding_l2"] == 1e-5  # the later word counts
    assert (settings["epochs"], settings["epoch_size"], settings["patience"]) == (4, 64, 2)
    assert (settings["new_learning_rate"], settings["learning_rate"]) == (0.02, 0.01)
    assert (settings["batch_size"], settings["max_tokens"]) == (16, 30)
    assert tuned.report["data"]["words_added"] == 7


def test_before_tuning_it_encodes_and_says_that_it_has_no_classes_yet(model, bundle):
    expected = deepmoji.load(bundle.folder).encode(["so happy", ""])
    assert np.array_equal(model.encode(["so happy", ""]), expected)
    with pytest.raises(InputError, match="has not learnt its 3 classes yet"):
        model.predict(["so happy"])


TEXTS, LABELS = three(48)
IDS = [np.ones((len(part), 5), np.uint16) for part in TEXTS]


@pytest.mark.parametrize(
    ("texts", "labels", "options", "message"),
    [
        (TEXTS[:2], LABELS, {}, "three each"),
        (None, LABELS, {}, "three each, .*; the texts are None"),
        (TEXTS, None, {}, "three each, .*; the labels are None"),
        (TEXTS, 5, {}, "three each, .*; the labels are 5"),
        (IDS, LABELS, {}, r"training texts are ids; say whose: define_deepmoji\(…, vocabulary="),
        (["abc"] * 3, LABELS, {}, "training texts are a str"),
        ([[[1, 2], [3]]] * 3, LABELS, {}, "list of str or an array of ids"),
        ([[1.5], [1.5], [1.5]], LABELS, {}, "list of str or an array of ids"),
        ([["a", None], *TEXTS[1:]], [["x", "y"], *LABELS[1:]], {}, "row 1"),
        (TEXTS, [LABELS[0][1:], *LABELS[1:]], {}, "24 texts, but 23 labels"),
        (TEXTS, LABELS, {"nb_classes": 4}, "nb_classes is 4, but the model has 3"),
        (TEXTS, [["joy", "fear"] * 12, *LABELS[1:]], {}, "nb_classes is 3, but .* 2 labels"),
        (TEXTS, [[0, 1, 5] * 8, [0, 1, 5] * 4, [0, 1, 5] * 4], {}, "from 0 to 2, but there are 5"),
        (TEXTS, LABELS, {"nb_classes": "3"}, "nb_classes has to be an int, 1 or more, not '3'"),
        (TEXTS, LABELS, {"batch_size": 0}, "batch_size has to be an int, 1 or more, not 0"),
        (TEXTS, LABELS, {"batch_size": True}, "batch_size has to be an int"),
        (TEXTS, LABELS, {"epoch_size": 0}, "epoch_size has to be an int, 1 or more, not 0"),
        (TEXTS, LABELS, {"nb_epochs": -1}, "nb_epochs has to be an int, 1 or more, not -1"),
        (TEXTS, LABELS, {"metric": "weighted"}, "no metric 'weighted' for these labels; there are"),
        (TEXTS, LABELS, {"metric": "positive_f1"}, "no metric 'positive_f1' for these"),
        (TEXTS, LABELS, {"method": "last"}, r"takes method no more: .*deepmoji\.finetune"),
        (TEXTS, LABELS, {"error_checking": False}, "takes error_checking no more"),
        (TEXTS, LABELS, {"epochs": 3}, "no option 'epochs'; it has metric, epoch_size, nb_epochs"),
        (TEXTS, LABELS, {"patience": 0}, "patience has to be"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_before_training(texts, labels, options, message, model):
    with pytest.raises(InputError, match=message):
        finetune_chainthaw(model, texts, labels, **(QUICK | options))


@pytest.mark.parametrize(
    ("form", "outside"),
    [
        ((0, 5), "5"),
        ((1, 2), "2"),
        ((-1, 1), "-1"),
        ((0.5, 1.5), r"0\.5, 1\.5"),
        (("0", "5"), "5"),
    ],
)
def test_labels_that_are_numbers_are_those_of_the_classes(form, outside, bundle):
    model = define_deepmoji(2, weight_path=bundle.folder)
    labels = [[form[name == "joy"] for name in part] for part in LABELS]
    wanted = rf"numbers have to be from 0 to 1, but there are {outside}; number the classes from 0"
    with pytest.raises(InputError, match=wanted):
        finetune_chainthaw(model, TEXTS, labels, 2, 16, **QUICK)
    late = [[int(name == "joy") for name in part] for part in LABELS]
    with pytest.raises(InputError, match="but there are 2; number"):
        finetune_chainthaw(model, TEXTS, [*late[:2], [2, *late[2][1:]]], 2, 16, **QUICK)


def test_two_names_are_two_classes_also_if_one_looks_like_a_number(bundle):
    model = define_deepmoji(2, weight_path=bundle.folder)
    labels = [["2017" if name == "joy" else "earlier" for name in part] for part in LABELS]
    tuned, _ = finetune_chainthaw(model, TEXTS, labels, 2, 16, **QUICK)
    assert set(tuned.predictor.labels) == {"2017", "earlier"}


def test_ids_of_another_vocabulary_are_told(bundle):
    tokenizer = SentenceTokenizer(bundle.vocabulary, 5)
    model = define_deepmoji(3, weight_path=bundle.folder, vocabulary=tokenizer)
    wrong = [part * 999 for part in IDS]
    with pytest.raises(InputError, match="ids from 999 to 999, but the vocabulary has"):
        finetune_chainthaw(model, wrong, LABELS, **QUICK)
    with pytest.raises(InputError, match="give one of both"):
        finetune_chainthaw(model, [IDS[0], *TEXTS[1:]], LABELS, **QUICK)
    spaced = {**tokenizer.vocabulary, "two words": len(tokenizer.vocabulary)}
    model = define_deepmoji(3, weight_path=bundle.folder, vocabulary=spaced)
    with pytest.raises(InputError, match="white space, 'two words'"):
        finetune_chainthaw(model, IDS, LABELS, **QUICK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nb_classes": 0}, "nb_classes has to be an int, 1 or more, not 0"),
        ({"nb_classes": "2"}, "nb_classes has to be an int, 1 or more, not '2'"),
        ({"nb_classes": 2, "maxlen": 0}, "maxlen has to be an int, 1 or more, not 0"),
        ({"nb_classes": 2, "maxlen": 30.0}, "maxlen has to be an int, 1 or more, not 30.0"),
        ({"nb_classes": 2, "weight_path": 3}, "weight_path has to be the path of a model folder"),
        ({"nb_classes": 3, "return_attention": True}, "takes return_attention no more"),
        ({"nb_classes": 3, "nb_tokens": 50_000}, "takes nb_tokens no more"),
        ({"nb_classes": 3, "layers": 2}, "has no option 'layers'"),
    ],
)
def test_models_that_make_no_sense_are_told(options, message):
    with pytest.raises(InputError, match=message):
        define_deepmoji(**options)


def test_a_weight_file_has_to_become_a_folder_first(tmp_path):
    (tmp_path / "deepmoji_weights.hdf5").write_bytes(b"x")
    with pytest.raises(InputError, match="deepmoji import"):
        define_deepmoji(3, 30, tmp_path / "deepmoji_weights.hdf5")
    with pytest.raises(InputError, match=r"there is no folder .*nowhere; weight_path has to be"):
        define_deepmoji(3, 30, tmp_path / "nowhere")
    with pytest.raises(InputError, match="expected what define_deepmoji returns, got a str"):
        finetune_chainthaw("model", TEXTS, LABELS)


def test_counts_of_numpy_are_counts(bundle):
    assert define_deepmoji(np.array([0, 2]).max() + 1, weight_path=bundle.folder)
    with pytest.raises(InputError, match="nb_classes has to be an int"):
        define_deepmoji(np.bool_(True), weight_path=bundle.folder)
