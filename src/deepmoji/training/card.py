"""The model card: what a model is, what made it, and how good it is, from its own records."""

from collections.abc import Mapping
from typing import Any

from deepmoji.config import ModelConfig


def model_card(config: ModelConfig, training: Mapping[str, Any]) -> str:
    """Return a bundle's README.md, Markdown, in the form that model hubs show."""
    sections = [
        "---\nlibrary_name: deepmoji\nlicense: mit\npipeline_tag: text-classification\n---",
        "# A deepmoji model",
        f"Reads a short text and gives the probabilities of {config.classes} classes, and an "
        f"encoding of {config.features} numbers. Embedding {config.vocabulary_size} x "
        f"{config.embedding_size}, two bidirectional LSTM layers of {config.units} units a "
        f"direction with {config.gates} gates, attention over both layers and the embedding "
        "(Felbo et al., EMNLP 2017). Stored as "
        f"{training.get('precision', 'fp32')}.",
        *_data(training.get("corpus")),
        *_table("## Settings", ("setting", "value"), training.get("settings")),
        *_scores(training.get("scores")),
        *_agreement(training),
        "## Limits\n\nIt learnt from posts as people wrote them, with their prejudices. A "
        "probability says how often such a text was posted with an emoji, not what its writer "
        "felt. Words it does not know, and languages it was not trained on, it guesses at.",
        "```\ndeepmoji predict --model THIS_FOLDER 'This is the shit'\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _data(corpus: Mapping[str, Any] | None) -> list[str]:
    if not corpus:
        return []
    return [
        f"## Data\n\n{corpus['train']} pairs of a text and an emoji it was posted with; "
        f"{corpus['validation']} for validation and {corpus['test']} for testing, whose texts "
        "(and near copies of them) were kept out of training."
    ]


def _table(title: str, head: tuple[str, str], values: Mapping[str, Any] | None) -> list[str]:
    if not values:
        return []
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    return [f"{title}\n\n| {head[0]} | {head[1]} |\n| --- | --- |\n{rows}"]


def _scores(scores: Mapping[str, Mapping[str, float]] | None) -> list[str]:
    if not scores:
        return []
    names = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5")
    rows = "\n".join(
        f"| {system} | " + " | ".join(f"{100 * values[name]:.1f}" for name in names) + " |"
        for system, values in scores.items()
    )
    return [
        "## Scores\n\nAccuracy in % on texts that training never saw: posts as they occur, and "
        "as many for each emoji (there the training prior is divided out).\n\n"
        "| | natural top 1 | natural top 5 | balanced top 1 | balanced top 5 |\n"
        f"| --- | --: | --: | --: | --: |\n{rows}"
    ]


def _agreement(training: Mapping[str, Any]) -> list[str]:
    sections: list[str] = []
    for name, other in (("torch", "the trained network"), ("fp32", "the fp32 model")):
        values = training.get(f"agreement_with_{name}")
        sections += _table(f"## Agreement with {other}", ("measure", "value"), values)
    return sections
