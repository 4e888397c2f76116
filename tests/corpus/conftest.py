import json
import random

import pytest

from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings

WORDS = """
the a my we you love hate day night work home food music game team friend dog cat sun rain happy
tired really never always why not this that good bad best worst time week year
""".split()  # noqa: SIM905
ENDINGS = ["😂", "😂😂", "😭", "❤️", "😍 😂", "👍🏽", "💀", "🤷🏽\u200d♀️😒"]
DROPPED = [
    ("retweet", "RT @bob so funny 😂", "en"),
    ("retweet", "rt this is fine 😂", "en"),
    ("link", "look at https://t.co/x 😂", "en"),
    ("link", "look at WWW.example.com 😂", "en"),
    ("language", "no puedo más con esto 😂", "es"),
    ("length", "@bob 12 !! 😂", "en"),
    ("length", "😂😂", "en"),
    ("wanted-emoji", "this one is only burning 🔥", "en"),
    ("wanted-emoji", "this one has none", "en"),
    ("non-ascii", "déjà vu all over 😂", "en"),
]
SETTINGS = CorpusSettings(per_emoji=6, natural=40, vocabulary_size=45, shard_rows=300)


def make_posts(count=1500, seed=7):
    """Posts that pass every filter, some of them near copies of each other."""
    draw = random.Random(seed)
    posts = []
    for number in range(count):
        words = draw.choices(WORDS, k=draw.randint(3, 9))
        posts.append(f"{' '.join(words)} {draw.choice(ENDINGS)}")
        if number % 50 == 0:
            posts.append(f"@you {' '.join(words).upper()}!!! {number} {draw.choice(ENDINGS)}")
    return posts


def write_jsonl(path, posts):
    lines = [json.dumps({"text": text, "lang": lang}, ensure_ascii=False) for text, lang in posts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def posts():
    return [(text, "en") for text in make_posts()] + [(text, lang) for _, text, lang in DROPPED]


@pytest.fixture(scope="session")
def post_file(tmp_path_factory, posts):
    path = tmp_path_factory.mktemp("posts") / "posts.jsonl"
    write_jsonl(path, posts)
    return path


@pytest.fixture(scope="session")
def corpus(tmp_path_factory, post_file):
    """A small corpus that several tests look at; none changes it."""
    out = tmp_path_factory.mktemp("corpus") / "out"
    build([post_file], out, settings=SETTINGS, workers=2)
    return out


@pytest.fixture(scope="session")
def make(tmp_path_factory):
    """Build a corpus of (text, language) pairs in one process and return its folder."""

    def make(posts, **changes):
        folder = tmp_path_factory.mktemp("made")
        write_jsonl(folder / "posts.jsonl", posts)
        settings = CorpusSettings(**changes)
        build([folder / "posts.jsonl"], folder / "out", settings=settings, workers=1)
        return folder / "out"

    return make
