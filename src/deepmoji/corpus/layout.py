"""The names of the files in a corpus folder."""

from typing import Final

FORMAT_VERSION = 1
TRAIN_FOLDER = "train"
VOCABULARY = "vocabulary.json"
LABELS = "labels.json"
REPORT = "report.json"
REPORT_TEXT = "report.md"
EVALUATION_SPLITS: Final = ("validation", "test")


def part_name(number: int) -> str:
    """Return the name of a training shard."""
    return f"part-{number:05d}.parquet"


def split_name(split: str) -> str:
    """Return the name of an evaluation split's file."""
    return f"{split}.parquet"
