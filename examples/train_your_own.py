"""Posts to a model that predicts their emojis, in one screen; a toy, done in seconds on a CPU.

Real posts take the same three calls: see runs/default.sh for how the shipped model was made.
"""

import random
import tempfile
from pathlib import Path

import deepmoji
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.training.pretrain import Hardware, pretrain

CUES = {"😂": ("funny", "joke"), "😭": ("crying", "lost"), "😍": ("lovely", "flowers")}
FILLERS = ("the", "my", "today", "really", "this", "was", "so", "we", "what", "it", "is", "here")


def post(draw: random.Random) -> str:
    """Make up a post whose emoji follows from one of its words."""
    emoji = draw.choice(list(CUES))
    words = [*draw.choices(FILLERS, k=draw.randint(2, 9)), draw.choice(CUES[emoji])]
    draw.shuffle(words)
    return f"{' '.join(words)} {emoji}"


def main() -> None:
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "posts.txt").write_text("\n".join(post(draw) for _ in range(600)), "utf-8")
        corpus = CorpusSettings(language="any", labels="top:3", per_emoji=10, natural=30)
        build([work / "posts.txt"], work / "corpus", settings=corpus, workers=1)

        settings = PretrainConfig(epochs=6, batch_size=32, learning_rate=0.01, warmup=5)
        sizes = ModelConfig(units=16, embedding_size=16)
        hardware = Hardware(device="cpu", processes=1)
        pretrain(work / "corpus", work / "model", model=sizes, config=settings, hardware=hardware)

        moji = deepmoji.load(work / "model")
        for text in ("what a funny day", "these flowers", "we lost"):
            print(text, moji.predict(text).top[0])


if __name__ == "__main__":
    main()
