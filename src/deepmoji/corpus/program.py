"""The Daft program: posts in, one reading for each, on all local cores."""

import logging
import signal
from pathlib import Path
from typing import Any

import daft
import pyarrow as pa
from daft import DataFrame, DataType, Series, col
from daft.functions import hash as hash_of
from daft.functions import minhash, when

from deepmoji.corpus.filters import first_failed
from deepmoji.corpus.language import language_detector
from deepmoji.corpus.machine import own_interrupts
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.source import BATCH_ROWS, PostSource
from deepmoji.corpus.surplus import HASHES, SHINGLE
from deepmoji.corpus.words import KEPT, Reading, emoji_units, text_rules
from deepmoji.corpus.workers import watch_workers

READING = pa.struct(
    [
        ("code", pa.uint8()),
        ("input", pa.large_string()),
        ("words", pa.large_list(pa.large_string())),
        ("labels", pa.large_list(pa.uint16())),
        ("post", pa.uint64()),
        ("key", pa.uint64()),
        ("order", pa.uint64()),
        ("phrases", pa.large_string()),
        ("emojis", pa.large_list(pa.large_string())),
    ]
)


_PASSED = ("text", "problem", "place", "file", "total")


class TextWorker:
    """What one worker runs: the text work over batches of posts.

    Args:
        settings: of the build, as a dictionary.
        wanted: the labels; none when emojis are only counted.
        stop_file: once this file is there, no reading is wanted any more.
        alone: whether it has a process to itself.
    """

    def __init__(
        self, settings: dict[str, Any], wanted: list[str], stop_file: str, alone: bool
    ) -> None:
        if alone:  # A Ctrl-C in a terminal reaches it too; the build is the one to end it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        chosen = CorpusSettings.from_dict(settings)
        self.counting = not wanted
        self.stop_file = Path(stop_file)
        self.checks_language = chosen.applies("language")
        self.rules = text_rules(chosen, wanted)

    @daft.method.batch(return_dtype=DataType.from_arrow_type(READING), batch_size=BATCH_ROWS)
    def read(self, text: Series, lang: Series, code: Series) -> pa.StructArray:
        """Read a batch; a row whose ``code`` is set keeps it."""
        if self.stop_file.exists():
            return pa.nulls(len(text), READING)
        rows = zip(text.to_pylist(), lang.to_pylist(), code.to_pylist(), strict=True)
        readings = [self._read(*row) for row in rows]
        columns = list(zip(*readings, strict=True)) or [()] * len(Reading._fields)
        fields = list(READING)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, fields, strict=False)]
        emojis = self._emojis(text.to_pylist(), readings)
        return pa.StructArray.from_arrays([*arrays, emojis], fields=fields)

    def _read(self, text: str | None, lang: str | None, code: int | None) -> Reading:
        if text is None or code is not None:
            return Reading(KEPT if code is None else code)
        if not lang and self.checks_language and self.rules.detect is None:
            self.rules.detect = language_detector()
        return self.rules.read(text, lang)

    def _emojis(self, texts: list[str | None], readings: list[Reading]) -> pa.Array:
        if not self.counting:
            return pa.nulls(len(texts), READING.field("emojis").type)
        units = [
            sorted(emoji_units(text)) if text and reading.code == KEPT else []
            for text, reading in zip(texts, readings, strict=True)
        ]
        return pa.array(units, READING.field("emojis").type)


def start(threads: int | None = None) -> None:
    """Start Daft's engine on this machine, but leave Ctrl-C to Python.

    At its first query Daft takes Ctrl-C and ends queries at it, as if all their rows were there.
    """
    if daft.get_or_infer_runner_type() != "native":  # a worker of Ray is taken for one of Daft's
        daft.set_runner_native(threads)
    watch_workers()
    # What it logs as errors it raises as well, but for workers that are slow to end.
    logging.getLogger("daft_local_execution").setLevel(logging.CRITICAL)
    with own_interrupts():
        daft.from_pydict({"ready": [False]}).select(~col("ready")).collect()


def readings(
    source: PostSource, settings: CorpusSettings, wanted: tuple[str, ...], workers: int
) -> DataFrame:
    """Return the posts with the rule that each fails, or its reading.

    Args:
        source: of a file's posts; rows without a text pass through.
        settings: of the build.
        wanted: the labels; none counts the emojis instead.
        workers: processes for the Python part; 0 does it in this one.

    Returns:
        The columns of READING; of POSTS those that are passed on or asked for; ``sample``, the hash
        that orders samples; and ``minhash``, if near duplicates are looked for.
    """
    alone = workers > 0
    # A limit of concurrency takes a process, whatever else is asked for.
    worker = daft.cls(TextWorker, use_process=alone, max_concurrency=workers or None)
    read = worker(settings.to_dict(), list(wanted), str(source.stop_file), alone).read
    rows = (
        source.read()
        .with_column("failed", when(col("problem").is_null(), first_failed(settings)))
        .with_column("sample", hash_of(col("text")))
        .with_column("reading", read(col("text"), col("lang"), col("failed")))
        .select(*_PASSED, "sample", *_asked(settings), col("reading").unnest())
    )
    if settings.near_duplicates:
        phrases = minhash(
            col("phrases"), num_hashes=HASHES, ngram_size=SHINGLE, hash_function="xxhash3_64"
        )
        rows = rows.with_column("minhash", phrases)
    return rows


def _asked(settings: CorpusSettings) -> list[str]:
    return [kind for kind, _ in settings.more_columns if kind != "score"]
