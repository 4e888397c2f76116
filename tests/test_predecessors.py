"""What was wrong with the predecessors, one test for each defect: it is not so here.

DeepMoji (2017), torchMoji, deepmoji-onnx and the TensorFlow ports; measured on their code.
"""

import csv
import os
import pickle
import sys

import numpy as np
import onnx
import pytest
import torch

import deepmoji
from deepmoji import SentenceTokenizer, define_deepmoji, finetune_chainthaw
from deepmoji.config import ModelConfig
from deepmoji.corpus.settings import RULES
from deepmoji.corpus.words import KEPT, TextRules
from deepmoji.errors import InputError
from deepmoji.evaluation.measures import GRID, MEASURES
from deepmoji.labels import EMOJIS, NAMES
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary
from deepmoji.training import tuner as tuners
from deepmoji.training.graph import build_graph
from deepmoji.training.network import Network
from deepmoji.training.recurrence import Packing
from tests.helpers import bundles
from tests.helpers.tunable import FAST, fast, make_texts, make_tunable

torch.set_num_threads(1)  # these models are so small that threads would only wait for each other
TEXTS = ["love", "i love you and this is the good morning", "", "so tired !", "can't wait for it"]


def make_ours(folder, **sizes):
    """Return a model with the helper's random weights, in the graph that our own exporter makes."""
    tiny = bundles.Tiny(**sizes)
    made = bundles.make_bundle(folder, tiny)
    theirs = bundles.make_weights(tiny)
    weights = {
        "embedding.weight": theirs["embedding"],
        "attention": theirs["attention_weight"][:, 0],
        "output.weight": theirs["output"].T,
        "output.bias": theirs["bias"],
    }
    for layer in (1, 2):
        for index, direction in enumerate(("ahead", "back")):
            bias_ih, bias_hh = np.split(theirs[f"B{layer}"][index], 2)
            parts = {"weight_ih": theirs[f"W{layer}"][index], "bias_ih": bias_ih}
            parts |= {"weight_hh": theirs[f"R{layer}"][index], "bias_hh": bias_hh}
            for part, array in parts.items():
                i, o, f, c = np.split(array, 4)
                weights[f"lstm_{layer}.{direction}.{part}_l0"] = np.concatenate([i, f, c, o])
    onnx.save(build_graph(weights, made.config), made.graph)
    return deepmoji.load(made.folder)


@pytest.fixture(scope="module")
def moji(tmp_path_factory):
    """A model that answers."""
    return make_ours(tmp_path_factory.mktemp("bundles") / "moji")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model that can be tuned."""
    return make_tunable(tmp_path_factory.mktemp("bundles") / "base").folder


def three(labels=None, count=60):
    """Return texts and labels for training, validation and test."""
    texts, names = make_texts(count, **({"labels": labels} if labels else {}))
    cuts = [slice(0, count - 24), slice(count - 24, count - 12), slice(count - 12, count)]
    return [texts[cut] for cut in cuts], [names[cut] for cut in cuts]


def tuned(base, texts, labels, **changes):
    pairs = list(zip(texts, labels, strict=True))
    settings = {"method": "last"} | changes
    settings = fast(settings["method"]) | settings
    return deepmoji.finetune(pairs[0], pairs[1], test=pairs[2], base=base, **settings)


def says(monkeypatch, losses):
    """Let validation give these losses, one after the other."""
    said = iter(losses)
    monkeypatch.setattr(tuners._Course, "_validate", lambda self, reader: next(said))


# torchMoji


def test_runs_of_a_letter_are_shortened_under_python_3():
    """Shortening never fired: "soooo" stayed what it was, and unknown."""
    assert deepmoji.tokenize("Soooo gooood!!!!") == ["soo", "good", "!!"]


def test_plain_words_are_ascii_under_python_3():
    """Its ASCII test always failed, so that every word took the way of foreign ones."""
    from deepmoji.text.tokenizer import train_words

    assert train_words("so good\u2026 \u2018quoted\u2019") == [
        "so",
        "good",
        "..",
        "'",
        "quoted",
        "'",
    ]
    assert train_words("so good é") == []


def test_vocabularies_are_built_of_posts_under_python_3():
    """Building one rejected every post too."""
    rules = TextRules(
        wanted=EMOJIS, active=frozenset(RULES), language="en", hash_key=bytes(8), detect=None
    )
    reading = rules.read("so good\u2026 \U0001f602", "en")
    assert (reading.code, list(reading.words)) == (KEPT, ["so", "good", ".."])


def test_vocabulary_extension_adds_words_under_python_3():
    """It rejected every text, and so added nothing."""
    tokenizer = SentenceTokenizer({}, 5)
    texts = ["newword here", "newword there", "elsewhere"]
    *_, added = tokenizer.split_train_val_test(texts, [0, 1, 0], [[0, 1], [], [2]], extend_with=2)
    assert added == 2
    assert list(tokenizer.vocabulary)[-2:] == ["newword", "here"]


def test_fine_tuning_adds_words_under_python_3(base):
    texts, labels = three()
    made = tuned(base, texts, labels, method="full", epochs=1)
    before = deepmoji.load(base).bundle.vocabulary
    assert "sunny" not in before
    assert "sunny" in made.predictor.bundle.vocabulary


def test_it_runs_on_the_pythons_and_the_pytorch_of_today(moji, base):
    """It did not import on Python 3.11 and later, and its forward pass failed."""
    assert sys.version_info >= (3, 11)
    assert moji.scores(["love"]).shape == (1, 64)
    assert tuned(base, *three(), epochs=1).scores(["so happy"]).shape == (1, 3)


def test_attention_comes_in_input_order_not_sorted_by_length(moji):
    together = moji.predict(TEXTS)
    assert [len(each.words) for each in together] == [1, 9, 0, 3, 4]
    for text, each in zip(TEXTS, together, strict=True):
        alone = moji.predict(text)
        assert [word.text for word in each.words] == [word.text for word in alone.words]
        np.testing.assert_allclose(
            [word.weight for word in each.words], [word.weight for word in alone.words], atol=1e-6
        )


def test_attention_of_a_text_does_not_depend_on_the_greatest_of_the_batch(tmp_path):
    """The maximum of all texts was subtracted: beside a great one, others became 0 / 0."""
    moji = make_ours(tmp_path / "steep", sharpness=200)
    for text in TEXTS[:2] + TEXTS[3:]:
        weights = [word.weight for word in moji.predict([*TEXTS, text])[-1].words]
        assert sum(weights) == pytest.approx(1, abs=1e-5)
        expected = [word.weight for word in moji.predict(text).words]
        np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_answers_depend_neither_on_the_batch_nor_on_the_order(moji):
    texts = TEXTS * 40
    scores = moji.scores(texts)
    alone = np.concatenate([moji.scores([text]) for text in TEXTS])
    np.testing.assert_allclose(scores, np.tile(alone, (40, 1)), atol=1e-6)
    np.testing.assert_allclose(moji.scores(texts[::-1])[::-1], scores, atol=1e-6)


def test_channel_dropout_drops_channels_of_a_text_not_single_elements():
    torch.manual_seed(0)
    sizes = ModelConfig(vocabulary_size=20, embedding_size=64, units=3, classes=2)
    network = Network(sizes, embedding_dropout=0.5).train()
    packing = Packing.of(torch.tensor([6, 4]))
    words = network.read_words(torch.arange(10, 20), packing)
    for text in (0, 1):
        dropped = words[packing.texts == text] == 0
        assert 10 < int(dropped[0].sum()) < 54
        assert bool((dropped == dropped[0]).all())  # the same channels at every word
    assert not torch.equal(words[packing.texts == 0][0] == 0, words[packing.texts == 1][0] == 0)


def test_early_stopping_counts_anew_after_a_better_epoch(base, monkeypatch):
    """Its counter never went back: the third epoch without a record ended it, whatever between."""
    says(monkeypatch, [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 0.7, 0.8, 0.9])
    made = tuned(base, *three(), epochs=100, patience=2)
    losses = [each["validation_loss"] for each in made.report["history"]]
    assert losses == [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 0.7, 0.8, 0.9]


def test_every_epoch_draws_its_own_texts(base, monkeypatch):
    """Every "epoch" was the same 5,000 rows."""
    drawn = []
    step = tuners._Course._step

    def spy(self, reader, rows, optimiser):
        drawn.append((self.standing.epoch, rows.tolist()))
        return step(self, reader, rows, optimiser)

    monkeypatch.setattr(tuners._Course, "_step", spy)
    tuned(base, *three(), epochs=3, patience=3)
    epochs = [[row for epoch, rows in drawn if epoch == n for row in rows] for n in range(3)]
    assert [len(rows) for rows in epochs] == [FAST["epoch_size"]] * 3
    assert len({tuple(sorted(rows)) for rows in epochs}) == 3


def test_thresholds_are_never_chosen_on_test_texts(base):
    """They were chosen and scored on the same texts."""
    texts, names = three()
    several = [[[name, "strong"] if name != "joy" else [] for name in part] for part in names]
    one = tuned(base, texts, several, method="full", epochs=20)
    backwards = [*several[:2], several[2][::-1]]
    two = tuned(base, texts, backwards, method="full", epochs=20)
    assert one.report["thresholds"] == two.report["thresholds"]
    assert one.report["measures"]["validation"] == two.report["measures"]["validation"]
    assert one.report["measures"]["test"] != two.report["measures"]["test"]
    # They are the best of the grid on validation.
    scores = one.scores(texts[1])
    place = one.predictor.labels.index("strong")
    truth = np.array(["strong" in labels for labels in several[1]])

    def f1(threshold):
        found = scores[:, place] >= threshold
        return 2 * (found & truth).sum() / max(1, found.sum() + truth.sum())

    assert f1(one.report["thresholds"][place]) == max(f1(threshold) for threshold in GRID)


def test_binary_accuracy_is_a_share(base):
    """It compared a column with a row, and could exceed 1."""
    texts, names = three(("fear", "joy"))
    labels = [np.array([int(name == "joy") for name in part]) for part in names]
    model = define_deepmoji(2, weight_path=base)
    made, accuracy = finetune_chainthaw(
        model, texts, labels, 2, 16, nb_epochs=3, epoch_size=64, initial_lr=0.02, device="cpu",
        precision="32-true",
    )  # fmt: skip
    by_hand = (made.scores(texts[2]).argmax(axis=1) == labels[2]).mean()
    assert accuracy == pytest.approx(by_hand)
    assert 0 <= accuracy <= 1


# DeepMoji


def test_every_metric_that_is_accepted_is_computed(base):
    """The one name it accepted beside accuracy computed nothing and returned None."""
    texts, names = three(("fear", "joy"))
    made = tuned(base, texts, names, epochs=1)
    wanted = {
        name for name, each in MEASURES.items() if "binary" in each.kinds and each.any_classes
    }
    assert made.report["measures"]["test"].keys() == wanted
    assert all(0 <= figure <= 1 for figure in made.report["measures"]["test"].values())
    with pytest.raises(InputError, match="no metric 'weighted'"):
        finetune_chainthaw(define_deepmoji(2, weight_path=base), texts, names, metric="weighted")


def test_sets_with_one_number_a_text_can_be_measured_by_f1(base):
    """SCv1 and SCv2-GEN, whose labels are single numbers, crashed its class-average F1."""
    texts, names = three(("fear", "joy"))
    labels = [[np.int64(name == "joy") for name in part] for part in names]
    model = define_deepmoji(2, weight_path=base)
    _, f1 = finetune_chainthaw(
        model, texts, labels, 2, 16, metric="class_average_f1", nb_epochs=3, epoch_size=64,
        device="cpu", precision="32-true",
    )  # fmt: skip
    assert 0 <= f1 <= 1


@pytest.mark.parametrize("text", ["", "  ", "\n", "\ufe0f", "\u200b" * 3])
def test_a_text_without_a_word_has_an_answer(text, moji):
    """It tripped an assertion, and all other texts with it."""
    scores = moji.scores(["love", text, "so tired"])
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores[[0, 2]], moji.scores(["love", "so tired"]), atol=1e-6)
    assert moji.predict(text).unknown_share == 1.0
    tokens, *_ = SentenceTokenizer({}, 3).tokenize_sentences(["love", text])
    assert tokens.shape == (2, 3)


def test_emojis_have_names_in_text(moji):
    """Which emoji class 17 is stood in a picture."""
    assert moji.labels == EMOJIS
    assert moji.labels[17] == "🙌"
    assert NAMES["🙌"] == "person raising both hands in celebration"
    assert moji.predict("love").top[0][0] in EMOJIS


def test_labelled_data_are_no_pickles(base, tmp_path):
    texts, labels = make_texts(40)
    with (tmp_path / "data.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *zip(texts, labels, strict=True)])
    made = deepmoji.finetune(tmp_path / "data.csv", base=base, method="last", **fast("last"))
    kinds = {path.suffix for path in made.save(tmp_path / "model").iterdir()}
    assert kinds == {".json", ".md", ".onnx", ".safetensors"}


def test_a_pickle_that_runs_something_is_refused(tmp_path):
    from deepmoji.interop.pickles import read_pickle

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "evil"),)

    (tmp_path / "raw.pickle").write_bytes(pickle.dumps({"texts": [Evil()]}))
    with pytest.raises(InputError, match="only plain values are read"):
        read_pickle(tmp_path / "raw.pickle")
    assert not (tmp_path / "evil").exists()


def test_a_tuned_model_can_be_saved_and_gives_the_same_scores(base, tmp_path):
    texts, labels = three()
    made = tuned(base, texts, labels, method="chain-thaw")
    again = deepmoji.load(made.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.scores(texts[2]), made.scores(texts[2]))
    assert again.labels == made.predictor.labels


def test_splits_have_a_seed(base):
    """Each call split otherwise, and no call could be repeated."""
    texts, labels = make_texts(40)
    splits = [
        SentenceTokenizer({}, 5).split_train_val_test(texts, labels, seed=seed)[1]
        for seed in (0, 0, 1)
    ]
    listed = [[part.tolist() for part in split] for split in splits]
    assert listed[0] == listed[1] != listed[2]
    runs = [deepmoji.finetune((texts, labels), base=base, method="last", seed=seed, **fast("last"))
            for seed in (0, 0, 1)]  # fmt: skip
    scores = [each.scores(texts) for each in runs]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


def test_validation_and_test_keep_their_places(base):
    """A comprehension of its evaluation swapped the two."""
    texts, labels = three()
    report = tuned(base, [texts[0], texts[1], texts[2][:5]], [labels[0], labels[1], labels[2][:5]],
                   epochs=1).report  # fmt: skip
    assert (report["data"]["validation"], report["data"]["test"]) == (12, 5)


# deepmoji-onnx


def test_words_are_not_split_on_white_space_alone(moji):
    """18 to 29 % of its tokens were unknown: "love!!" is no word."""
    assert moji.predict("I love you!!!! Can't wait..").unknown_share == 0
    known = Vocabulary([*SPECIAL_TOKENS, "love", "!!"])
    tokens, *_ = SentenceTokenizer(known, 4).tokenize_sentences(["LOVE!!!"])
    assert tokens.tolist() == [[10, 11, 0, 0]]


# Ports to TensorFlow, since Keras 2.3


@pytest.mark.parametrize("gates", ["hard_sigmoid", "sigmoid"])
def test_gates_are_those_that_the_model_was_trained_with(gates, tmp_path):
    """A new default of Keras changed them in silence, and the second decimal of every answer."""
    moji = make_ours(tmp_path / "moji", gates=gates)
    weights = bundles.make_weights(bundles.Tiny(gates=gates))
    text = "i love you and this is the good morning"
    ids = moji.bundle.vocabulary.ids(deepmoji.tokenize(text))
    other = "sigmoid" if gates == "hard_sigmoid" else "hard_sigmoid"
    scores = moji.scores([text])[0]
    np.testing.assert_allclose(scores, bundles.reference(weights, ids, gates)[0], atol=1e-5)
    assert np.abs(scores - bundles.reference(weights, ids, other)[0]).max() > 1e-3
