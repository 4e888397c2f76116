"""The names of the files in a corpus folder."""

import re
from typing import Final

FORMAT_VERSION = 1
TRAIN_FOLDER = "train"
VOCABULARY = "vocabulary.json"
LABELS = "labels.json"
REPORT = "report.json"
REPORT_TEXT = "report.md"
EVALUATION_SPLITS: Final = ("validation", "test")
_PART = re.compile(rf"{TRAIN_FOLDER}/part-\d{{5,}}\.parquet")


def part_name(number: int) -> str:
    """Return the name of a training shard."""
    return f"part-{number:05d}.parquet"


def split_name(split: str) -> str:
    """Return the name of an evaluation split's file."""
    return f"{split}.parquet"


FILES: Final = (REPORT, REPORT_TEXT, VOCABULARY, LABELS, *map(split_name, EVALUATION_SPLITS))


def is_ours(name: str) -> bool:
    """Whether a file has the name of one that builds write.

    >>> is_ours("train/part-00000.parquet"), is_ours("train/part-0.csv")
    (True, False)

    Args:
        name: within the corpus folder.
    """
    return name in FILES or _PART.fullmatch(name) is not None
