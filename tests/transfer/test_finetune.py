"""Fine-tuning from labelled texts to a bundle: every kind of labels, and every bad input."""

import json
import shutil

import numpy as np
import pytest
import torch

import deepmoji
from deepmoji.bundle import Bundle
from deepmoji.config import FineTuneConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.evaluation.datasets import Labelled
from deepmoji.inference.predictor import load
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.training.export import export
from deepmoji.training.weights import read_weights, starting_weights
from deepmoji.transfer.finetune import METHODS, Options, finetune
from deepmoji.transfer.one_vs_rest import one_vs_rest
from deepmoji.transfer.plain import plain_lstm
from deepmoji.transfer.words import extended, read_words, unknown_share, usual_length
from tests.helpers.tunable import FAST, make_texts, make_tunable

torch.set_num_threads(1)  # this model is so small that threads would only wait for each other
LEARNT = FAST | {"epochs": 60, "patience": 20}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_tunable(tmp_path_factory.mktemp("bundles") / "base").folder


def tune(base, texts, labels, **changes):
    return finetune((texts, labels), base=base, **(FAST | changes))


def test_a_label_is_learnt_and_the_model_travels(base, tmp_path):
    texts, labels = make_texts(90)
    tuned = tune(base, texts, labels, method="chain-thaw", test=make_texts(30, seed=1), **{
        "epochs": 30, "patience": 8})  # fmt: skip
    assert tuned.predictor.labels == ("anger", "fear", "joy")
    assert tuned.report["measures"]["test"]["accuracy"] > 0.8
    folder = tuned.save(tmp_path / "model")
    moji = deepmoji.load(folder)
    scores = tuned.predictor.scores(texts)
    np.testing.assert_array_equal(moji.scores(texts), scores)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    prediction = moji.predict("so scared of the dark")
    assert prediction.labels == (prediction.top[0][0],) == ("fear",)
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert record["measures"] == tuned.report["measures"]
    assert record["method"] == "chain-thaw"
    # Tuned again, from the tuned one, to other classes.
    other = tune(folder, texts, ["x" if name == "joy" else "y" for name in labels], method="last")
    assert other.predictor.labels == ("x", "y")
    assert other.report["base"]["method"] == "chain-thaw"
    small = export(folder, tmp_path / "small")  # int8
    np.testing.assert_allclose(load(small.folder).scores(texts), scores, atol=0.02)


def test_the_folder_of_a_model_goes_with_it(base):
    tuned = tune(base, *make_texts(30), method="last", epochs=1)
    folder, predictor = tuned.predictor.bundle.folder, tuned.predictor
    del tuned
    assert folder.is_dir()
    assert predictor.scores(["so happy"]).shape == (1, 3)
    del predictor
    assert not folder.parent.exists()


@pytest.mark.parametrize("method", METHODS)
def test_two_classes_are_one_sigmoid_as_two_columns(base, method):
    texts, labels = make_texts(60, ("fear", "joy"))
    tuned = tune(base, texts, [name == "joy" for name in labels], method=method)
    assert tuned.predictor.labels == ("False", "True")
    assert tuned.predictor.scores(texts).sum(axis=1) == pytest.approx(1, abs=1e-5)
    weights = read_weights(tuned.predictor.bundle)
    assert not weights["output.weight"][0].any()
    assert {"accuracy", "positive_f1"} <= tuned.report["measures"]["validation"].keys()


def test_several_labels_hold_from_thresholds_that_are_stored(base, tmp_path):
    texts, labels = make_texts(90)
    several = [[name, "strong"] if name != "joy" else [] for name in labels]
    tuned = tune(base, texts, several, method="full", **{"epochs": 60, "patience": 20})
    assert tuned.predictor.labels == ("anger", "fear", "strong")
    bundle = Bundle.open(tuned.save(tmp_path / "model"))
    assert bundle.thresholds == tuple(tuned.report["thresholds"])
    assert all(0.01 <= each <= 0.49 for each in bundle.thresholds)
    moji = load(tmp_path / "model")
    for text in texts[:12]:
        prediction = moji.predict(text)
        chances = dict(zip(moji.labels, moji.scores([text])[0], strict=True))
        expected = [n for n, t in zip(moji.labels, bundle.thresholds, strict=True)
                    if chances[n] >= np.float32(t)]  # fmt: skip
        assert list(prediction.labels) == expected
    assert moji.predict("so furious").labels == ("anger", "strong")
    assert moji.predict("so happy and sunny").labels == ()
    small = export(tmp_path / "model", tmp_path / "small")
    assert small.thresholds == bundle.thresholds


def test_test_texts_decide_nothing(base):
    """The tuned model is the same, bit for bit, whatever the test texts and their labels."""
    texts, labels = make_texts(60)
    other, names = make_texts(30, seed=5)
    models = [
        tune(base, texts, labels, method="chain-thaw", **given)
        for given in ({}, {"test": (other, names)}, {"test": (other[:9], names[9:0:-1])})
    ]
    weights = [read_weights(each.predictor.bundle) for each in models]
    for name in weights[0]:
        assert np.array_equal(weights[0][name], weights[1][name])
        assert np.array_equal(weights[0][name], weights[2][name])
    assert len({str(each.report["thresholds"]) for each in models}) == 1
    assert len({str(each.report["measures"]["validation"]) for each in models}) == 1
    assert "test" not in models[0].report["measures"]


def test_the_same_seed_gives_the_same_model_and_leaves_torchs_alone(base):
    texts, labels = make_texts(40)
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    one = tune(base, texts, labels, method="full", seed=1)
    assert torch.equal(torch.rand(1), expected)
    two = tune(base, texts, labels, method="full", seed=1)
    three = tune(base, texts, labels, method="full", seed=2)
    assert np.array_equal(one.predictor.scores(texts), two.predictor.scores(texts))
    assert not np.array_equal(one.predictor.scores(texts), three.predictor.scores(texts))


def test_words_of_training_texts_are_added_emojis_too(base):
    texts, labels = make_texts(30)
    texts = [f"{text} 😂" for text in texts]
    tuned = tune(base, texts, labels, method="full", epochs=1)
    vocabulary = tuned.predictor.bundle.vocabulary
    assert "😂" in vocabulary
    assert "sunny" in vocabulary
    assert tuned.report["data"]["words_added"] == len(vocabulary) - len(
        Bundle.open(base).vocabulary
    )
    assert len(tune(base, texts, labels, method="full", epochs=1, extend=3).predictor.bundle
               .vocabulary) == len(Bundle.open(base).vocabulary) + 3  # fmt: skip
    fixed = tune(base, texts, labels, method="last", epochs=1)
    assert fixed.report["data"]["words_added"] == 0


def test_copies_between_the_splits_are_counted(base):
    texts, labels = make_texts(40)
    report = tune(
        base, [*texts, texts[0]], [*labels, labels[0]], method="last", epochs=1,
        test=([*texts[:3], "new"], [*labels[:3], "joy"]),
    ).report["data"]  # fmt: skip
    assert report["train_copies"] + report["validation_by_class"]["anger"] >= 1
    assert report["test_texts_in_train"] + report["test_texts_in_validation"] == 3
    assert report["validation_texts_in_train"] == 0


def test_a_file_with_a_split_column_brings_all_three(base, tmp_path):
    texts, labels = make_texts(40)
    rows = ["text,label,split"]
    parts = ["train"] * 28 + ["dev"] * 6 + ["test"] * 6
    rows += [f"{t},{n},{s}" for t, n, s in zip(texts, labels, parts, strict=True)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows), "utf-8")
    report = finetune(path, base=base, **(FAST | {"method": "last"})).report
    assert [report["data"][name] for name in ("train", "validation", "test")] == [28, 6, 6]
    assert report["measures"].keys() == {"validation", "test"}


def test_one_against_the_rest_has_a_column_for_each_class(base):
    texts, labels = make_texts(60)
    data = Labelled(texts=tuple(texts), labels=tuple((name,) for name in labels))
    train, validation = data.take(range(45)), data.take(range(45, 60))
    for method in ("last", "full"):
        model = one_vs_rest(train, validation, base=base, method=method, **FAST)
        scores = model.scores(texts)
        assert scores.shape == (60, 3)
        assert scores.dtype == np.float32
        assert model.report["one_vs_rest"].keys() == {"anger", "fear", "joy"}
    alone = finetune(
        (train.texts, [name == "fear" for (name,) in train.labels]),
        (validation.texts, [name == "fear" for (name,) in validation.labels]),
        base=base, method="full", **FAST,
    )  # fmt: skip
    np.testing.assert_allclose(scores[:, 1], alone.predictor.scores(texts)[:, 1], atol=1e-6)


def test_one_against_the_rest_with_shared_encodings_is_the_same(base):
    texts, labels = make_texts(60)
    data = Labelled(texts=tuple(texts), labels=tuple((name,) for name in labels))
    train, validation = data.take(range(45)), data.take(range(45, 60))
    fast = one_vs_rest(train, validation, base=base, method="last", **FAST).scores(texts)
    alone = finetune(
        (train.texts, [name == "joy" for (name,) in train.labels]),
        (validation.texts, [name == "joy" for (name,) in validation.labels]),
        base=base, method="last", **FAST,
    )  # fmt: skip
    np.testing.assert_allclose(fast[:, 2], alone.predictor.scores(texts)[:, 1], atol=1e-5)


def test_a_plain_lstm_learns(monkeypatch):
    from deepmoji.transfer import plain

    small = {"units": 8, "embedding_size": 8}
    monkeypatch.setattr(plain, "ModelConfig", lambda **sizes: deepmoji_config(**sizes | small))
    monkeypatch.setattr(plain, "FineTuneConfig", lambda: FineTuneConfig(
        epochs=40, epoch_size=64, batch_size=16, new_learning_rate=0.02))  # fmt: skip
    texts, labels = make_texts(90)
    data = Labelled(texts=tuple(texts), labels=tuple((name,) for name in labels))
    model = plain_lstm(data.take(range(70)), data.take(range(70, 90)), seed=0)
    scores = model.scores(texts)
    assert scores.sum(axis=1) == pytest.approx(1, abs=1e-5)
    names = np.array(["anger", "fear", "joy"])[scores.argmax(axis=1)]
    assert (names == np.array(labels)).mean() > 0.8


def deepmoji_config(**sizes):
    from deepmoji.config import ModelConfig

    return ModelConfig(**sizes)


# The weights to start from.


def test_weights_come_from_the_graph_too(base, tmp_path):
    bundle = Bundle.open(base)
    weights = read_weights(bundle)
    full = export(base, tmp_path / "fp32", precision="fp32")
    assert full.weights is None
    for name, array in starting_weights(full).items():
        np.testing.assert_array_equal(array, weights[name], err_msg=name)
    small = export(base, tmp_path / "int8")
    for name, array in starting_weights(small).items():
        np.testing.assert_allclose(array, weights[name], atol=np.abs(weights[name]).max() / 100)


def test_weights_of_a_foreign_graph_are_refused(base, tmp_path):
    shutil.copytree(base, tmp_path / "other")
    (tmp_path / "other" / "model.safetensors").unlink()
    graph = tmp_path / "other" / "model.onnx"
    graph.write_bytes(graph.read_bytes().replace(b"attention.weight", b"attention_weight"))
    with pytest.raises(BundleError, match="not made by deepmoji export"):
        tune(tmp_path / "other", *make_texts(20), method="last")


# What the original's examples gave on the public splits (with its vocabulary of 50,000 words).
ADDED = {
    "SE0714": 74, "Olympic": 156, "PsychExp": 306, "SS-Twitter": 420, "SS-Youtube": 385,
    "SCv1": 1295, "SCv2-GEN": 954, "kaggle-insults": 3545,
}  # fmt: skip
# SCv1 has 1292 there: it passed over whole texts with a letter outside ASCII; these hold 3 words.
COVERED = {
    "SE0714": (92.5, 92.8), "Olympic": (90.0, 95.9), "PsychExp": (98.2, 98.5),
    "SS-Twitter": (96.9, 97.0), "SS-Youtube": (97.1, 97.2), "SCv1": (97.0, 97.7),
    "SCv2-GEN": (96.9, 97.7),
}  # fmt: skip


@pytest.mark.parametrize("name", ADDED)
def test_words_are_added_and_covered_as_by_the_original(name, shared):
    import pyarrow.parquet as pq

    table = pq.read_table(shared / "benchmarks" / "paper" / f"{name}.parquet").to_pydict()
    words = {
        part: read_words(
            [t for t, s in zip(table["text"], table["split"], strict=True) if s == part]
        )
        for part in ("train", "test")
    }
    original = Vocabulary.load(shared / "golden" / "vocabulary.json")
    longer = extended(original, words["train"], 10_000)
    assert len(longer) - len(original) == ADDED[name]
    if name in COVERED:
        found = [
            round(100 * (1 - unknown_share(each, words["test"], 30)), 1)
            for each in (original, longer)
        ]
        assert tuple(found) == COVERED[name]


def test_the_usual_length_is_the_80th_percentile_rounded_up_to_ten():
    lengths = [3, 5, 8, 11, 21]
    assert usual_length([["a"] * length for length in lengths]) == 20  # 80 %: 13
    assert usual_length([["a"]]) == 10
    assert usual_length([[]]) == 10


def test_words_are_added_most_frequent_first_and_not_too_long():
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "old"])
    texts = [["b", "a", "old", "c" * 31], ["b", "CUSTOM_AT"]]
    assert extended(vocabulary, texts, 9).words[-2:] == ("b", "a")
    assert extended(vocabulary, texts, 1).words[-1:] == ("b",)


def test_half_a_character_is_no_word(base, tmp_path):
    texts, labels = make_texts(20)
    texts = [f"{text} \ud83d \ud83dx" for text in texts]
    tuned = tune(base, texts, labels, method="full", epochs=1)
    deepmoji.load(tuned.save(tmp_path / "model"))


def test_numbers_of_numpy_are_numbers(base):
    tuned = tune(base, *make_texts(20), method="last", epochs=np.int64(2), seed=np.int32(3),
                 final_dropout=np.float32(0.5))  # fmt: skip
    assert (tuned.report["settings"]["epochs"], tuned.report["seed"]) == (2, 3)
    json.dumps(tuned.report)


@pytest.mark.parametrize("method", ["last", "full"])
def test_texts_that_were_cut_into_words_before_are_read_as_such(method, base):
    """The same words give the same model, and the same figures on test texts."""
    texts, labels = make_texts(60)
    test = make_texts(20, seed=1)
    plain = tune(base, texts, labels, method=method, test=test)
    cut = [" ".join(deepmoji.tokenize(text)) for text in texts]
    read = tune(base, cut, labels, method=method, test=test, words=str.split)
    one, two = (read_weights(each.predictor.bundle) for each in (plain, read))
    assert all(np.array_equal(one[name], two[name]) for name in one)
    for part in ("validation", "test"):
        expected = plain.report["measures"][part]
        assert read.report["measures"][part] == pytest.approx(expected)
    # A word that no text is cut into is learnt as it is.
    odd = [f"jr. {text}" for text in cut]
    made = tune(base, odd, labels, method="full", words=str.split, epochs=1)
    assert "jr." in made.predictor.bundle.vocabulary
    assert "." not in made.predictor.bundle.vocabulary


# Bad input: a clear message before training, or a sensible result.


def test_one_class_only_is_refused(base):
    with pytest.raises(InputError, match="nothing to tell apart"):
        tune(base, make_texts(20)[0], ["joy"] * 20, method="last")


def test_a_class_with_one_example_is_kept_for_training(base):
    texts, labels = make_texts(20, ("fear", "joy"))
    tuned = tune(base, [*texts, "what a rare thing"], [*labels, "rare"], method="last")
    assert tuned.predictor.labels == ("fear", "joy", "rare")
    assert tuned.report["data"]["train_by_class"]["rare"] == 1


@pytest.mark.parametrize("part", ["test", "validation"])
def test_labels_that_train_never_saw_are_named_before_training(part, base):
    def never(progress):
        pytest.fail("it trained")

    other = (["so new"] * 2, ["joy", "surprise"])
    with pytest.raises(InputError, match=rf"{part} texts have labels .*'surprise'"):
        tune(base, *make_texts(30), method="last", report=never, **{part: other})


def test_empty_texts_and_long_ones_are_texts(base):
    texts, labels = make_texts(30)
    texts[0], texts[1], texts[2] = "", " \n", "word " * 10_000
    tuned = tune(base, texts, labels, method="chain-thaw", test=(texts, labels))
    assert np.isfinite(tuned.predictor.scores(texts)).all()
    assert tuned.report["settings"]["max_tokens"] == tuned.predictor.max_tokens == 20


def test_texts_are_cut_where_the_base_cuts_or_later_and_never_against_an_option(base):
    def settings(words, **options):
        texts, labels = make_texts(20)
        longer = [text + " so" * words for text in texts]
        made = tune(base, longer, labels, **{"method": "last", "batch_size": 0, **options})
        return [made.report["settings"][name] for name in ("max_tokens", "batch_size")]

    assert settings(0) == [20, 250]
    assert settings(30) == [40, 250]
    assert settings(120) == [130, 50]
    assert settings(120, max_tokens=10) == [10, 250]
    assert settings(120, max_tokens=10, batch_size=7) == [10, 7]


@pytest.mark.parametrize("missing", [None, float("nan"), ""])
def test_missing_labels_are_refused(missing, base):
    texts, labels = make_texts(20)
    labels[3] = missing
    with pytest.raises(InputError, match=r"row 3.*missing"):
        tune(base, texts, labels, method="last")


def test_a_thousand_classes(base):
    texts, _ = make_texts(2000)
    labels = [number % 1000 for number in range(2000)]
    tuned = tune(base, texts, labels, method="last", epochs=1)
    assert len(tuned.predictor.labels) == 1000
    assert tuned.predictor.labels[:3] == ("0", "1", "2")


def test_a_validation_of_two_rows(base):
    texts, labels = make_texts(20, ("fear", "joy"))
    tuned = tune(base, texts, labels, method="last", validation=(texts[:2], labels[:2]))
    assert tuned.report["data"]["validation"] == 2
    assert tuned.report["data"]["validation_texts_in_train"] == 2


def test_duplicate_rows_are_one_side_of_the_split(base):
    texts, labels = make_texts(10, ("fear", "joy"))
    tuned = tune(base, texts * 5, labels * 5, method="last", validation_share=0.2)
    assert tuned.report["data"]["validation_texts_in_train"] == 0
    assert tuned.report["data"]["train_copies"] == 32


def test_rare_classes_can_count_as_much(base):
    texts, labels = make_texts(60, ("joy", "joy", "joy", "joy", "fear"))
    plain = tune(base, texts, labels, method="last")
    weighted = tune(base, texts, labels, method="last", class_weights=True)
    rare = [
        plain.predictor.scores(texts)[:, 0].mean(),
        weighted.predictor.scores(texts)[:, 0].mean(),
    ]
    assert rare[1] > rare[0] + 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "best"}, "method has to be one of new, full"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"epoch": 3}, "no option 'epoch'"),
        ({"epochs": 0}, "epochs has to be"),
        ({"final_dropout": 1.0}, "final_dropout"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"validation_share": 1}, "validation_share"),
        ({"class_weights": "yes"}, "class_weights"),
        ({"device": "tpu"}, "device"),
        ({"precision": "fp8"}, "precision"),
        ({"classes": ["joy", "anger"]}, "no class"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message, base):
    with pytest.raises(InputError, match=message):
        tune(base, *make_texts(20), **({"method": "last"} | options))


def test_every_setting_is_an_option():
    from dataclasses import fields

    assert {each.name for each in fields(FineTuneConfig)} <= Options.__annotations__.keys()


def test_a_missing_base_is_told(tmp_path):
    with pytest.raises(BundleError, match="no model folder"):
        tune(tmp_path / "nothing", *make_texts(20), method="last")


def test_saving_over_something_else_is_refused(base, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("all", "utf-8")
    tuned = tune(base, *make_texts(20), method="last", epochs=1)
    with pytest.raises(BundleError, match="no model bundle"):
        tuned.save(tmp_path / "precious")
    assert (tmp_path / "precious" / "thesis.txt").read_text("utf-8") == "all"


def test_hard_sigmoid_models_can_be_tuned(tmp_path):
    hard = make_tunable(tmp_path / "hard", gates="hard_sigmoid").folder
    tuned = tune(hard, *make_texts(40), method="chain-thaw")
    assert tuned.predictor.bundle.config.gates == "hard_sigmoid"
