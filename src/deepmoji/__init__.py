"""Emotion, sentiment and sarcasm in short texts, learnt from emojis.

>>> import deepmoji
>>> moji = deepmoji.load()  # doctest: +SKIP
>>> moji.predict("I love how you never reply back..").top  # doctest: +SKIP

Names are imported when they are first used: ``import deepmoji`` loads nothing else.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# From 1.29 on ONNX Runtime gives the machine a number, and tells its makers when it is used, unless
# told not to before it is loaded; what it takes later does not stop all of that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from deepmoji.classic.finetuning import finetune_chainthaw
    from deepmoji.classic.model import define_deepmoji
    from deepmoji.classic.tokenizer import SentenceTokenizer
    from deepmoji.errors import BundleError, DeepmojiError, InputError, MissingDependency
    from deepmoji.inference.prediction import Prediction, Word
    from deepmoji.inference.predictor import Predictor
    from deepmoji.interop.loading import load
    from deepmoji.text.tokenizer import tokenize
    from deepmoji.transfer.estimators import DeepMojiClassifier, DeepMojiVectorizer
    from deepmoji.transfer.finetune import FineTuned, finetune

    __version__: str

__all__ = [
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

_HOMES = {
    "BundleError": "deepmoji.errors",
    "DeepMojiClassifier": "deepmoji.transfer.estimators",
    "DeepMojiVectorizer": "deepmoji.transfer.estimators",
    "DeepmojiError": "deepmoji.errors",
    "FineTuned": "deepmoji.transfer.finetune",
    "InputError": "deepmoji.errors",
    "MissingDependency": "deepmoji.errors",
    "Prediction": "deepmoji.inference.prediction",
    "Predictor": "deepmoji.inference.predictor",
    "SentenceTokenizer": "deepmoji.classic.tokenizer",
    "Word": "deepmoji.inference.prediction",
    "define_deepmoji": "deepmoji.classic.model",
    "finetune": "deepmoji.transfer.finetune",
    "finetune_chainthaw": "deepmoji.classic.finetuning",
    "load": "deepmoji.interop.loading",
    "tokenize": "deepmoji.text.tokenizer",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = import_module("importlib.metadata").version("deepmoji")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'deepmoji' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
