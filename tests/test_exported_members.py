"""The public names: a small surface, sorted, and nothing loaded before it is used."""

import subprocess
import sys

import pytest

import deepmoji


def test_names():
    assert deepmoji.__all__ == [
        "BundleError",
        "DeepMojiClassifier",
        "DeepMojiVectorizer",
        "DeepmojiError",
        "FineTuned",
        "InputError",
        "MissingDependency",
        "Prediction",
        "Predictor",
        "SentenceTokenizer",
        "Word",
        "__version__",
        "define_deepmoji",
        "finetune",
        "finetune_chainthaw",
        "load",
        "tokenize",
    ]


def test_every_name_is_there_and_says_what_it_is():
    for name in deepmoji.__all__:
        member = getattr(deepmoji, name)
        assert member.__doc__
        assert name in dir(deepmoji)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'finetun'"):
        deepmoji.finetun  # noqa: B018


@pytest.mark.parametrize(
    ("use", "absent"),
    [
        ("pass", {"numpy", "onnxruntime", "rich", "typer", "text_unidecode"}),
        ("deepmoji.tokenize('hi')", {"numpy", "onnxruntime", "rich", "typer"}),
        ("deepmoji.load", {"rich", "typer"}),
    ],
)
def test_a_name_loads_what_it_needs_and_no_more(use, absent):
    code = f"import sys, deepmoji; {use}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert absent & set(loaded) == set()
