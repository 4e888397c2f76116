#!/usr/bin/env bash
# The shipped models, from posts to bundles. Started again after a stop, building and training go
# on. POSTS: a folder of posts with emojis; WORK: where corpus, checkpoints and full models go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

POSTS="${POSTS:-${DEEPMOJI_SHARED:-../shared}/corpus}"
WORK="${WORK:-runs/default}"
PYTHON="${PYTHON:-.venv/bin/python}"
SHIPPED=src/deepmoji/models/default
SMALL=src/deepmoji/models/small

"$PYTHON" -m deepmoji corpus build "$POSTS" --out "$WORK/corpus"

# Not quite one pass over the pairs, what two cores do in an hour and a half. A model that sees each
# pair once needs little dropout; a small start and a small penalty keep the rare words of a corpus
# of this size from drowning in their random vectors.
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/first" \
    --epochs 0.8 --batch-size 256 --learning-rate 0.002 --warmup 200 --decay 0.4 \
    --embedding-l2 1e-7 --embedding-range 0.1 --embedding-dropout 0 --final-dropout 0.1 \
    --max-tokens 40 --evaluate-every 1000 --checkpoint-every 200 --seed 0 --processes 2

# Emojis alone leave the vectors of rare words where they started. MiniLM has read more: its
# encodings of three texts in four are learnt besides, for what other tasks gain from them, then
# rare words are pulled to where it suggests, and both learn on together (docs/training-log.md,
# full-guided and full-pulled; `python -m runs.experiment` runs the same steps). Pairs come back now,
# so dropout of all kinds. It starts from the int8 form of the first step, as that is what was kept
# of it. Each run is measured at its end alone: the weights that validate best on emojis might be
# the first ones.
AGAIN=(--learning-rate 0.001 --embedding-l2 0 --word-dropout 0.1 --embedding-dropout 0.25
    --final-dropout 0.5 --evaluate-every 1000000 --processes 2)
"$PYTHON" -m deepmoji export "$WORK/first" --out "$WORK/first-int8"
[[ -f "$WORK/encodings.npy" ]] ||
    "$PYTHON" -m runs.minilm "$WORK/corpus" "$WORK/encodings.npy" --texts 800000
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/second" --init "$WORK/first-int8" \
    --encodings "$WORK/encodings.npy" --encodings-weight 2 --epochs 0.33 --warmup 100 --decay 0.7 \
    --checkpoint-every 500 --seed 0 "${AGAIN[@]}"
[[ -d "$WORK/pulled" ]] ||
    "$PYTHON" -m runs.rare_words "$WORK/second" "$WORK/corpus" "$WORK/pulled" --pull 100
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/third" --init "$WORK/pulled" \
    --encodings "$WORK/encodings.npy" --encodings-weight 3 --epochs 0.2 --warmup 50 --decay 0.8 \
    --checkpoint-every 200 --seed 1 "${AGAIN[@]}"

# Both models that ship are taught from their first step on: they start from the words of the third
# model (its main directions), and learn its answers and MiniLM's encodings besides the emojis; the
# large one those of the small one, too, as the mean of two knows more than each.
TAUGHT=(--teacher-weight 0.5 --temperature 2 --encodings "$WORK/encodings.npy" --encodings-weight 2
    --epochs 0.8 --batch-size 256 --learning-rate 0.002 --warmup 200 --decay 0.6
    --embedding-l2 1e-7 --embedding-range 0.13 --word-dropout 0.05 --embedding-dropout 0.1
    --final-dropout 0.2 --max-tokens 40 --evaluate-every 1000000 --checkpoint-every 250 --seed 0
    --processes 2)
"$PYTHON" -m deepmoji export "$WORK/third" --out "$WORK/third-int8"
[[ -f "$WORK/small.vec" ]] ||
    "$PYTHON" -m runs.vectors "$WORK/corpus" "$WORK/small.vec" --model "$WORK/third-int8" --dim 160
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/small" --vectors "$WORK/small.vec" \
    --units 160 --embedding-size 160 --words 30000 --teacher "$WORK/third-int8" "${TAUGHT[@]}"
"$PYTHON" -m deepmoji export "$WORK/small" --out "$WORK/small-int8"
[[ -f "$WORK/model.vec" ]] ||
    "$PYTHON" -m runs.vectors "$WORK/corpus" "$WORK/model.vec" --model "$WORK/third-int8" --dim 256
"$PYTHON" -m deepmoji pretrain "$WORK/corpus" --out "$WORK/model" --vectors "$WORK/model.vec" \
    --teacher "$WORK/third-int8" --teacher "$WORK/small-int8" "${TAUGHT[@]}"

# What pretrain calibrated on the validation posts is calibrated for good: nothing to do here.
source runs/notes.sh

# What ships: int8, compared with the full models on the texts of the test split; both measured
# beside the prior and fastText in one run; exported once more with these results on their cards.
"$PYTHON" - "$WORK/corpus/test.parquet" > "$WORK/texts.txt" <<'PROGRAM'
import sys
import pyarrow.parquet as pq
for text in pq.read_table(sys.argv[1], columns=["text"])["text"].to_pylist():
    print(" ".join(text.split()))
PROGRAM
"$PYTHON" -m deepmoji export "$WORK/model" --out "$SHIPPED" --texts "$WORK/texts.txt"
"$PYTHON" -m deepmoji export "$WORK/small" --out "$SMALL" --texts "$WORK/texts.txt"

# The most probable emoji has to stay the same for 99 texts in 100.
"$PYTHON" - "$SHIPPED" "$SMALL" <<'PROGRAM'
import json
import sys
from pathlib import Path
for model in sys.argv[1:]:
    agreement = json.loads(Path(model, "training.json").read_text())["agreement_with_fp32"]
    if agreement["texts"] < 100 or agreement["top1_agreement"] < 0.99:
        sys.exit(f"{model} does not ship: it agrees too little with the full model, {agreement}")
PROGRAM
"$PYTHON" -m benchmarks.emoji "$WORK/corpus" "$SHIPPED" "$WORK/model" "$SMALL"
FINISHED=(--texts "$WORK/texts.txt" --scores benchmarks/results/emoji.json "${NOTES[@]}")
"$PYTHON" -m deepmoji export "$WORK/model" --out "$SHIPPED" "${FINISHED[@]}"
"$PYTHON" -m deepmoji export "$WORK/small" --out "$SMALL" "${FINISHED[@]}" \
    --note "It is the small one of two, distilled from a large one that does not ship. In the table of
scores \"shipped\" is the default model, \"model\" that before its quantisation. It knows 30,000 of that one's 50,000 words."

# What `encode --reduce` needs; then what follows from the models that ship, for the README.
"$PYTHON" -m scripts.sample_posts "$POSTS" 20000 > "$WORK/posts.txt"
for EACH in "$SHIPPED" "$SMALL"; do
    "$PYTHON" -m deepmoji fit-projection "$EACH" --file "$WORK/posts.txt"
done
"$PYTHON" -m benchmarks.projection
"$PYTHON" -m benchmarks.emojis "$WORK/corpus"
"$PYTHON" -m benchmarks.sentences
"$PYTHON" -m benchmarks.study
"$PYTHON" -m benchmarks.small
