"""The seven sentences of the README as the shipped model answers them → results/sentences.json."""

import deepmoji
from benchmarks.record import write
from deepmoji.bundle import SHIPPED

SENTENCES = (
    "I love mom's cooking",
    "I love how you never reply back..",
    "I love cruising with my homies",
    "I love messing with yo mind!!",
    "I love you and now you're just gone..",
    "This is shit",
    "This is the shit",
)


def main() -> None:
    model = deepmoji.load()
    answers = [
        {
            "text": answer.text,
            "top": [[label, round(share, 4)] for label, share in answer.top],
        }
        for answer in model.predict(SENTENCES)
    ]
    write("sentences", {"sentences": answers}, model=SHIPPED)


if __name__ == "__main__":
    main()
