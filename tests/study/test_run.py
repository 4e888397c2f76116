"""The whole study: what is held out, what comes out, and the command."""

import errno
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from deepmoji.bundle import SHIPPED
from deepmoji.cli import app
from deepmoji.errors import BundleError, InputError
from deepmoji.study import folds as folds_module
from deepmoji.study import plot as plot_module
from deepmoji.study import run as run_module
from deepmoji.study.folds import folds_of
from deepmoji.study.plot import plot_study
from deepmoji.study.ratings import Rated
from deepmoji.study.run import study
from tests.helpers.bundles import make_bundle
from tests.helpers.tunable import make_tunable

WORDS = {1: "lovely", -1: "awful", 0: "a table"}


def rated(count=60):
    """Texts that say what they are; every tenth stands there twice."""
    random = np.random.default_rng(0)
    texts, ratings = [], []
    for row in range(count):
        kind = (1, -1, 1, 0, -1)[row % 5]
        texts.append(f"{WORDS[kind]} {row - row % 10 if row % 10 == 5 else row}")
        own = np.clip(np.round(random.normal(3 * kind, 0.6, 8)), -4, 4)
        ratings.append(own if kind else np.array([1, -1, 0, 0, 1, -1, 0, 0]))
    return Rated.of(texts, ratings, (-4, 4))


class Reader:
    """A system that notes what it sees, and answers by the words."""

    def __init__(self):
        self.seen = []

    def fit(self, problem, train, validation, *, base, seed, measure):
        self.seen.append((train, validation, base, seed))
        return self

    def scores(self, texts):
        self.seen[-1] += (list(texts),)
        return np.array([[0.1, 0.9] if "lovely" in text else [0.8, 0.2] for text in texts])


@pytest.fixture
def reader(monkeypatch):
    system = Reader()
    for module in (folds_module, run_module):
        monkeypatch.setattr(module, "SYSTEMS", {"last": system})
    return system


def test_every_text_is_held_out_once_from_those_who_answer_it(reader, tmp_path):
    data, folder = rated(), make_bundle(tmp_path / "my-model").folder
    result = study(data, systems=["last"], folds=4, repeats=5, seed=3, base=str(folder))
    answered = [text for *_, texts in reader.seen for text in texts]
    assert sorted(answered) == sorted(data.texts)
    for train, validation, base, seed, texts in reader.seen:
        learnt = {*train.texts, *validation.texts}
        assert not learnt & set(texts)
        assert not any("table" in text for text in learnt)  # near neutral teaches nothing
        assert (base, seed) == (folder, 3)
    assert result["systems"]["last"]["agreement"] == 1
    assert result["base"] == "my-model"
    assert (result["seed"], result["folds"], result["repeats"]) == (3, 4, 5)
    assert result["texts"]["near_neutral_by_all_ratings"] == 12
    json.dumps(result)


def test_labels_are_the_signs_of_all_ratings():
    for fold in folds_of(rated(), 3, seed=0):
        for part in (fold.train, fold.validation):
            for text, (name,) in zip(part.texts, part.labels, strict=True):
                assert name == ("positive" if "lovely" in text else "negative")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"systems": ["bert"]}, "no system 'bert'"),
        ({"folds": 1}, "1 folds"),
        ({"folds": 61}, "61 folds"),
        ({"repeats": 0}, "repeats"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_is_refused(reader, options, message):
    with pytest.raises(InputError, match=message):
        study(rated(), **{"systems": ["last"], **options})


def test_a_base_that_is_none_is_told_before_anything_is_fitted(reader):
    with pytest.raises(BundleError, match="there is no model folder nowhere"):
        study(rated(), systems=["last"], base="nowhere")
    assert reader.seen == []


def test_the_shipped_model_has_one_name_however_it_is_given(reader):
    for base in (None, "default", SHIPPED):
        assert study(rated(), systems=["last"], folds=2, repeats=1, base=base)["base"] == "shipped"


def test_texts_of_one_kind_cannot_be_studied(reader):
    data = Rated.of(["a", "b", "c"], [[3, 4]] * 3, (-4, 4))
    with pytest.raises(InputError, match="both kinds"):
        study(data, systems=["last"], folds=2)


def test_plot(reader, tmp_path):
    result = study(rated(), systems=["last"], folds=2, repeats=3)
    plot_study(result, tmp_path / "plot")
    first = (tmp_path / "plot.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "plot.svg").read_text("utf-8")
    plot_study(result, tmp_path / "plot")
    assert (tmp_path / "plot.png").read_bytes() == first


def shares(result):
    return [entry[key] for entry in result["systems"].values() for key in ("low", "agreement")]


def test_the_plot_reaches_down_to_what_it_shows(reader):
    result = study(rated(), systems=["last"], folds=2, repeats=3)
    entry = result["systems"]["last"]
    result["systems"]["last"] = {**entry, "agreement": 0.25, "low": 0.1, "high": 0.4}
    (axes,) = plot_module._figure(result).axes
    left, right = axes.get_xlim()
    assert left < 100 * min(shares(result))
    assert right == 100
    for name, entry in result["systems"].items():
        result["systems"][name] = {**entry, "agreement": 0.8, "low": 0.7, "high": 0.9}
    result["systems"]["human"]["agreement_if_neutral_is_wrong"] = 0.41
    (axes,) = plot_module._figure(result).axes
    assert axes.get_xlim()[0] < 41
    result["systems"]["human"]["agreement_if_neutral_is_wrong"] = 0.7
    (axes,) = plot_module._figure(result).axes
    assert axes.get_xlim() == (44, 100)  # as the paper's figures have room


def test_a_plot_of_humans_who_never_took_a_side(reader, tmp_path):
    result = study(rated(), systems=["last"], folds=2, repeats=3)
    result["systems"]["human"]["agreement_without_neutral"] = None
    plot_study(result, tmp_path / "plot")
    assert (tmp_path / "plot.svg").is_file()


@pytest.fixture
def command(reader, tmp_path):
    """Call the command with a system that answers at once."""
    data, path = rated(), tmp_path / "ratings.jsonl"
    rows = zip(data.texts, data.ratings, strict=True)
    lines = [json.dumps({"text": text, "ratings": own.tolist()}) for text, own in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    for module in (folds_module, run_module):
        module.SYSTEMS.update(constant=reader, fasttext=reader)

    def command(*options):
        fixed = ["study", path, "--folds", 2, "--repeats", 3, "--no-minilm"]
        return CliRunner().invoke(app, [str(each) for each in (*fixed, *options)])

    return command


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--out", "folder"], "folder is no regular file"),
        (["--out", "file/out.json"], "cannot write"),
        (["--plot", "file/plot"], "cannot write"),
        (["--plot", "plotted"], r"plotted.png is no regular file"),
        (["--plot", "."], "names no file"),
        (["--plot", "folder/.."], "names no file"),
        (["--out", "new.svg", "--plot", "new"], "both"),
    ],
    ids=str,
)
def test_what_cannot_be_written_is_told_before_the_run(
    command, reader, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "plotted.png"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file").write_text("mine")
    result = command(*options)
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert message in line
    assert reader.seen == []
    assert (tmp_path / "file").read_text() == "mine"


def test_results_that_cannot_be_written_are_printed(command, reader, tmp_path, monkeypatch):
    """A disk that filled up while the models were trained."""

    def full(path, value):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("deepmoji.files.write_json", full)
    result = command("--out", tmp_path / "out.json", "--plot", tmp_path / "plot")
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert json.loads(result.stdout)["systems"]["last"]["agreement"] == 1


def test_a_plot_that_fails_loses_no_results(command, tmp_path, monkeypatch):
    def full(result, stem):
        raise OSError(errno.ENOSPC, "No space left on device", str(stem))

    monkeypatch.setattr("deepmoji.study.plot.plot_study", full)
    result = command("--out", tmp_path / "out.json", "--plot", tmp_path / "plot")
    assert result.exit_code == 1
    assert "one human" in result.stdout
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["systems"]["last"]


def test_the_command_says_so_where_no_human_took_a_side(command, monkeypatch):
    whole = run_module.human_details
    monkeypatch.setattr(
        run_module,
        "human_details",
        lambda draws: {**whole(draws), "agreement_without_neutral": None},
    )
    result = command()
    assert result.exit_code == 0, result.output
    assert "never took a side" in " ".join(result.stdout.split())


@pytest.mark.slow
def test_the_command_tunes_and_compares(tmp_path):
    data = rated(40)
    path, out = tmp_path / "ratings.jsonl", tmp_path / "out.json"
    rows = zip(data.texts, data.ratings, strict=True)
    lines = [json.dumps({"text": text, "ratings": own.tolist()}) for text, own in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    model = make_tunable(tmp_path / "tiny").folder
    result = CliRunner().invoke(
        app,
        ["study", str(path), "--model", str(model), "--scale", "-4", "4", "--folds", "2",
         "--repeats", "3", "--no-minilm", "--out", str(out), "--plot", str(tmp_path / "plot")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "one human" in result.stdout
    found = json.loads(out.read_text("utf-8"))
    assert set(found["systems"]) == {"chance", "constant", "fasttext", "last", "human"}
    assert found["base"] == "tiny"
    assert (tmp_path / "plot.svg").is_file()


def test_an_unknown_method_is_a_usage_error(tmp_path):
    result = CliRunner().invoke(app, ["study", "ratings.csv", "--method", "full"])
    assert result.exit_code == 2
    assert "chain-thaw" in result.output
