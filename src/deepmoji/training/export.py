"""A trained network to a bundle, with the proof that the exported model agrees."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import nn

from deepmoji.bundle import Bundle, Contents, check_replaceable, write_bundle
from deepmoji.config import ModelConfig
from deepmoji.errors import BundleError, InputError
from deepmoji.files import atomic_path, write_json
from deepmoji.inference.predictor import Predictor
from deepmoji.text.tokenizer import tokenize
from deepmoji.text.vocabulary import UNKNOWN
from deepmoji.training.card import model_card
from deepmoji.training.graph import Weights, build_graph
from deepmoji.training.network import Network
from deepmoji.training.quantise import quantise_lstms
from deepmoji.training.record import corpus_record, without_nan
from deepmoji.training.weights import read_weights

Precision = Literal["fp32", "int8"]
_TOGETHER = 128  # texts
# Of fp32 probabilities and features against torch. ONNX Runtime approximates tanh and sigmoid, and
# some networks amplify what that leaves over a long text: 1.3e-05 of a feature was measured at 62
# words, where torch itself was 1.7e-06 away from double precision. One bias left out: 2.5e-02.
TOLERANCE, FEATURE_TOLERANCE = 1e-5, 1e-4

# Checked with when no texts are given: every kind of input that the text rules know.
SAMPLE_TEXTS: tuple[str, ...] = (
    "I love mom's cooking",
    "I love how you never reply back..",
    "I love cruising with my homies",
    "I love messing with yo mind!!",
    "I love you and now you're just gone..",
    "This is shit",
    "This is the shit",
    "",
    "ok",
    "@someone look at this http://example.org/page :) 42 times!!!!!",
    "soooo tired of waiting for the bus in the rain, third time this week, why does it always "
    "have to be me and never anybody else on this whole long and windy street of ours??",
)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far two forms of a model are apart on the same texts."""

    texts: int
    top1_agreement: float  # share of texts with the same most probable class
    max_probability_difference: float
    max_feature_difference: float
    min_feature_cosine: float


def _write(
    folder: str | Path, contents: Contents, parts: Mapping[str, Path], training: Mapping[str, Any]
) -> Bundle:
    record = {**without_nan(training), "graph_bytes": parts["model.onnx"].stat().st_size}
    card = model_card(contents.config, record)
    return write_bundle(folder, contents, training=record, card=card, parts=parts)


def compare(
    ours: tuple[NDArray[np.float32], NDArray[np.float32]],
    reference: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Agreement:
    """Compare (probabilities [n, C], features [n, F]) of the same texts."""
    (scores, features), (true_scores, true_features) = ours, reference
    norms = np.linalg.norm(features, axis=1) * np.linalg.norm(true_features, axis=1)
    cosines = (features * true_features).sum(axis=1) / np.maximum(norms, 1e-12)
    return Agreement(
        texts=len(scores),
        top1_agreement=float((scores.argmax(axis=1) == true_scores.argmax(axis=1)).mean()),
        max_probability_difference=float(np.abs(scores - true_scores).max()),
        max_feature_difference=float(np.abs(features - true_features).max()),
        min_feature_cosine=float(cosines.min()),
    )


def weights_of(network: Network) -> dict[str, NDArray[np.float32]]:
    """Return the network's parameters by name, float32."""
    return {name: p.detach().float().cpu().numpy() for name, p in network.named_parameters()}


def probabilities(logits: torch.Tensor, config: ModelConfig) -> torch.Tensor:
    """Map logits [B, C] to probabilities, as the graph does."""
    return torch.softmax(logits, dim=-1) if config.outputs == "softmax" else torch.sigmoid(logits)


def as_network(config: ModelConfig, weights: Weights) -> Network:
    """Return the network with weights by parameter name, ready to read."""
    with torch.device("meta"):
        network = Network(config)
    arrays = {name: torch.from_numpy(np.array(each)) for name, each in weights.items()}
    network.load_state_dict(arrays, assign=True)
    return network.eval()


@torch.no_grad()
def network_scores(
    network: Network, ids: Sequence[Sequence[int]], max_tokens: int
) -> NDArray[np.float32]:
    """Return the probabilities of texts given as ids, float32 [n, C], in the order given."""
    rows = [torch.tensor(list(row[:max_tokens]) or [UNKNOWN]) for row in ids]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    scores = np.empty((len(rows), network.config.classes), np.float32)
    for start in range(0, len(order), _TOGETHER):
        places = order[start : start + _TOGETHER]
        batch = nn.utils.rnn.pad_sequence([rows[place] for place in places], batch_first=True)
        lengths = torch.tensor([len(rows[place]) for place in places])
        scores[places] = probabilities(network(batch, lengths).logits, network.config).numpy()
    return scores


def torch_outputs(
    network: Network, bundle: Bundle, texts: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return torch's probabilities [n, C] and features [n, F], one text at a time."""
    scores: list[NDArray[np.float32]] = []
    features: list[NDArray[np.float32]] = []
    network.eval()
    with torch.no_grad():
        for text in texts:
            ids = bundle.vocabulary.ids(tokenize(text))[: bundle.max_tokens] or [1]
            output = network(torch.tensor([ids]), torch.tensor([len(ids)]))
            scores.append(probabilities(output.logits, network.config).numpy())
            features.append(output.features.numpy())
    return np.concatenate(scores), np.concatenate(features)


def save_network(
    network: Network,
    out: str | Path,
    *,
    contents: Contents,
    training: Mapping[str, Any],
    texts: Sequence[str] = SAMPLE_TEXTS,
) -> Bundle:
    """Write a network as an fp32 bundle with its weights, once ONNX and torch are shown to agree.

    Args:
        network: the trained network.
        out: the bundle's folder.
        contents: the rest of the bundle.
        training: what made the network; the measured agreement is added.
        texts: real texts to compare on.

    Raises:
        BundleError: if ONNX Runtime and torch differ by more than 1e-5 in a probability, or 1e-4
            in a feature.
    """
    weights = weights_of(network)
    with tempfile.TemporaryDirectory() as scratch:
        parts = {"model.onnx": Path(scratch) / "graph", "model.safetensors": Path(scratch) / "w"}
        onnx.save(build_graph(weights, network.config), parts["model.onnx"])
        save_file(weights, parts["model.safetensors"])
        draft = _write(Path(scratch) / "bundle", contents, parts, training)
        predictor = Predictor(draft)
        agreement = compare(
            (predictor.scores(texts), predictor.encode(texts)), torch_outputs(network, draft, texts)
        )
        for what, worst, limit in (
            ("probability", agreement.max_probability_difference, TOLERANCE),
            ("feature", agreement.max_feature_difference, FEATURE_TOLERANCE),
        ):
            if not worst <= limit:
                raise BundleError(
                    f"the exported model differs from the trained one by {worst:.1e} in a {what}, "
                    f"more than {limit:.0e}; nothing was written. Please report this as a bug"
                )
        full = {**training, "precision": "fp32", "agreement_with_torch": vars(agreement)}
        return _write(out, contents, parts, full)


def write_record(bundle: Bundle, training: Mapping[str, Any]) -> Bundle:
    """Write what made a model, and how good it is, into its bundle and onto its card."""
    training = without_nan(training)
    write_json(bundle.folder / "training.json", training)
    with atomic_path(bundle.folder / "README.md") as card:
        card.write_text(model_card(bundle.config, training), encoding="utf-8")
    return Bundle.open(bundle.folder)


def export(
    source: str | Path,
    out: str | Path,
    *,
    precision: Precision = "int8",
    texts: Sequence[str] = SAMPLE_TEXTS,
    scores: Mapping[str, Any] | None = None,
    calibrate: str | Path | None = None,
    notes: Sequence[str] = (),
) -> Bundle:
    """Write a bundle for inference alone from one that holds its training weights.

    ``int8`` stores LSTM and embedding in bytes: a quarter of the size, and faster.

    A model that pretraining has calibrated stays as it is; one from before that can be calibrated
    here, once.

    Args:
        source: a bundle with ``model.safetensors``.
        out: the new bundle's folder.
        precision: ``int8`` or ``fp32``.
        texts: real texts on which the two forms are compared, for the model card.
        scores: results on an evaluation set, for the model card.
        calibrate: the corpus that the model was trained on, to calibrate it with.
        notes: sentences about this model, for the model card, instead of those that it has.

    Raises:
        BundleError: if the source has no weights, or ``out`` holds something that would be lost.
        InputError: for an unknown precision or no texts; or if the model cannot be calibrated.
    """
    if precision not in ("int8", "fp32"):
        raise InputError(f"precision has to be 'int8' or 'fp32', not {precision!r}")
    if not texts:
        raise InputError("give at least one text to compare the exported model on")
    bundle = Bundle.open(source)
    weights = read_weights(bundle)
    check_replaceable(out)
    if (Path(out) / "model.safetensors").exists():
        raise BundleError(
            f"{out} holds training weights, which the exported bundle would not have; "
            "choose another folder, or delete it first"
        )
    contents = Contents.of(bundle)
    training = dict(bundle.training)
    if calibrate is not None:
        weights, training = _calibrated(bundle, weights, calibrate)
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "graph.onnx"

        def draft(name: str, kind: Precision) -> Predictor:
            write_graph(weights, bundle, graph, kind)
            return Predictor(_write(Path(scratch) / name, contents, {"model.onnx": graph}, {}))

        reference = Predictor(bundle) if calibrate is None else draft("reference", "fp32")
        ours = draft("ours", precision)
        agreement = compare(
            (ours.scores(texts), ours.encode(texts)),
            (reference.scores(texts), reference.encode(texts)),
        )
        training |= {"precision": precision, "agreement_with_fp32": vars(agreement)}
        if notes:
            training["notes"] = [" ".join(note.split()) for note in notes]
        if precision != "fp32":  # what was shown of the fp32 graph says nothing of this one
            training.pop("agreement_with_torch", None)
            before = cast("Mapping[str, Any]", training.pop("scores", {}))
            training["scores"] = {
                f"{name} before quantisation": each for name, each in before.items()
            }
        if scores is not None:
            training["scores"] = dict(scores)
        return _write(out, contents, {"model.onnx": graph}, training)


def _calibrated(
    bundle: Bundle, weights: Weights, folder: str | Path
) -> tuple[Weights, dict[str, Any]]:
    """Return a bundle's weights and record, calibrated on a corpus."""
    # Here: they bring pyarrow, which nothing else of an export takes.
    from deepmoji.corpus.shards import CorpusFolder
    from deepmoji.training.calibration import calibrate_bundle

    corpus = CorpusFolder.open(folder)
    network = as_network(bundle.config, weights)
    record = calibrate_bundle(network, bundle, corpus)
    if corpus.report["pairs"] == bundle.training.get("corpus"):
        record |= corpus_record(corpus)  # all of it: older bundles hold less
    training = {**bundle.training, **record}
    training.pop("agreement_with_torch", None)  # it was shown of other weights
    return weights_of(network), training


def write_graph(weights: Weights, bundle: Bundle, path: Path, precision: Precision) -> None:
    """Write the ONNX file of a network in a precision."""
    if precision == "fp32":
        onnx.save(build_graph(weights, bundle.config), path)
        return
    model = build_graph(weights, bundle.config, int8_embedding=True)
    quantise_lstms(model, float(np.tanh(np.abs(weights["embedding.weight"]).max())))
    onnx.save(model, path)
