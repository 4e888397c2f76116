"""Small corpora of generated posts whose emoji follows from their words."""

import random
from pathlib import Path

from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings

EMOJIS = ("😂", "😭", "😡", "😍")
_CUES = (("funny", "joke"), ("crying", "lost"), ("angry", "traffic"), ("lovely", "flowers"))
_FILLERS = [
    "the",
    "a",
    "my",
    "today",
    "really",
    "this",
    "was",
    "so",
    "we",
    "then",
    "and",
    "what",
    "it",
    "is",
    "here",
    "now",
]


def make_posts(count: int, seed: int = 0) -> list[str]:
    """Return posts of 3 to 12 words, one of which tells the emoji."""
    draw = random.Random(seed)
    posts: list[str] = []
    for number in range(count):
        kind = draw.randrange(len(EMOJIS))
        words = draw.choices(_FILLERS, k=draw.randint(2, 11))
        words.insert(draw.randrange(len(words) + 1), draw.choice(_CUES[kind]))
        # A word of its own keeps generated posts from being near copies of each other.
        posts.append(
            f"{' '.join(words)} word{chr(97 + number % 26)}{chr(97 + number // 26 % 26)} "
            f"{EMOJIS[kind]}"
        )
    return posts


def make_corpus(folder: Path, count: int = 600) -> Path:
    """Build a corpus folder from generated posts."""
    posts = folder.with_name(f"{folder.name}-posts.txt")
    posts.parent.mkdir(parents=True, exist_ok=True)
    posts.write_text("\n".join(make_posts(count)), encoding="utf-8")
    labels = folder.with_name(f"{folder.name}-labels.txt")
    labels.write_text("\n".join(EMOJIS), encoding="utf-8")
    settings = CorpusSettings(
        language="any", labels=str(labels), per_emoji=10, natural=30, vocabulary_size=500
    )
    build([str(posts)], folder, settings=settings, workers=1)
    return folder
