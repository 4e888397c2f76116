"""From raw posts with emojis to a corpus that a model can be pretrained on."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepmoji.errors import require

if TYPE_CHECKING:
    from deepmoji.corpus.builder import Progress
    from deepmoji.corpus.census import Census
    from deepmoji.corpus.cluster import Ray
    from deepmoji.corpus.settings import CorpusSettings

__all__ = ["build", "take_census"]

# Daft reports its use to its makers when it is imported and when it runs, unless told not to;
# this is the one place that runs before any import of it, in its worker processes too.
os.environ["DAFT_ANALYTICS_ENABLED"] = "0"
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("DAFT_PROGRESS_BAR", "0")  # the build shows its own
os.environ.setdefault("DAFT_SHOW_QUERY_ID", "0")


def build(
    posts: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    settings: "CorpusSettings | None" = None,
    workers: int | None = None,
    cluster: "Ray | None" = None,
    overwrite: bool = False,
    progress: "Progress | None" = None,
) -> dict[str, Any]:
    """Build a corpus, or finish one that was begun by the same call.

    The same posts and settings give the same bytes, whatever the number of workers and the order
    and division of the input, except for ``run`` in the report.

    Args:
        posts: a file, folder or glob, or several, here or at a URL (``s3://``, ``gs://``,
            ``hf://``): Parquet, CSV, TSV, JSON lines, plain text.
        out: the folder of the corpus, here or at a URL; it must be new, empty, or of the same
            build.
        settings: what to keep and how to split; the defaults are the paper's.
        workers: processes for the text work; all cores by default.
        cluster: a Ray cluster to do the text work, a task for each file or few small ones; by
            default this machine does it.
        overwrite: replace another corpus in ``out``.
        progress: hears how far the build is.

    Returns:
        The report, as in ``report.json``.

    Raises:
        InputError: if something given cannot be used, or no post holds a wanted emoji.
        MissingDependency: if the ``corpus`` extra, or ``cluster`` on Ray, is not installed.
        WorkerDied: if a worker process was ended from outside, or a task of the cluster was lost
            again and again.
    """
    _require()
    if cluster is not None:
        require("ray", "cluster")
    from deepmoji.corpus.builder import build_corpus
    from deepmoji.corpus.settings import CorpusSettings

    return build_corpus(
        [posts] if isinstance(posts, str | Path) else posts,
        out,
        settings=settings or CorpusSettings(),
        workers=workers,
        cluster=cluster,
        overwrite=overwrite,
        progress=progress,
    )


def take_census(
    posts: str | Path | Sequence[str | Path],
    *,
    settings: "CorpusSettings | None" = None,
    workers: int | None = None,
) -> "Census":
    """Count the emojis of posts, of those that pass the filters of ``settings``.

    Raises:
        InputError: if something given cannot be used.
        MissingDependency: if the ``corpus`` extra is not installed.
    """
    _require()
    from deepmoji.corpus.census import take_census as take
    from deepmoji.corpus.settings import CorpusSettings

    sources = [posts] if isinstance(posts, str | Path) else posts
    return take(sources, settings=settings or CorpusSettings(), workers=workers)


def _require() -> None:
    for module in ("pyarrow", "psutil", "daft"):
        require(module, "corpus")
