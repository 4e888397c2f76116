#!/usr/bin/env bash
# The shipped model, from posts to bundle. Started again after a stop, building and training go on.
# POSTS: a folder of posts with emojis; WORK: where corpus, checkpoints and the full model go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

POSTS="${POSTS:-${DEEPMOJI_SHARED:-../shared}/corpus}"
WORK="${WORK:-runs/default}"
PYTHON="${PYTHON:-.venv/bin/python}"
SHIPPED=src/deepmoji/models/default

"$PYTHON" -m deepmoji corpus build "$POSTS" --out "$WORK/corpus"

# Not quite one pass over the pairs, what two cores do in an hour and a half. A model that sees each
# pair once needs little dropout; a small start and a small penalty keep the rare words of a corpus
# of this size from drowning in their random vectors. What has been tried on top of it stands in
# docs/training-log.md ("Full size").
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/model" \
    --epochs 0.8 --batch-size 256 --learning-rate 0.002 --warmup 200 --decay 0.4 \
    --embedding-l2 1e-7 --embedding-range 0.1 --embedding-dropout 0 --final-dropout 0.1 \
    --max-tokens 40 --evaluate-every 1000 --checkpoint-every 200 --seed 0 --processes 2

# What pretrain calibrated on the validation posts is calibrated for good: nothing to do here.
# What is known of these posts, and no record says (see the README beside them), goes on the card.
NOTES=(
    --note "About nine in ten of the posts are tweets of 2013 to 2023; words and emojis of other
years, and other meanings that they have had since, it does not know."
    --note "Topics are skewed: one collection of posts is all about COVID, one about the trial of a
celebrity."
)

# What ships: int8, compared with the full model on the texts of the test split; measured beside it,
# the prior and fastText; exported once more with these results on its card.
"$PYTHON" - "$WORK/corpus/test.parquet" > "$WORK/texts.txt" <<'PROGRAM'
import sys
import pyarrow.parquet as pq
for text in pq.read_table(sys.argv[1], columns=["text"])["text"].to_pylist():
    print(" ".join(text.split()))
PROGRAM
"$PYTHON" -m deepmoji export "$WORK/model" --out "$SHIPPED" --texts "$WORK/texts.txt"
"$PYTHON" -m benchmarks.emoji "$WORK/corpus" "$SHIPPED" "$WORK/model"
"$PYTHON" -m deepmoji export "$WORK/model" --out "$SHIPPED" --texts "$WORK/texts.txt" \
    --scores benchmarks/results/emoji.json "${NOTES[@]}"

# What `encode --reduce` needs; then what follows from the model that ships, for the README.
"$PYTHON" -m scripts.sample_posts "$POSTS" 20000 > "$WORK/posts.txt"
"$PYTHON" -m deepmoji fit-projection "$SHIPPED" --file "$WORK/posts.txt"
"$PYTHON" -m benchmarks.projection
"$PYTHON" -m benchmarks.emojis "$WORK/corpus"
"$PYTHON" -m benchmarks.sentences
"$PYTHON" -m benchmarks.study
