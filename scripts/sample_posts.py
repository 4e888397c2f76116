"""Print English posts of a folder of Parquet shards, drawn with a seed, their emojis taken out.

`python -m scripts.sample_posts POSTS COUNT`: one post a line, for `deepmoji fit-projection`.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from deepmoji.text.emojis import remove_emojis

SEED = 0


def main() -> int:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    texts: list[str] = []
    for path in sorted(folder.glob("*.parquet")):
        table = pq.read_table(path, columns=["text", "lang"])
        texts += table.filter(pc.equal(table["lang"], "en"))["text"].to_pylist()
    kept = 0
    for row in np.random.default_rng(SEED).permutation(len(texts)):
        if kept == count:
            break
        if line := " ".join(remove_emojis(texts[row]).split()):
            print(line)
            kept += 1
    return 0 if kept == count else 1


if __name__ == "__main__":
    sys.exit(main())
