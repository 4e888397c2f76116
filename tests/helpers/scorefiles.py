"""Files of texts to score, and the parts that scoring writes."""

import random

from tests.helpers.bundles import WORDS


def make_texts(count, seed=0):
    """Texts of 0 to 30 words that the tiny model knows."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 30))) for _ in range(count)]


def write_texts(path, count, seed=0):
    """Write such texts to a file, a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in make_texts(count, seed)), encoding="utf-8")
    return path


def contents(out):
    """The bytes of every part of an output folder."""
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*.parquet")}
