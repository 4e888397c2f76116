"""How many texts are read exactly as the original read them (its own outputs, shared data)."""

import gzip
import json
from typing import Any

from benchmarks.record import shared, write
from deepmoji.text.emojis import EMOJI_CHARACTERS
from deepmoji.text.tokenizer import tokenize, train_words
from deepmoji.text.vocabulary import Vocabulary

CUT = 30


def main() -> None:
    with gzip.open(shared("golden", "tokens.jsonl.gz"), "rt", encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    vocabulary = Vocabulary.load(shared("golden", "vocabulary.json"))
    counts: dict[str, Any] = dict.fromkeys(("words", "ids", "train_words"), 0)
    refused = 0
    for case in cases:
        words = tokenize(case["text"])
        strict = train_words(case["text"])
        counts["words"] += words == case["words"]
        counts["ids"] += vocabulary.ids(words)[:CUT] == case["ids"]
        counts["train_words"] += strict == case["train_words"]
        # The original refused these for an emoji that its list of 2017 did not have.
        has_emoji = not EMOJI_CHARACTERS.isdisjoint(case["text"])
        refused += strict != case["train_words"] == [] and has_emoji
    write("golden", {"texts": len(cases), "equal": counts, "train_words_newer_emojis": refused})


if __name__ == "__main__":
    main()
