"""Fine-tuning: its recipes, what each stage changes, when it stops, and going on after a stop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deepmoji.config import FineTuneConfig, ModelConfig
from deepmoji.errors import DeepmojiError, InputError
from deepmoji.training import finetune as finetuning
from deepmoji.training import tuner as tuners
from deepmoji.training.examples import Examples, class_weights, loss_of
from deepmoji.training.finetune import Course, Lesson, Start, tune
from deepmoji.training.hardware import Hardware
from deepmoji.training.network import Network
from deepmoji.training.plain import PlainNetwork
from deepmoji.training.reader import Reader
from deepmoji.training.thaw import LAYERS, METHODS, Recipe, Stage
from deepmoji.training.tuning import Standing

SIZES = ModelConfig(vocabulary_size=40, embedding_size=6, units=5, classes=3)
CONFIG = FineTuneConfig(
    epochs=4, epoch_size=40, batch_size=20, patience=2, new_learning_rate=0.02, learning_rate=0.01
)


def weights(seed=0):
    torch.manual_seed(seed)
    return {name: p.detach().numpy() for name, p in Network(SIZES).named_parameters()}


def lesson(kind="single", rows=24):
    """Texts of 1 to 6 ids; the first id tells the class."""
    random = np.random.default_rng(0)
    classes = {"single": 3, "binary": 2, "multi": 3}[kind]
    labels = np.arange(rows) % classes
    ids = [[10 + int(n), *random.integers(20, 34, size=n2)] for n, n2 in
           zip(labels, random.integers(0, 6, size=rows), strict=True)]  # fmt: skip
    targets = np.eye(classes, dtype=np.float32)[labels]
    half = rows // 2
    return Lesson(
        kind=kind,
        train=ids[:half],
        train_targets=targets[:half],
        validation=ids[half:],
        validation_targets=targets[half:],
    )


def course(method="chain-thaw", folder=None, precision="32-true", **changes):
    return Course(
        method=method,
        config=replace(CONFIG, **changes),
        max_tokens=8,
        batch_size=replace(CONFIG, **changes).batch(8),
        seed=0,
        hardware=Hardware(device="cpu", processes=1, precision=precision),
        folder=folder,
    )


def ignore(progress):
    pass


def run(method="chain-thaw", *, report=ignore, folder=None, kind="single", new_words=0, **changes):
    start = Start(config=SIZES, weights=weights(), new_words=new_words)
    return tune(start, lesson(kind), course(method, folder, **changes), report=report)[0]


# What the paper and its code do (learning rates by name: new 1e-3, pretrained 1e-4).
def test_recipes_are_the_papers():
    assert (FineTuneConfig().new_learning_rate, FineTuneConfig().learning_rate) == (1e-3, 1e-4)
    assert FineTuneConfig().epoch_size == 5000
    assert (FineTuneConfig().epochs, FineTuneConfig().patience) == (1000, 5)
    assert [FineTuneConfig().batch(length) for length in (30, 100, 110)] == [250, 250, 50]
    found = {
        name: [(stage.layers, stage.rate, stage.cycle) for stage in recipe.stages]
        for name, recipe in METHODS.items()
    }
    assert found["new"] == [(LAYERS, "new", 0)]
    assert found["full"] == [(LAYERS, "pretrained", 0)]
    assert found["last"] == [(("output",), "new", 0)]
    assert found["chain-thaw"] == [
        (("output",), "new", 0),
        (("embedding",), "pretrained", 0),
        (("lstm_1",), "pretrained", 0),
        (("lstm_2",), "pretrained", 0),
        (("attention",), "pretrained", 0),
        (LAYERS, "pretrained", 0),
    ]
    assert not METHODS["new"].is_pretrained
    assert not METHODS["last"].extends


@pytest.mark.parametrize("layer", LAYERS)
def test_a_stage_changes_its_layers_and_nothing_else(layer, monkeypatch):
    recipe = Recipe(stages=(Stage(layers=(layer,), rate="new"),))
    monkeypatch.setitem(finetuning.METHODS, "last", recipe)
    before = weights()
    after = run("last", embedding_l2=0.0).weights
    changed = {
        name.split(".")[0] for name in before if not np.array_equal(before[name], after[name])
    }
    # The output is a new one in any case.
    assert changed | {"output"} == {layer, "output"}


def test_words_that_training_texts_lack_stay_as_they_are():
    before = weights()["embedding.weight"]
    after = run("full", embedding_l2=0.1).weights["embedding.weight"]
    trained = {index for row in lesson().train for index in row}
    others = sorted(set(range(len(before))) - trained)
    assert np.array_equal(before[others], after[others])
    assert all(not np.array_equal(before[index], after[index]) for index in trained)


def test_new_words_get_rows_as_wide_as_the_old_ones():
    table = run("last", new_words=2000).weights["embedding.weight"]
    assert len(table) == 2040
    assert table[40:].std() == pytest.approx(weights()["embedding.weight"].std(), rel=0.05)


def test_new_starts_at_random():
    before, after = weights(), run("new", epochs=1, new_learning_rate=1e-9).weights
    assert (
        np.abs(before["lstm_1.ahead.weight_ih_l0"] - after["lstm_1.ahead.weight_ih_l0"]).max() > 0.1
    )


def validation_losses(monkeypatch, losses):
    """Let validation say these, one after the other."""
    said = iter(losses)
    monkeypatch.setattr(tuners._Course, "_validate", lambda self, reader: next(said))


def test_a_stage_ends_after_as_many_epochs_without_a_better_one(monkeypatch):
    validation_losses(monkeypatch, [1.0, 0.8, 0.9, 0.7, 0.8, 0.7])
    history = run("full", epochs=100).history
    assert [each["validation_loss"] for each in history] == [1.0, 0.8, 0.9, 0.7, 0.8, 0.7]


def test_a_later_stage_counts_from_its_own_best_but_replaces_only_the_best_of_all(monkeypatch):
    kept = []
    keep = tuners.Tuner.keep

    def spy(self, loss):
        keep(self, loss)
        kept.append((loss, self.standing.best_loss))

    monkeypatch.setattr(tuners.Tuner, "keep", spy)
    #                    output         embedding            lstm_1, 2, attention, all: no better
    validation_losses(monkeypatch, [0.5, 0.6, 0.7] + [0.9, 0.8, 0.85, 0.9] + [1.0] * 12)
    run("chain-thaw", epochs=100)
    assert len(kept) == 3 + 4 + 4 * 3
    assert {best for _, best in kept} == {0.5}


def test_the_best_weights_come_back_after_a_bad_stage(monkeypatch):
    bad = Stage(layers=LAYERS, rate="pretrained")
    monkeypatch.setitem(finetuning.METHODS, "full", Recipe(stages=(METHODS["last"].stages[0], bad)))
    alone = run("last")
    both = run("full", learning_rate=50.0, epochs=2)
    stages = [each["stage"] for each in both.history]
    assert "all layers" in stages
    first = min(e["validation_loss"] for e in both.history if e["stage"] == "output")
    later = min(e["validation_loss"] for e in both.history if e["stage"] == "all layers")
    assert later > first
    assert np.array_equal(
        both.weights["lstm_1.ahead.weight_ih_l0"], alone.weights["lstm_1.ahead.weight_ih_l0"]
    )


def test_gradual_learns_slower_further_down_and_ends_by_its_cycle():
    rates = {}

    def spy(optimiser, *args, **kwargs):
        rates[len(optimiser.param_groups)] = kwargs["max_lr"]
        return schedule(optimiser, *args, **kwargs)

    schedule = torch.optim.lr_scheduler.OneCycleLR
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.lr_scheduler, "OneCycleLR", spy)
        history = run("gradual", epochs=100, new_learning_rate=0.01).history
    assert rates[5] == pytest.approx([0.01 / 2.6**depth for depth in (4, 3, 2, 1, 0)])
    counted = [sum(each["stage"] == name for each in history) for name in
               ("attention + output", "lstm_2 + attention + output", "all layers")]  # fmt: skip
    assert counted == [1, 1, 6]


def test_gradual_learns_in_cycles_of_one_step_and_within_few_epochs():
    """A cycle of one step would take it at the rate of a cycle's end, which is next to nothing."""
    weights = [run("gradual", epochs=epochs, epoch_size=1, new_learning_rate=rate).weights
               for epochs, rate in ((1, 1e-9), (1, 0.01), (2, 0.01))]  # fmt: skip
    still, once, twice = (each["attention"] for each in weights)
    assert np.abs(once - still).max() > 0.005
    assert np.abs(twice - still).max() > 0.005


@pytest.mark.parametrize("method", ["chain-thaw", "gradual"])
@pytest.mark.parametrize("stop_at", [1, 5, 9])
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    method, stop_at, tmp_path, monkeypatch
):
    class StoppedError(KeyError):
        pass

    monkeypatch.setattr(tuners, "_SAVE_SECONDS", 0.0)
    epochs = []

    def stop(progress):
        if progress.validation_loss is not None:
            epochs.append(progress)
        if len(epochs) == stop_at and progress.validation_loss is None:
            raise StoppedError

    monkeypatch.setattr(tuners, "_REPORT_SECONDS", 0.0)
    whole = run(method)
    with pytest.raises(StoppedError):
        run(method, report=stop, folder=tmp_path / "run")
    rest = run(method, folder=tmp_path / "run")
    assert len(rest.history) == len(whole.history)
    for name, array in whole.weights.items():
        assert np.array_equal(array, rest.weights[name]), name


def test_a_folder_of_another_run_is_refused(tmp_path):
    run("last", folder=tmp_path / "run")
    with pytest.raises(InputError, match=r"another patience \(2 there, 3 now\)"):
        run("last", folder=tmp_path / "run", patience=3)
    with pytest.raises(InputError, match="another data"):
        run("last", folder=tmp_path / "run", kind="multi")
    # Half of it would be of the one arithmetic, half of the other.
    with pytest.raises(InputError, match="another precision"):
        run("last", folder=tmp_path / "run", precision="bf16-mixed")


def test_a_loss_that_is_no_number_ends_the_run():
    with pytest.raises(DeepmojiError, match="lower learning rates"):
        run("full", learning_rate=1e38, clip_norm=1e38, epochs=50)


@pytest.mark.parametrize(("kind", "classes"), [("binary", 2), ("single", 3), ("multi", 3)])
def test_what_is_stored_has_a_column_for_each_class(kind, classes):
    outcome = run("last", kind=kind)
    assert outcome.config.classes == classes
    assert outcome.config.outputs == ("sigmoid" if kind == "multi" else "softmax")
    assert outcome.weights["output.weight"].shape == (classes, SIZES.features)
    if kind == "binary":  # one sigmoid is the softmax over 0 and z
        assert not outcome.weights["output.weight"][0].any()
        assert outcome.weights["output.bias"][0] == 0


def examples(max_tokens=8):
    part = lesson()
    ones = np.ones((len(part.train), 1), np.float32)
    return Examples.of(part.train, part.train_targets, max_tokens=max_tokens, weights=ones)


@torch.no_grad()
@pytest.mark.parametrize("lowest", LAYERS)
@pytest.mark.parametrize("fits", [True, False])
def test_what_frozen_layers_say_is_what_the_network_says(lowest, fits, monkeypatch):
    monkeypatch.setattr(Reader, "_fits", lambda self: fits)
    torch.manual_seed(0)
    network, texts = Network(SIZES).eval(), examples()
    rows = torch.tensor([5, 0, 5, 3, 11])
    ids = torch.zeros(5, 8, dtype=torch.int64)
    for place, row in enumerate(rows):
        start, length = int(texts.starts[row]), int(texts.lengths[row])
        ids[place, :length] = texts.ids[start : start + length]
    expected = network(ids, texts.lengths[rows]).logits
    found = Reader(network, texts, lowest, torch.float32).logits(rows)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_texts_are_cut_and_empty_ones_are_one_unknown_word():
    ids, targets = [[11, 12, 13], []], np.eye(2, dtype=np.float32)
    texts = Examples.of(ids, targets, max_tokens=2, weights=np.ones((2, 1), np.float32))
    assert texts.ids.tolist() == [11, 12, 1]
    assert texts.lengths.tolist() == [2, 1]


def test_class_weights_by_hand():
    targets = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32)
    found = class_weights(targets, "softmax")
    np.testing.assert_allclose(found[:, 0], [2 / 3, 2 / 3, 2 / 3, 2])
    np.testing.assert_allclose(found.mean(), 1)
    one = class_weights(targets[:, 1:], "sigmoid")
    np.testing.assert_allclose(one[:, 0], [2 / 3, 2 / 3, 2 / 3, 2])
    never = class_weights(np.array([[1, 0], [1, 0]], np.float32), "sigmoid")
    assert np.isfinite(never).all()


def test_losses_by_hand():
    logits = torch.tensor([[0.0, np.log(3.0)]])
    targets, ones = torch.tensor([[0.0, 1.0]]), torch.ones(1, 1)
    assert float(loss_of(logits, targets, ones, "softmax")) == pytest.approx(-np.log(0.75))
    both = loss_of(logits, targets, torch.ones(1, 2), "sigmoid")
    assert float(both) == pytest.approx((-np.log(0.5) - np.log(0.75)) / 2)
    assert float(loss_of(logits, targets, 2 * ones, "softmax")) == pytest.approx(-2 * np.log(0.75))


@torch.no_grad()
def test_the_plain_network_reads_the_last_states_of_both_directions():
    torch.manual_seed(0)
    network = PlainNetwork(SIZES).eval()
    ids, lengths = torch.randint(2, 40, (3, 6)), torch.tensor([2, 6, 4])
    output = network(ids, lengths)
    assert output.features.shape == (3, 10)
    reference = torch.nn.LSTM(6, 5, num_layers=2, bidirectional=True)
    state = {}
    for layer, part in enumerate((network.lstm_1, network.lstm_2)):
        for lstm, suffix in ((part.ahead, ""), (part.back, "_reverse")):
            for name, value in lstm.state_dict().items():
                state[f"{name.removesuffix('0')}{layer}{suffix}"] = value
    reference.load_state_dict(state)
    for row, length in enumerate(lengths):
        words = torch.tanh(network.embedding(ids[row, :length])).unsqueeze(1)
        last = reference(words)[1][0][2:, 0].flatten()  # of both directions of layer 2
        torch.testing.assert_close(output.features[row], last, atol=1e-6, rtol=1e-6)


def test_standing_counts_epochs_without_a_better_one():
    standing = Standing()
    for loss in (1.0, 0.5, 0.6, 0.7):
        standing.note(stage="output", train_loss=1.0, validation_loss=loss, seconds=0.1)
    assert (standing.epoch, standing.waited, standing.stage_loss) == (4, 2, 0.5)
    standing.next_stage()
    assert (standing.stage, standing.epoch, standing.waited) == (1, 0, 0)
