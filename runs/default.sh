#!/usr/bin/env bash
# The shipped model, from posts to bundle. Started again after a stop, building and training go on.
# POSTS: a folder of posts with emojis; WORK: where corpus, checkpoints and the full model go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

POSTS="${POSTS:-${DEEPMOJI_SHARED:-../shared}/corpus}"
WORK="${WORK:-runs/default}"
PYTHON="${PYTHON:-.venv/bin/python}"
SHIPPED=src/deepmoji/models/default

# The pairs that everything is measured on, and as many again: 236 more emojis, and posts with links.
"$PYTHON" -m deepmoji corpus build "$POSTS" --out "$WORK/corpus"
"$PYTHON" -m deepmoji corpus build "$POSTS" --out "$WORK/corpus-300" \
    --labels deepmoji+236 --without link --exclude "$WORK/corpus" --vocabulary "$WORK/corpus"

# Not quite one pass over the pairs, what two cores do in an hour and a half. A model that sees each
# pair once needs little dropout; a small start and a small penalty keep the rare words of a corpus
# of this size from drowning in their random vectors.
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/first" \
    --epochs 0.8 --batch-size 256 --learning-rate 0.002 --warmup 200 --decay 0.4 \
    --embedding-l2 1e-7 --embedding-range 0.1 --embedding-dropout 0 --final-dropout 0.1 \
    --max-tokens 40 --evaluate-every 1000 --checkpoint-every 200 --seed 0 --processes 2

# From then on pairs come back, and dropout of all kinds is what keeps them from being learnt by
# heart (docs/training-log.md). Three tenths of a pass over all 300 emojis at an even rate; then the
# 64 alone, the rate falling.
AGAIN=(--batch-size 256 --embedding-l2 1e-7 --word-dropout 0.1 --embedding-dropout 0.25
    --final-dropout 0.5 --max-tokens 40 --processes 2)
"$PYTHON" -m deepmoji pretrain "$WORK/corpus-300" --out "$WORK/second" --init "$WORK/first" \
    --epochs 0.27886 --learning-rate 0.002 --warmup 200 --decay 0 \
    --evaluate-every 2000 --checkpoint-every 200 --seed 2 "${AGAIN[@]}"
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/model" --init "$WORK/second" \
    --epochs 0.2 --learning-rate 0.0015 --warmup 50 --decay 0.95 \
    --evaluate-every 300 --checkpoint-every 100 --seed 3 "${AGAIN[@]}"

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
"$PYTHON" -m benchmarks.study
