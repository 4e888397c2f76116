"""The base model, for the systems that read a text's encoding and train nothing below it."""

from functools import lru_cache
from pathlib import Path

from deepmoji.inference.predictor import Predictor, load


@lru_cache(maxsize=1)
def predictor(base: Path | None) -> Predictor:
    """Return a base model, loaded once; None: the shipped one."""
    return load(base)
