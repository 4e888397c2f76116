"""Files of any size through a model: every part of the input becomes one part of the output."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepmoji.errors import require

if TYPE_CHECKING:
    from deepmoji.scoring.progress import Progress
    from deepmoji.scoring.run import Report
    from deepmoji.scoring.runners import Runner
    from deepmoji.scoring.settings import ScoreSettings

__all__ = ["score"]


def score(
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    settings: "ScoreSettings | None" = None,
    runner: "Runner | None" = None,
    overwrite: bool = False,
    progress: "Progress | None" = None,
) -> "Report":
    """Score files, or finish what the same call began.

    Each file of the input gives one file in ``out``, there whole or not at all, with a row for each
    of its rows, in order: its columns and the model's. Memory does not grow with the input.

    >>> score("posts/", "scored")  # doctest: +SKIP

    Args:
        inputs: a file, folder or glob, or several, here or at a URL (``s3://``, ``gs://``,
            ``hf://``): Parquet, CSV, TSV, JSON lines, plain text.
        out: a folder that is new, empty, or of the same settings; here or at a URL.
        settings: the model, and what to write of its answers.
        runner: where it runs: :class:`~deepmoji.scoring.runners.Local`, on all cores, by default.
        overwrite: replace what another call wrote to ``out``.
        progress: hears how far it is.

    Raises:
        InputError: if something given cannot be used, or, after all others were scored, if files
            could not be read.
        BundleError: if the model cannot be used.
        MissingDependency: if the ``corpus`` extra, or ``cluster`` on Ray, is not installed.
    """
    for module in ("pyarrow", "daft"):
        require(module, "corpus")
    from deepmoji.corpus.urls import place_to_write
    from deepmoji.scoring.run import score_files
    from deepmoji.scoring.runners import Local, Ray
    from deepmoji.scoring.settings import ScoreSettings

    if isinstance(runner, Ray):
        require("ray", "cluster")
    return score_files(
        [inputs] if isinstance(inputs, str | Path) else inputs,
        place_to_write(out),
        settings=settings or ScoreSettings(),
        runner=runner or Local(),
        overwrite=overwrite,
        progress=progress,
    )
