"""`deepmoji evaluate`: how well a model predicts the emojis of posts that it never saw."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from deepmoji.errors import InputError, require
from deepmoji.files import write_json

if TYPE_CHECKING:
    from deepmoji.corpus.shards import CorpusFolder, Shard

app = typer.Typer(rich_markup_mode="rich")

_COLUMNS = ("natural_top1", "natural_top5", "balanced_top1", "balanced_top5")


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


@app.command()
def evaluate(
    corpus: Annotated[
        Path, typer.Argument(help="The corpus folder that it was trained on.", show_default=False)
    ],
    model: Annotated[
        list[Path] | None,
        typer.Option(help="A model bundle; may be given repeatedly.  [default: the shipped one]"),
    ] = None,
    split: Annotated[str, typer.Option(help="test or validation.")] = "test",
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Train fastText on the same pairs, for comparison.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the results there, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure emoji prediction: top 1 and top 5, on posts as they occur and balanced by emoji.

    On the balanced set every system's scores are divided by how often it saw each emoji in
    training. The prior, which says the same of every text, is always in the table.

    Example: [bold]deepmoji evaluate corpus --model my-model --baseline[/bold]
    """
    if split not in ("test", "validation"):
        raise InputError(f"--split has to be test or validation, not {split!r}")
    require("pyarrow", "corpus")
    from deepmoji.corpus.shards import CorpusFolder

    folder = CorpusFolder.open(corpus)
    shard = folder.read_split(cast("Any", split))
    systems = _baselines(folder, shard, with_fasttext=baseline)
    for path in model or [None]:
        systems[str(path) if path else "shipped"] = _measure(path, folder, shard)
    pairs = {
        "pairs": len(shard),
        "balanced": _count(shard.balanced),
        "natural": _count(shard.natural),
    }
    result = {"split": split, **pairs, "systems": systems}
    if out is not None:
        write_json(out, result)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        _show(result)


def _count(flags: Any) -> int:
    return int(flags.sum())


def _accuracies(scores: Any, shard: "Shard", prior: Any) -> dict[str, float]:
    from deepmoji.evaluation.metrics import emoji_accuracies

    return emoji_accuracies(
        scores,
        shard.labels,
        balanced=cast("Any", shard.balanced),
        natural=cast("Any", shard.natural),
        prior=prior,
    )


def _baselines(
    folder: "CorpusFolder", shard: "Shard", *, with_fasttext: bool
) -> dict[str, dict[str, float]]:
    import numpy as np

    from deepmoji.evaluation.baselines import fasttext_scores, prior_scores

    train = folder.read_train()
    classes = len(folder.labels)
    prior = np.bincount(train.labels, minlength=classes) / len(train)
    systems = {"prior": _accuracies(prior_scores(prior, len(shard)), shard, prior)}
    if with_fasttext:
        words = folder.vocabulary.words

        def texts(pairs: "Shard") -> Any:
            for start, end in zip(pairs.offsets, pairs.offsets[1:], strict=False):
                yield [words[index] for index in pairs.ids[start:end]]

        pairs = zip(texts(train), train.labels.tolist(), strict=True)
        scores = fasttext_scores(pairs, list(texts(shard)), classes=classes)
        systems["fastText"] = _accuracies(scores, shard, prior)
    return systems


def _measure(path: Path | None, folder: "CorpusFolder", shard: "Shard") -> dict[str, float]:
    import numpy as np

    from deepmoji.inference.predictor import load

    predictor = load(path)
    if predictor.labels != folder.labels:
        raise InputError(
            f"the model {path or 'shipped'} has other classes than the corpus {folder.path}; "
            "evaluate it on the corpus that it was trained on"
        )
    prior = predictor.bundle.training.get("prior")
    if not isinstance(prior, list):
        raise InputError(
            f"the model {path or 'shipped'} does not say what prior it was trained with"
        )
    scores = np.log(np.maximum(predictor.scores(cast("Any", shard.texts)), 1e-12))
    return _accuracies(scores, shard, np.asarray(cast("list[float]", prior)))


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"{result['split']}: {result['natural']:,} natural and {result['balanced']:,} "
        "balanced pairs, accuracy in %",
        title_justify="left",
    )
    table.add_column("")
    for name in _COLUMNS:
        table.add_column(name.replace("_", " ").replace("top", "top "), justify="right")
    for system, values in result["systems"].items():
        table.add_row(system, *(f"{100 * values[name]:.1f}" for name in _COLUMNS))
    Console().print(table)
