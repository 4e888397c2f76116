"""What a bundle's record says of the corpus that a model learnt from, and how it is written."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:  # it brings pyarrow, which an export does without
    from deepmoji.corpus.shards import CorpusFolder


def corpus_record(corpus: "CorpusFolder") -> dict[str, Any]:
    """Return the corpus's counts and settings, none of its posts.

    Returns:
        ``corpus``, the pairs of each split; ``corpus_settings``; and ``posts``: how many there
        were, how many were kept, and what each filter dropped.
    """
    report = corpus.report
    rules = cast("Mapping[str, Mapping[str, Any]]", report.get("rules", {}))
    return {
        "corpus": report["pairs"],
        "corpus_settings": report.get("settings", {}),
        "posts": {name: report[name] for name in ("posts", "kept") if name in report}
        | {
            "filters": {
                name: {key: rule.get(key) for key in ("drops", "applied", "dropped")}
                for name, rule in rules.items()
            }
        },
    }


def without_nan(value: Any) -> Any:
    """Return a record, of plain values, with None for what is no number: JSON has no word for it.

    >>> without_nan({"loss": float("nan"), "steps": [1, 2]})
    {'loss': None, 'steps': [1, 2]}
    """
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {name: without_nan(each) for name, each in entries.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in cast("Sequence[Any]", value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
