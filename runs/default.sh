#!/usr/bin/env bash
# The shipped model, from posts to bundle. Stopped and started again, every step goes on where it was.
# POSTS: a folder of posts with emojis; WORK: where corpus, checkpoints and models go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

POSTS="${POSTS:-${DEEPMOJI_SHARED:-../shared}/corpus}"
WORK="${WORK:-runs/default}"
DEEPMOJI="${DEEPMOJI:-.venv/bin/deepmoji}"

"$DEEPMOJI" corpus build "$POSTS" --out "$WORK/corpus"

# One pass over the pairs: as much as two cores do in two hours. Seeing each pair once, it needs
# little dropout; the smaller embedding start and penalty keep rare words from drowning in noise.
"$DEEPMOJI" pretrain "$WORK/corpus" --out "$WORK/model" \
    --epochs "${EPOCHS:-1.0}" --batch-size 256 --learning-rate 0.002 --warmup 200 --decay 0.4 \
    --embedding-l2 1e-7 --embedding-range 0.1 --embedding-dropout 0 --final-dropout 0.1 \
    --max-tokens 40 --evaluate-every 1000 --checkpoint-every 200 --seed 0

"$DEEPMOJI" evaluate "$WORK/corpus" --model "$WORK/model" --baseline --out "$WORK/scores.json"

# What ships: int8, compared with the full model on the texts of the test split.
.venv/bin/python - "$WORK/corpus/test.parquet" > "$WORK/texts.txt" <<'PYTHON'
import sys
import pyarrow.parquet as pq
for text in pq.read_table(sys.argv[1], columns=["text"])["text"].to_pylist():
    print(" ".join(text.split()))
PYTHON
"$DEEPMOJI" export "$WORK/model" --out src/deepmoji/models/default --precision int8 \
    --texts "$WORK/texts.txt" --scores "$WORK/scores.json"
