"""A model of one's own classes from a handful of labelled texts, in seconds on a CPU.

Real tasks take a file and a few hundred labels: deepmoji finetune reviews.csv --out my-model
"""

import deepmoji

PRAISE = (
    "what a wonderful evening", "I loved every minute", "best film of the year",
    "so glad we went", "made me laugh and cry", "this was brilliant", "the cast is amazing",
    "can't wait to see it again", "a lovely little story", "10/10 would recommend",
)  # fmt: skip
COMPLAINTS = (
    "what a waste of money", "I fell asleep", "worst film of the year", "so boring",
    "made me want to leave", "this was awful", "the cast is terrible",
    "never again", "a stupid little story", "I want my evening back",
)  # fmt: skip


def main() -> None:
    texts = [*PRAISE, *COMPLAINTS]
    labels = ["praise"] * len(PRAISE) + ["complaint"] * len(COMPLAINTS)
    tuned = deepmoji.finetune((texts, labels), method="last", validation_share=0.2)
    for text in ("the music was so beautiful", "two hours of my life that I won't get back"):
        print(text, "->", *tuned.predictor.predict(text).labels)


if __name__ == "__main__":
    main()
