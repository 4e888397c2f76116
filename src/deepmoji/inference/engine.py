"""Lists of ids through a bundle's ONNX graph: in small chunks of similar length, on all cores."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import onnxruntime.capi.onnxruntime_pybind11_state as ort_errors

from deepmoji.bundle import Bundle
from deepmoji.errors import BundleError, InputError
from deepmoji.machine import available_cores
from deepmoji.text.vocabulary import MASK

Array = npt.NDArray[np.float32]
Ids = Sequence[Sequence[int]]

# Texts a run of the graph. Measured, 512 units, real posts, CPU ms a text with 8 / 16 / 32 / 64 /
# 256 texts: fp32 2.8 / 2.9 / 3.1 / 3.4 / 4.8, int8 0.9 / 0.9 / 0.9 / 1.1 / 2.0.
CHUNK = 32
# Texts sorted by length at a time. Measured on tweets: 4 % of the positions are padding with
# 1,024, 3 % with 2,048, 2 % with 4,096; the encodings of 2,048 texts take 19 MB.
WINDOW = 2048

INPUTS = ("ids", "lengths")
OUTPUTS = ("probabilities", "features", "attention")
MASS = "mass"  # an output of engines that were asked for it
_SCORES = "masked_scores"  # inside the graph, [T, B]: what the attention is the softmax of

# Every error of ONNX Runtime derives from Exception alone, so they are named one by one.
_GRAPH_ERRORS: tuple[type[Exception], ...] = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)

_T = TypeVar("_T")


class _Chunk(NamedTuple):
    rows: npt.NDArray[np.int64]  # where its texts stand in the window
    arrays: "Future[list[Array]]"


class Engine:
    """An ONNX graph ready to run.

    Chunks run beside each other, each on one thread. Measured on two cores, 512 units, ms a text in
    chunks of 32 with two threads beside each other / two inside each run: int8 0.8 / 1.0, fp32
    1.8 / 1.7, on a busy machine fp32 21 / 42; and the former goes on with more cores than the two
    directions of an LSTM. One text alone takes int8 1.6 ms on one thread, 3.4 on two (fp32 6.0 and
    3.1).

    Args:
        bundle: the opened model folder.
        threads: chunks at a time; all cores this process may use by default.
        masses: also give the output :data:`MASS`.

    Raises:
        BundleError: if the graph cannot be read, is not what the bundle's config says, or has no
            masses.
        InputError: if ``threads`` is not positive.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, masses: bool = False) -> None:
        if threads is not None and threads < 1:
            raise InputError(f"threads has to be 1 or more, not {threads}")
        self.threads = threads or available_cores()
        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised; nothing is to be written to stderr
        # Without the arena, memory does not grow with the largest shapes met; measured: as fast.
        options.enable_cpu_mem_arena = False
        try:
            self._session = ort.InferenceSession(
                _with_scores(bundle.graph) if masses else str(bundle.graph),
                options,
                providers=["CPUExecutionProvider"],
            )
        except _GRAPH_ERRORS as error:
            raise BundleError(
                f"{bundle.graph} cannot be used: {_reason(error)}; copy or export the model again"
            ) from error
        self._graph = bundle.graph
        self._check(bundle)

    def run(self, windows: Iterable[Ids], outputs: Sequence[str]) -> Iterator[list[Array]]:
        """Run windows of texts, one being prepared while the one before it runs.

        Args:
            windows: lists of texts as ids; no text is empty.
            outputs: which of :data:`OUTPUTS` to compute, and :data:`MASS` if it was asked for.

        Yields:
            for each window the wanted outputs, rows in the order given: probabilities
            [n, classes], features [n, features], attention [n, longest text], zero past the end,
            mass [n, 1], the logarithm of what a text's attention was divided by to sum to 1.

        Raises:
            BundleError: if the graph fails, for instance for want of a word of the vocabulary.
        """
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="deepmoji")
        try:
            ahead: list[_Chunk] | None = None
            for window in windows:
                started = self._start(pool, window, outputs)
                if ahead is not None:
                    yield _gather(ahead, outputs)
                ahead = started
            if ahead is not None:
                yield _gather(ahead, outputs)
        finally:
            pool.shutdown(cancel_futures=True)

    def _start(self, pool: ThreadPoolExecutor, window: Ids, outputs: Sequence[str]) -> list[_Chunk]:
        lengths = np.fromiter(map(len, window), np.int64, len(window))
        # Longest first: the last chunks, which some threads wait for, are then the shortest.
        order = np.argsort(-lengths, kind="stable")
        chunks: list[_Chunk] = []
        for start in range(0, len(window), CHUNK):
            rows = order[start : start + CHUNK]
            ids = [window[row] for row in rows]
            if self.threads == 1 or len(window) <= CHUNK:
                arrays: Future[list[Array]] = Future()
                arrays.set_result(self._compute(ids, outputs))
            else:
                arrays = pool.submit(self._compute, ids, outputs)
            chunks.append(_Chunk(rows, arrays))
        return chunks

    def _compute(self, ids: Ids, outputs: Sequence[str]) -> list[Array]:
        lengths = np.array([len(row) for row in ids], np.int32)
        padded = np.full((len(ids), int(lengths.max())), MASK, np.int64)
        for row, text in zip(padded, ids, strict=True):
            row[: len(text)] = text
        names = [_SCORES if name == MASS else name for name in outputs]
        try:
            arrays: Any = self._session.run(names, {"ids": padded, "lengths": lengths})
        except _GRAPH_ERRORS as error:
            raise BundleError(
                f"{self._graph} failed on a text: {_reason(error)}; graph, config.json and "
                "vocabulary.json have to come from the same model"
            ) from error
        if MASS in outputs:
            scores = arrays[outputs.index(MASS)]  # minus infinity past the end of a text
            arrays[outputs.index(MASS)] = np.logaddexp.reduce(scores, axis=0)[:, None]
        return arrays

    def _check(self, bundle: Bundle) -> None:
        inputs = {each.name for each in self._session.get_inputs()}
        outputs = {each.name: each.shape for each in self._session.get_outputs()}
        if inputs != set(INPUTS) or not outputs.keys() >= set(OUTPUTS):
            raise BundleError(
                f"{bundle.graph} is no deepmoji graph: it takes {sorted(inputs)} and gives "
                f"{sorted(outputs)}, expected {list(INPUTS)} and {list(OUTPUTS)}"
            )
        config = bundle.config
        for name, size in (("probabilities", config.classes), ("features", config.features)):
            found = outputs[name][-1]
            if isinstance(found, int) and found != size:
                raise BundleError(
                    f"{bundle.graph} gives {found} {name}, config.json says {size}; "
                    "both files have to come from the same model"
                )
        # The shapes do not tell how many words the graph knows; graphs exported here note it.
        metadata: Any = self._session.get_modelmeta().custom_metadata_map
        words = metadata.get("vocabulary_size", str(config.vocabulary_size))
        if words != str(config.vocabulary_size):
            raise BundleError(
                f"{bundle.graph} knows {words} tokens, config.json says "
                f"{config.vocabulary_size}; both files have to come from the same model"
            )


def windows_of(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Cut an iterable into lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while window := list(islice(iterator, size)):
        yield window


def _with_scores(path: Path) -> bytes:
    """Return a graph that also gives the attention's scores, which every graph holds inside.

    A protobuf message is merged with what is appended to it: here ``graph { output { name } }`` of
    ONNX's ModelProto, the fields 7, 12 and 1. (https://protobuf.dev/programming-guides/encoding,
    "last one wins".)
    """
    graph, appended = path.read_bytes(), _SCORES.encode()
    if appended not in graph:
        raise BundleError(
            f"{path} does not tell how much attention a whole text draws; read long texts with "
            "their mean (long_texts='mean', --long-texts mean), or export the model again"
        )
    for field in (1, 12, 7):
        appended = bytes([field << 3 | 2, len(appended)]) + appended
    return graph + appended


def _reason(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _gather(chunks: Sequence[_Chunk], outputs: Sequence[str]) -> list[Array]:
    count = sum(len(chunk.rows) for chunk in chunks)
    parts = [(chunk.rows, chunk.arrays.result()) for chunk in chunks]
    gathered: list[Array] = []
    for index in range(len(outputs)):
        width = max(arrays[index].shape[1] for _, arrays in parts)
        whole = np.zeros((count, width), np.float32)
        for rows, arrays in parts:
            whole[rows, : arrays[index].shape[1]] = arrays[index]
        gathered.append(whole)
    return gathered
