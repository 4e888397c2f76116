"""The whole way on the command line: posts to a corpus to a model to a smaller one to answers."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.helpers.corpora import EMOJIS, make_posts

SIZES = ["--units", "12", "--embedding-size", "12", "--max-tokens", "20", "--precision", "32-true"]
SCHEDULE = ["--epochs", "4", "--batch-size", "32", "--learning-rate", "0.01", "--warmup", "5"]


def deepmoji(*arguments, status=0):
    command = [sys.executable, "-m", "deepmoji", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "posts.txt").write_text("\n".join(make_posts(500)), encoding="utf-8")
    (folder / "labels.txt").write_text("\n".join(EMOJIS), encoding="utf-8")
    build = ["corpus", "build", folder / "posts.txt", "--out", folder / "corpus", "--workers", "1"]
    choices = ["--language", "any", "--labels", folder / "labels.txt", "--per-emoji", "8"]
    deepmoji(*build, *choices, "--natural", "20")
    options = [*SIZES, *SCHEDULE, "--evaluate-every", "20", "--processes", "1", "--device", "cpu"]
    deepmoji("pretrain", folder / "corpus", "--out", folder / "model", *options)
    return folder


def test_the_model_answers(work):
    deepmoji("export", work / "model", "--out", work / "small")
    answers = deepmoji(
        "predict", "--model", work / "small", "--json", "--top", "1", "a funny day", "such traffic"
    )
    top = [json.loads(line)["top"][0]["label"] for line in answers.stdout.splitlines()]
    assert top == ["😂", "😡"]
    card = deepmoji("info", work / "small").stdout
    assert "int8" in card


def test_it_is_measured_beside_its_baselines(work):
    results = work / "results.json"
    run = ["evaluate", work / "corpus", "--model", work / "model", "--baseline", "--out", results]
    table = deepmoji(*run).stdout
    systems = json.loads(results.read_text("utf-8"))["systems"]
    assert list(systems) == ["prior", "fastText", "model"]
    assert "fastText" in table
    assert systems["model"]["natural_top1"] > systems["prior"]["natural_top1"] + 0.3
    deepmoji("export", work / "model", "--out", work / "scored", "--scores", results)
    card = (work / "scored" / "README.md").read_text("utf-8")
    assert "fastText" in card
    assert "In brackets 95 % intervals" in card


def test_an_older_model_is_calibrated_on_the_way(work):
    older = shutil.copytree(work / "model", work / "older")
    record = json.loads((older / "training.json").read_text("utf-8"))
    del record["calibration"]
    (older / "training.json").write_text(json.dumps(record), encoding="utf-8")
    choices = ["--calibrate", work / "corpus", "--note", "All of it was made up."]
    done = deepmoji("export", older, "--out", work / "calibrated", *choices)
    assert json.loads(done.stdout)["min_feature_cosine"] > 0.99
    assert "expected calibration error: validation" in done.stderr
    card = (work / "calibrated" / "README.md").read_text("utf-8")
    assert "## Calibration" in card
    assert "- All of it was made up." in card


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pretrain", "{work}/nothing", "--out", "{work}/m"], "corpus build"),
        (["pretrain", "{work}/corpus", "--out", "{work}/model", "--seed", "7"], "another"),
        (["export", "{work}/corpus", "--out", "{work}/m"], "bundle"),
        (["export", "{work}/model", "--out", "{work}/corpus"], "choose another folder"),
        (["export", "{work}/model", "--out", "{work}/model"], "would not have"),
        (["export", "{work}/model", "--out", "{work}/m", "--texts", "{work}/none"], "none"),
        (
            ["export", "{work}/model", "--out", "{work}/m", "--calibrate", "{work}/corpus"],
            "already",
        ),
        (["evaluate", "{work}/corpus", "--model", "{work}/corpus"], "bundle"),
        (["pretrain", "{work}/corpus", "--out", "{work}/corpus"], "choose another folder"),
    ],
)
def test_mistakes_are_told_in_one_line(work, arguments, message):
    done = deepmoji(*(a.format(work=work) for a in arguments), status=1)
    assert done.stderr.count("\n") == 1, done.stderr
    assert message in done.stderr
    assert not (work / "m").exists()


def test_usage_errors_are_2(work):
    deepmoji("pretrain", work / "corpus", status=2)
    deepmoji("export", status=2)
    deepmoji("export", work / "model", "--out", work / "m", "--precision", "int3", status=2)
    deepmoji("evaluate", work / "corpus", "--split", "train", status=2)
    for option, value in (("--units", "0"), ("--gates", "soft"), ("--device", "toaster")):
        deepmoji("pretrain", work / "corpus", "--out", work / "m", option, value, status=2)
    assert not (work / "m").exists()
