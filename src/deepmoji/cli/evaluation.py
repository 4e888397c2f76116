"""`deepmoji evaluate`: how well a model predicts the emojis of posts that it never saw."""

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from deepmoji.bundle import SHIPPED
from deepmoji.errors import InputError, require
from deepmoji.files import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    split: Annotated[Literal["test", "validation"], typer.Option(help="Of the corpus.")] = "test",
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
    require("pyarrow", "corpus")
    from deepmoji.corpus.shards import CorpusFolder

    folder = CorpusFolder.open(corpus)
    exam = _Exam(folder, folder.read_split(split))
    systems = {"prior": exam.prior()}
    if baseline:
        systems["fastText"] = exam.fasttext()
    for path in model or [None]:
        systems[_name(path)] = exam.model(path)
    result = {"split": split, **exam.sizes(), "systems": systems}
    if out is not None:
        write_json(out, result)
    if as_json:
        typer.echo(json.dumps(result, indent=1))
    else:
        _show(result)


def _name(path: Path | None) -> str:
    """Return what a model is called in results: its folder's name, not where that lies."""
    is_shipped = path is None or path.resolve() == SHIPPED.resolve()
    return "shipped" if is_shipped or path is None else path.absolute().name


class _Exam:
    """A split of a corpus, and the systems that answer it."""

    def __init__(self, folder: "CorpusFolder", shard: "Shard") -> None:
        import numpy as np

        self._folder, self._shard = folder, shard
        self._train = folder.read_train()
        counts = np.bincount(self._train.labels, minlength=len(folder.labels))
        self._natural = counts / len(self._train)

    def sizes(self) -> dict[str, int]:
        flags = cast("Any", self._shard)
        return {
            "pairs": len(self._shard),
            "balanced": int(flags.balanced.sum()),
            "natural": int(flags.natural.sum()),
        }

    def prior(self) -> dict[str, float]:
        from deepmoji.evaluation.baselines import prior_scores

        return self._mark(prior_scores(self._natural, len(self._shard)), self._natural)

    def fasttext(self) -> dict[str, float]:
        from deepmoji.evaluation.baselines import fasttext_scores

        pairs = zip(self._words(self._train), self._train.labels.tolist(), strict=True)
        classes = len(self._folder.labels)
        scores = fasttext_scores(pairs, list(self._words(self._shard)), classes=classes)
        return self._mark(scores, self._natural)

    def model(self, path: Path | None) -> dict[str, float]:
        import numpy as np

        from deepmoji.inference.predictor import load

        predictor = load(path)
        name = _name(path)
        if predictor.labels != self._folder.labels:
            raise InputError(
                f"the model {name} has other classes than the corpus {self._folder.path}; "
                "evaluate it on the corpus that it was trained on"
            )
        seen = predictor.bundle.training.get("prior")
        if not isinstance(seen, list) or len(cast("list[Any]", seen)) != len(predictor.labels):
            raise InputError(f"the model {name} does not say how often it saw each emoji (prior)")
        scores = np.log(np.maximum(predictor.scores(cast("Any", self._shard.texts)), 1e-12))
        return self._mark(scores, np.asarray(cast("list[float]", seen)))

    def _words(self, pairs: "Shard") -> "Iterator[list[str]]":
        words = self._folder.vocabulary.words
        for start, end in pairwise(pairs.offsets):
            yield [words[index] for index in pairs.ids[start:end]]

    def _mark(self, scores: Any, seen: Any) -> dict[str, float]:
        from deepmoji.evaluation.metrics import Priors, emoji_accuracies

        return emoji_accuracies(
            scores,
            self._shard.labels,
            balanced=cast("Any", self._shard.balanced),
            natural=cast("Any", self._shard.natural),
            priors=Priors(seen=seen, natural=self._natural),
        )


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
