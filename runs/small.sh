#!/usr/bin/env bash
# The small model that ships, learnt from the one of runs/default.sh, whose WORK folder it needs.
# Started again after a stop, training goes on. `python -m runs.experiment small` runs the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

WORK="${WORK:-runs/default}"
PYTHON="${PYTHON:-.venv/bin/python}"
TEACHER=src/deepmoji/models/default
SHIPPED=src/deepmoji/models/small

# It starts from its teacher's words, in their 160 main directions, and learns the teacher's answers
# and MiniLM's encodings besides the emojis: more of it than a model of this size would find in the
# pairs alone.
"$PYTHON" -m runs.vectors "$WORK/corpus" "$WORK/small.vec" --model "$TEACHER" --dim 160
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/small" \
    --units 160 --embedding-size 160 --words 30000 --vectors "$WORK/small.vec" \
    --teacher "$TEACHER" --teacher-weight 0.5 --temperature 2 \
    --encodings "$WORK/encodings.npy" --encodings-weight 2 \
    --epochs 0.8 --batch-size 256 --learning-rate 0.002 --warmup 200 --decay 0.6 \
    --embedding-l2 1e-7 --embedding-range 0.13 --word-dropout 0.05 --embedding-dropout 0.1 \
    --final-dropout 0.2 --max-tokens 40 --evaluate-every 1000000 --checkpoint-every 500 --seed 0 \
    --processes 2

# As the default model: int8, compared with the full one, and with its results on its card. Both are
# measured in one run, and the default model's card is made anew, so that no two pages disagree.
source runs/notes.sh
"$PYTHON" -m deepmoji export "$WORK/small" --out "$SHIPPED" --texts "$WORK/texts.txt"
"$PYTHON" -m benchmarks.emoji "$WORK/corpus" "$TEACHER" "$WORK/model" "$SHIPPED"
FINISHED=(--texts "$WORK/texts.txt" --scores benchmarks/results/emoji.json "${NOTES[@]}")
"$PYTHON" -m deepmoji export "$WORK/model" --out "$TEACHER" "${FINISHED[@]}"
"$PYTHON" -m deepmoji export "$WORK/small" --out "$SHIPPED" "${FINISHED[@]}" \
    --note "It is the small one of two, distilled from the default model: \"shipped\" in the table of
scores, \"model\" before its quantisation. It knows 30,000 of that one's 50,000 words."
for EACH in "$TEACHER" "$SHIPPED"; do
    "$PYTHON" -m deepmoji fit-projection "$EACH" --file "$WORK/posts.txt"
done
"$PYTHON" -m benchmarks.small
