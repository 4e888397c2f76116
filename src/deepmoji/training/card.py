"""The model card: what a model is, what made it, and how good it is, from its own records."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from deepmoji.config import ModelConfig

Record = Mapping[str, Any]

_ACCURACIES = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5")
_CALIBRATION_ERROR = "natural_calibration_error"
_MEANT_FOR = (
    "Meant for: suggesting emojis; encoding texts for classifiers that are tuned, and tested, on "
    "labelled texts of one's own; studying many texts together."
)
_TUNED_FOR = (
    "Meant for: texts like those that it was tuned on, many of them together, with its labels."
)
_NOT_MEANT_FOR = (
    "Not meant for: decisions about single people (work, credit, insurance, health, policing); "
    "finding out what somebody feels; removing what people wrote without a person who looks; "
    "languages and kinds of text that it did not learn from."
)
_ALWAYS = (
    "It learnt from posts as people wrote them, with their prejudices, and repeats these.",
    "It sees words, not situations: irony and sarcasm are often read literally, and what is meant "
    "by a private joke or a picture beside the text is not there to be read.",
    "Words that it does not know, and languages it was not trained on, it guesses at. "
    "`unknown_share` of a prediction says how much of a text it knew.",
)
_OF_EMOJIS = (
    "A probability says how often such a text was posted with an emoji, not what its writer felt: "
    "people use emojis in jest, by habit, and differently by age, place and year.",
    "It learnt only from posts that hold an emoji; what people write without one may differ.",
    "Skin tones and gender signs of emojis were left out, so it cannot tell them.",
)


def model_card(config: ModelConfig, training: Record) -> str:
    """Return a bundle's README.md, Markdown, in the form that model hubs show."""
    sections = [
        "---\nlibrary_name: deepmoji\nlicense: mit\npipeline_tag: text-classification\n---",
        "# A deepmoji model",
        f"Reads a short text and gives the probabilities of {config.classes} classes, and an "
        f"encoding of {config.features} numbers. Embedding {config.vocabulary_size} x "
        f"{config.embedding_size}, two bidirectional LSTM layers of {config.units} units a "
        f"direction with {config.gates} gates, attention over both layers and the embedding "
        f"(Felbo et al., EMNLP 2017). Stored as {training.get('precision', 'fp32')}"
        f"{_megabytes(training)}.",
        "```\ndeepmoji predict --model THIS_FOLDER 'This is the shit'\n```",
        f"## Use\n\n{_TUNED_FOR if 'method' in training else _MEANT_FOR}\n\n{_NOT_MEANT_FOR}",
        *_data(training),
        *_recipe(training),
        *_scores(training.get("scores")),
        *_calibration(training.get("calibration")),
        *_agreement(training),
        f"## Limits and biases\n\n{_list(_limits(training))}",
    ]
    return "\n\n".join(sections) + "\n"


def _megabytes(training: Record) -> str:
    size = training.get("graph_bytes")
    return f", {size / 1e6:,.1f} MB" if size else ""


def _limits(training: Record) -> list[str]:
    limits = [*_ALWAYS]
    if "corpus" in training:
        limits += _OF_EMOJIS
        settings: Record = training.get("corpus_settings") or {}
        language, without = settings.get("language", "any"), settings.get("without", ())
        if language != "any" and "language" not in without:
            limits.append(
                f"It knows one language, `{language}`. A program chose the posts in it; such "
                "programs drop slang, dialect and mixed languages more often than the standard, "
                "so it knows these less."
            )
        if settings and "non-ascii" not in without:
            limits.append(
                "Words with a letter outside ASCII are unknown to it: posts with one were left out."
            )
    return [*limits, *cast("Sequence[str]", training.get("notes", ()))]


def _data(training: Record) -> list[str]:
    corpus: Record | None = training.get("corpus")
    if not corpus:
        return []
    posts: Record = training.get("posts") or {}
    lines: list[str] = []
    if posts.get("posts"):
        language = (training.get("corpus_settings") or {}).get("language", "any")
        of_language = "" if language == "any" else f"; language: `{language}`"
        lines.append(f"{posts['kept']:,} of {posts['posts']:,} posts{of_language}.")
    lines.append(
        f"{corpus['train']:,} pairs of a text and an emoji it was posted with; "
        f"{corpus['validation']:,} for validation and {corpus['test']:,} for testing, whose texts "
        "(and near copies of them) were kept out of training."
    )
    filters = cast("Mapping[str, Record]", posts.get("filters") or {})
    rows = [(rule["drops"], f"{rule['dropped']:,}") for rule in filters.values() if rule["applied"]]
    table = [_table(("what was dropped: a post that …", "posts"), rows)] if rows else []
    return ["\n\n".join(["## Data", " ".join(lines), *table])]


def _recipe(training: Record) -> list[str]:
    if not training.get("settings"):
        return []
    runs: list[Record] = [training]
    while earlier := runs[0].get("started_from"):
        runs.insert(0, earlier)
    columns = [_settings(run) for run in runs]
    names = dict.fromkeys(name for column in reversed(columns) for name in column)
    rows = [(name, *(str(column.get(name, "")) for column in columns)) for name in names]
    if len(runs) == 1:
        return [f"## Recipe\n\n{_table(('setting', 'value'), rows)}"]
    head = ("setting", *(f"run {number}" for number in range(1, len(runs) + 1)))
    return [
        "## Recipe\n\nTrained in several runs, each from the weights of the one before.\n\n"
        + _table(head, rows)
    ]


def _settings(run: Record) -> Record:
    corpus: Record = run.get("corpus") or {}
    pairs = {"training pairs": f"{corpus['train']:,}"} if "train" in corpus else {}
    spent = {name: f"{run[name]:,}" for name in ("steps", "seconds") if name in run}
    return {**pairs, **_besides(run), **cast("Record", run.get("settings") or {}), **spent}


def _besides(run: Record) -> Record:
    """What a run learnt from besides its corpus."""
    result: Record = {}
    # What learnt from one alone says so in another way.
    teachers: list[Record] = [run["teacher"]] if "teacher" in run else run.get("teachers", [])
    if teachers:
        named = (f"model {each['weights_sha256'][:8]}" for each in teachers)
        result["learnt from the answers of"] = ", ".join(named)
    if "vectors" in run:
        result["words that started from given vectors"] = f"{run['vectors']['words']:,}"
    if "encodings" in run:
        result["pairs with another model's encodings"] = f"{run['encodings']['pairs']:,}"
    return result


def _scores(scores: Mapping[str, Record] | None) -> list[str]:
    if not scores:
        return []
    head = ["", *(name.replace("_", " ").replace("top", "top ") for name in _ACCURACIES)]
    calibrated = any(_CALIBRATION_ERROR in values for values in scores.values())
    rows = [
        [system, *(_share(values, name) for name in _ACCURACIES)]
        + ([_percent(values.get(_CALIBRATION_ERROR))] if calibrated else [])
        for system, values in scores.items()
    ]
    if calibrated:
        head.append("calibration error")
    intervals = any(f"{_ACCURACIES[0]}_interval" in values for values in scores.values())
    return [
        "## Scores\n\nAccuracy in % on texts that training never saw: posts as they occur, and "
        "as many for each emoji (there the prior that a system speaks with is divided out)."
        + (" In brackets 95 % intervals." if intervals else "")
        + f"\n\n{_table(head, rows)}"
    ]


def _share(values: Record, name: str) -> str:
    interval: Sequence[float | None] = values.get(f"{name}_interval") or (None, None)
    lower, upper = map(_percent, interval)
    brackets = f" ({lower}–{upper})" if lower and upper else ""
    return f"{_percent(values[name])}{brackets}"


def _percent(share: float | None) -> str:
    return "" if share is None or math.isnan(share) else f"{100 * share:.1f}"


def _calibration(record: Record | None) -> list[str]:
    if not record:
        return []
    rows: list[list[str]] = []
    for split in ("validation", "test"):
        values = record[split]
        errors = [_percent(values[when]["calibration_error"]) for when in ("before", "after")]
        if values["rows"]:
            rows.append([split, f"{values['rows']:,}", *errors])
    prior = (
        ", and from the frequencies that training drew emojis with to those of posts as they occur"
        if record["prior_corrected"]
        else ""
    )
    return [
        f"## Calibration\n\nThe probabilities were brought to a temperature of "
        f"{record['temperature']:.3f}{prior}; fitted on validation posts alone. Expected "
        "calibration error of the most probable emoji (15 bins) in %, of the unquantised model on "
        "posts as they occur:\n\n" + _table(("posts for", "pairs", "before", "after"), rows)
    ]


def _agreement(training: Record) -> list[str]:
    sections: list[str] = []
    for name, other in (("torch", "the trained network"), ("fp32", "the fp32 model")):
        values: Record = training.get(f"agreement_with_{name}") or {}
        rows = [
            (key, f"{value:,}" if isinstance(value, int) else f"{value:.4g}")
            for key, value in values.items()
        ]
        if rows:
            sections.append(f"## Agreement with {other}\n\n{_table(('measure', 'value'), rows)}")
    return sections


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _list(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)
