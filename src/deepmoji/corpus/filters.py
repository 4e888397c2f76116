"""The named filters, in the order in which they judge a post.

A post is dropped by the first rule that it fails. Rules on the raw post are Daft expressions;
rules on its words need Python and are in :mod:`deepmoji.corpus.words`. Source: the paper's section
on pretraining, and the original's tweet filter.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from daft import DataType, Expression, col, lit
from daft.functions import regexp, when

from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.words import CODES


def _retweet(_: CorpusSettings) -> Expression:
    return regexp(col("text"), "^[rR][tT]")


def _link(_: CorpusSettings) -> Expression:
    return regexp(col("text"), r"(?i)https?://|www\.")


def _other_language(settings: CorpusSettings) -> Expression:
    # A code may carry a region (en-GB); a post without a code is left to the detector.
    pattern = f"(?i)^({settings.language}([-_]|$)|$)"
    return col("lang").not_null() & ~regexp(col("lang"), pattern)


def _unsure(settings: CorpusSettings) -> Expression:
    # Stored in 32 bits, so compared in them: 0.9 is to be 0.9.
    least = lit(settings.min_language_score).cast(DataType.float32())
    has_code = col("lang").not_null() & regexp(col("lang"), ".")
    return has_code & (col("score").is_null() | (col("score") < least))


# Each tells from the raw post whether it fails a rule.
RAW_RULES: Mapping[str, Callable[[CorpusSettings], Expression]] = MappingProxyType(
    {
        "retweet": _retweet,
        "link": _link,
        "language": _other_language,
        "language-score": _unsure,
    }
)


def first_failed(settings: CorpusSettings) -> Expression:
    """Return the code of the first rule that the raw post fails; null if it passes them all."""
    failed = lit(None).cast(DataType.int32())
    # Backwards, so that the first rule has the last word.
    for rule in reversed([name for name in RAW_RULES if settings.applies(name)]):
        failed = when(RAW_RULES[rule](settings), CODES[rule]).otherwise(failed)
    return failed
