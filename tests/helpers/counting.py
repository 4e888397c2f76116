"""A stand-in for fine-tuning that learns in milliseconds: word counts, in a real bundle."""

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from deepmoji.bundle import Contents, write_bundle
from deepmoji.config import ModelConfig
from deepmoji.evaluation.datasets import Labelled, Problem
from deepmoji.evaluation.measures import best_thresholds
from deepmoji.inference.predictor import Predictor, load
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import SPECIAL_TOKENS, Vocabulary


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What counting gives, as fine-tuning does."""

    predictor: Predictor
    report: dict[str, Any]

    def save(self, folder):
        contents = _contents(self.predictor.bundle)
        parts = {"model.onnx": self.predictor.bundle.graph}
        write_bundle(folder, contents, training=self.report, card="# Counts\n", parts=parts)
        return Path(folder)


def finetune(
    train: Labelled,
    *,
    method: str,
    seed: int,
    multi_label: bool,
    classes: Sequence[str],
    **settings: Any,
) -> Counted:
    """Fit logistic regressions on word counts, and write them as a bundle."""
    problem = Problem.of(train, multi_label=multi_label, classes=classes)
    words = [tokenize(text) for text in train.texts]
    known = sorted({word for text in words for word in text})
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *known])
    counts = np.zeros((len(train), len(vocabulary)))
    for row, text in enumerate(words):
        np.add.at(counts[row], vocabulary.ids(text), 1)
    weights, bias = _fit(counts, problem.targets(train, "training"), problem.kind)
    config = ModelConfig(
        vocabulary_size=len(vocabulary), embedding_size=1, units=1, classes=len(problem.classes),
        outputs="sigmoid" if multi_label else "softmax",
    )  # fmt: skip
    scratch = Path(tempfile.mkdtemp())
    graph = scratch / "model.onnx"
    onnx.save(_graph(weights, bias, config), graph)
    report = {"method": method, "seed": seed, "settings": settings, "kind": problem.kind}
    contents = Contents(config=config, vocabulary=vocabulary, labels=problem.classes, max_tokens=50)
    folder = scratch / "bundle"
    write_bundle(folder, contents, training={}, card="# Counts\n", parts={"model.onnx": graph})
    predictor = load(folder, threads=1)
    weakref.finalize(predictor, shutil.rmtree, scratch)
    targets = problem.targets(train, "training")
    report["thresholds"] = best_thresholds(targets, predictor.scores(train.texts)).tolist()
    return Counted(predictor=predictor, report=report)


def _contents(bundle):
    return Contents(
        config=bundle.config,
        vocabulary=bundle.vocabulary,
        labels=bundle.labels,
        max_tokens=bundle.max_tokens,
    )


def _fit(counts: np.ndarray, targets: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    if kind == "single":
        model = LogisticRegression(C=10).fit(counts, targets.argmax(axis=1))
        return model.coef_.T, model.intercept_
    columns = [np.zeros(counts.shape[1] + 1)] if kind == "binary" else []
    for target in targets[:, 1:].T if kind == "binary" else targets.T:
        if len(set(target)) < 2:
            columns.append(np.append(np.zeros(counts.shape[1]), 9 * target[0] - 4.5))
            continue
        model = LogisticRegression(C=10).fit(counts, target)
        columns.append(np.append(model.coef_[0], model.intercept_))
    both = np.stack(columns, axis=1)
    return both[:-1], both[-1]


def _graph(weights: np.ndarray, bias: np.ndarray, config: ModelConfig) -> onnx.ModelProto:
    weights = weights.astype(np.float32)
    weights[0] = 0  # padding
    constants = {
        "weights": weights,
        "bias": bias.astype(np.float32),
        "rows": np.zeros((len(weights), config.features), np.float32),
        "time": np.array([1]),
    }
    output = "Softmax" if config.outputs == "softmax" else "Sigmoid"
    nodes = [
        helper.make_node(operator, inputs.split(), [result], **more)
        for operator, inputs, result, more in (
            ("Gather", "weights ids", "added", {}),
            ("ReduceSum", "added time", "summed", {"keepdims": 0}),
            ("Add", "summed bias", "logits", {}),
            (output, "logits", "probabilities", {}),
            ("Gather", "rows ids", "nothing", {}),
            ("ReduceSum", "nothing time", "features", {"keepdims": 0}),
            ("Cast", "ids", "attention", {"to": TensorProto.FLOAT}),
            ("Cast", "lengths", "unused", {"to": TensorProto.FLOAT}),
        )
    ]
    shapes = {
        "ids": (TensorProto.INT64, "B", "T"),
        "lengths": (TensorProto.INT32, "B"),
        "probabilities": (TensorProto.FLOAT, "B", config.classes),
        "features": (TensorProto.FLOAT, "B", config.features),
        "attention": (TensorProto.FLOAT, "B", "T"),
    }
    values = [helper.make_tensor_value_info(n, kind, shape) for n, (kind, *shape) in shapes.items()]
    graph = helper.make_graph(
        nodes, "counts", values[:2], values[2:],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
