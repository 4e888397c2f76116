"""Kept posts of all stages to the files of a corpus: vocabulary, training shards, test sets."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from deepmoji.corpus.encoded import Encoded, cut
from deepmoji.corpus.layout import LABELS, TRAIN_FOLDER, VOCABULARY, part_name, split_name
from deepmoji.corpus.leaks import count_shared, count_traces
from deepmoji.corpus.pairs import (
    DROPPED,
    TEST,
    TRAIN,
    VALIDATION,
    Pairs,
    Posts,
    make_pairs,
    training_order,
)
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.surplus import STEPS_AFTER
from deepmoji.corpus.tally import SAMPLES, Tally
from deepmoji.files import atomic_path, write_json
from deepmoji.text.vocabulary import UNKNOWN, Vocabulary

EVALUATION = {"validation": VALIDATION, "test": TEST}


class Assembly:
    """Makes the corpus out of the stages' parts.

    Args:
        parts: files of kept posts, in a fixed order.
        folder: where the corpus goes.
        settings: of the build.
        labels: the emojis, in class order.
        vocabulary: to use as it is, instead of counting words.
    """

    def __init__(
        self,
        *,
        parts: Sequence[Path],
        folder: Path,
        settings: CorpusSettings,
        labels: Sequence[str],
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.parts = parts
        self.folder = folder
        self.settings = settings
        self.labels = labels
        self.vocabulary = vocabulary
        self.posts, self._starts = _load(parts)
        self.surplus: dict[str, NDArray[np.int64]] = {}
        for step, find in STEPS_AFTER.items():
            if settings.applies(step):
                rows = find(parts, self.posts, settings)
                dropped = np.zeros(len(self.posts.post), bool)
                dropped[rows] = True
                self.surplus[step], self.posts = rows, self.posts.without(dropped)
        self.pairs: Pairs = make_pairs(
            self.posts, per_emoji=settings.per_emoji, natural=settings.natural
        )

    def count_surplus(self, tally: Tally) -> None:
        """Move the posts that the steps after reading dropped, in the tally of all stages."""
        for step, rows in self.surplus.items():
            tally.kept -= len(rows)
            tally.dropped[step] += len(rows)
            order = self.posts.order[rows]
            first = np.sort(rows[np.lexsort((rows, order))[:SAMPLES]])
            texts = [
                text
                for column, inside in self._columns("input", first)
                for text in column.take(pa.array(inside)).to_pylist()
            ]
            tally.add_samples(step, zip(self.posts.order[first].tolist(), texts, strict=True))

    def write(self, advance: Callable[[str], None]) -> dict[str, Any]:
        """Write everything but the report, and return the report's part about it.

        Files that are there already are finished and are not written again.
        """
        vocabulary = self.vocabulary
        if vocabulary is None:
            advance("counting words")
            size = self.settings.vocabulary_size or 0
            vocabulary = Vocabulary.from_counts(self._count_words(), size=size)
        advance("writing shards")
        encoded = self._encode(vocabulary)
        shards = self._write_train(encoded)
        for name, split in EVALUATION.items():
            self._write_evaluation(name, split, encoded)
        vocabulary.save(self.folder / VOCABULARY)
        write_json(self.folder / LABELS, list(self.labels))
        return {"train_parts": shards, "vocabulary_size": len(vocabulary), **self._figures(encoded)}

    def _count_words(self) -> Counter[str]:
        """Count the words of the training posts, each distinct post once."""
        train = self.pairs.row[self.pairs.split == TRAIN]
        post = self.posts.post[train]
        new = np.ones(len(post), bool)
        new[1:] = post[1:] != post[:-1]
        counts: Counter[str] = Counter()
        for words, rows in self._columns("words", train[new]):
            found = words.take(pa.array(rows)).flatten().value_counts()
            word, count = found.field("values").to_pylist(), found.field("counts").to_pylist()
            counts.update(dict(zip(word, count, strict=True)))
        return counts

    def _columns(self, name: str, rows: NDArray[np.int64]) -> Any:
        """Yield each part's column with those of the rows that are in it, in order."""
        rows = np.sort(rows)
        for part, start, end in zip(self.parts, self._starts, self._starts[1:], strict=False):
            inside = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)] - start
            column = pq.read_table(part, columns=[name]).column(0).combine_chunks()
            yield column, inside

    def _encode(self, vocabulary: Vocabulary) -> Encoded:
        kind = np.uint16 if len(vocabulary) <= 2**16 else np.uint32
        index_in = pc.SetLookupOptions(pa.array(vocabulary.words, pa.large_string()))
        ids: list[NDArray[Any]] = []
        lengths: list[NDArray[np.int64]] = []
        for words, _ in self._columns("words", np.zeros(0, np.int64)):
            found = pc.call_function("index_in", [words.flatten()], index_in)
            ids.append(found.fill_null(UNKNOWN).to_numpy().astype(kind))
            lengths.append(np.diff(words.offsets.to_numpy()))
        counts = np.concatenate([np.zeros(0, np.int64), *lengths])
        flat = np.concatenate([np.zeros(0, kind), *ids])
        return cut(flat, counts, self.settings.max_tokens)

    def _in_order(self, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
        chosen = np.flatnonzero(mask)
        post = self.posts.post[self.pairs.row[chosen]]
        return chosen[training_order(post, self.pairs.label[chosen])]

    def _write_train(self, encoded: Encoded) -> int:
        chosen = self._in_order(self.pairs.split == TRAIN)
        size = self.settings.shard_rows
        count = max(1, -(-len(chosen) // size))
        for number in range(count):
            path = self.folder / TRAIN_FOLDER / part_name(number)
            if not path.exists():
                table = self._table(chosen[number * size : (number + 1) * size], encoded)
                write_table(table, path)
        return count

    def _table(self, chosen: NDArray[np.int64], encoded: Encoded) -> pa.Table:
        ids, lengths = encoded.rows(self.pairs.row[chosen])
        columns = {
            "ids": ids,
            "length": pa.array(lengths.astype(np.uint16)),
            "label": pa.array(self.pairs.label[chosen]),
        }
        return pa.table(columns)

    def _write_evaluation(self, name: str, split: int, encoded: Encoded) -> None:
        chosen = self._in_order(self.pairs.split == split)
        rows = self.pairs.row[chosen]
        distinct, place = np.unique(rows, return_inverse=True)
        texts = [
            column.take(pa.array(inside)).cast(pa.string())
            for column, inside in self._columns("input", distinct)
        ]
        table = self._table(chosen, encoded)
        table = table.append_column("text", pa.concat_arrays(texts).take(pa.array(place)))
        for flag in ("balanced", "natural"):
            table = table.append_column(flag, pa.array(getattr(self.pairs, flag)[chosen]))
        write_table(table, self.folder / split_name(name))

    def _figures(self, encoded: Encoded) -> dict[str, Any]:
        pairs = self.pairs
        masks = {
            "train": pairs.split == TRAIN,
            "validation": pairs.split == VALIDATION,
            "test": pairs.split == TEST,
        }
        per_emoji = {
            name: np.bincount(pairs.label[mask], minlength=len(self.labels)).tolist()
            for name, mask in masks.items()
        }
        rows = pairs.row[masks["train"]]
        sets = {
            f"{name}_{flag}": int((masks[name] & getattr(pairs, flag)).sum())
            for name in EVALUATION
            for flag in ("balanced", "natural")
        }
        return {
            "pairs": {
                **{name: int(mask.sum()) for name, mask in masks.items()},
                **sets,
                "duplicates": pairs.duplicates,
                "near_copies_dropped": int((pairs.split == DROPPED).sum()),
            },
            "pairs_per_emoji": {
                emoji: {name: counts[index] for name, counts in per_emoji.items()}
                for index, emoji in enumerate(self.labels)
            },
            "leaks": self._leaks(),
            "length_histogram": _histogram(encoded.words[rows]),
            "cut_share": _share(encoded.words[rows] > self.settings.max_tokens),
            "unknown_share": {
                name: encoded.unknown_share(pairs.row[mask], self.settings.shard_rows)
                for name, mask in masks.items()
            },
        }

    def _leaks(self) -> dict[str, int]:
        rows = np.unique(self.pairs.row[self.pairs.split != DROPPED])
        inputs = (column.take(pa.array(inside)) for column, inside in self._columns("input", rows))
        return {
            "inputs": len(rows),
            **count_traces(inputs, self.labels),
            "in_two_splits": count_shared(self.posts, self.pairs),
        }


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file, whole or not at all, the same bytes for the same content."""
    with atomic_path(path) as temporary:
        pq.write_table(
            table, temporary, compression="zstd", compression_level=3, row_group_size=2**16
        )


def _load(parts: Sequence[Path]) -> tuple[Posts, NDArray[np.int64]]:
    columns = ["post", "key", "order", "labels"]
    tables = [pq.read_table(part, columns=columns) for part in parts]
    starts = np.cumsum([0, *(table.num_rows for table in tables)])
    table = pa.concat_tables(tables).combine_chunks()
    labels = table["labels"].combine_chunks()
    posts = Posts(
        table["post"].to_numpy(),
        table["key"].to_numpy(),
        table["order"].to_numpy(),
        labels.offsets.to_numpy(),
        labels.flatten().to_numpy(),
    )
    return posts, starts


def _histogram(lengths: NDArray[np.int64]) -> dict[str, int]:
    found, counts = np.unique(lengths, return_counts=True)
    return {
        str(length): count for length, count in zip(found.tolist(), counts.tolist(), strict=True)
    }


def _share(mask: NDArray[np.bool_]) -> float:
    return round(float(mask.mean()), 6) if len(mask) else 0.0
