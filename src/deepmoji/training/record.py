"""What a bundle's record says of the corpus that a model learnt from."""

from collections.abc import Mapping
from typing import Any, cast

from deepmoji.corpus.shards import CorpusFolder


def corpus_record(corpus: CorpusFolder) -> dict[str, Any]:
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
