"""`deepmoji corpus`: build a corpus from raw posts, and look at its report."""

import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from deepmoji.cli import census
from deepmoji.cli.cluster import Address, Runner, RunnerName, chosen_cluster
from deepmoji.corpus import build as build_corpus
from deepmoji.corpus.layout import REPORT
from deepmoji.corpus.report import check_report, leaks, samples, tables
from deepmoji.corpus.settings import RULES, CorpusSettings
from deepmoji.errors import InputError
from deepmoji.files import read_json

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Turn raw posts into a corpus for pretraining, and look at it.",
)


class _Bar:
    """The build's progress as a bar over the input's bytes, with posts counted beside it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._rows = 0

    def step(self, what: str, total: int) -> None:
        if self._task is not None:
            self._progress.update(self._task, visible=False)
        self._task = self._progress.add_task(what, total=total or None, count="")
        self._rows = 0

    def advance(self, size: int, rows: int) -> None:
        if self._task is None:
            return
        self._rows += rows
        elapsed = self._progress.tasks[self._task].elapsed or 1.0
        count = f"{self._rows:,} posts, {self._rows / elapsed:,.0f}/s"
        self._progress.update(self._task, advance=size, count=count)


_Posts = Annotated[
    list[str],
    typer.Argument(
        metavar="POSTS",
        help="Files, folders and globs, here or at s3://, gs:// and hf://: Parquet, CSV, TSV, JSON "
        "lines (Twitter objects of v1.1 and v2 too) or plain text with a post a line; the last "
        "four also .gz, .bz2, .zst.",
        show_default=False,
    ),
]
_TextColumn = Annotated[
    str | None, typer.Option(help="Column or field of the text; by default text and the like.")
]
_LangColumn = Annotated[
    str | None,
    typer.Option(help="Column or field of the language code; by default lang or language."),
]
_Language = Annotated[
    str,
    typer.Option(
        help="Keep posts of this language, by column, or detected where that is empty; any: all."
    ),
]
_MinLanguageScore = Annotated[
    float | None,
    typer.Option(
        help="Least confidence of the language, by column, or by the detector; by default any."
    ),
]
_LangScoreColumn = Annotated[
    str | None, typer.Option(help="Column or field of that confidence; by default lang_score.")
]
_Without = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILTER",
        help=f"Switch off a filter, of {', '.join(RULES)}; may be given repeatedly.",
    ),
]
_Labels = Annotated[
    str,
    typer.Option(
        help="deepmoji (the paper's 64), deepmoji+K (then the K most frequent others), top:K (most "
        "frequent), or a list's path."
    ),
]
_VocabularySize = Annotated[
    int | None, typer.Option(help="Words, special ones included; by default 50000.")
]
_Vocabulary = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="Take words and ids of a corpus, a model or a vocabulary.json instead of counting.",
    ),
]
_Exclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH",
        help="Keep out the validation and test texts of a corpus, or a file's texts, and near "
        "copies of them; may be given repeatedly.",
    ),
]
_NearDuplicates = Annotated[
    bool,
    typer.Option(
        "--near-duplicates", help="Drop posts that share most of their phrases with a kept one."
    ),
]
_CapAuthor = Annotated[int | None, typer.Option(help="Posts kept of one author; by default all.")]
_AuthorColumn = Annotated[
    str | None, typer.Option(help="Column or field of the author; by default author_id and such.")
]
_DeleteIds = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Ids of posts that must not be used, one a line."),
]
_IdColumn = Annotated[
    str | None, typer.Option(help="Column or field of the id; by default id and such.")
]
_PerEmoji = Annotated[
    int, typer.Option(help="Pairs for each emoji in the balanced validation and test sets.")
]
_Natural = Annotated[int, typer.Option(help="Posts in the validation and test sets as they occur.")]
_Strict = Annotated[bool, typer.Option("--strict", help="Stop at an unreadable file or row.")]
_Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace another corpus in the folder.")
]


@app.command("build")
def build_command(
    posts: _Posts,
    out: Annotated[
        str, typer.Option("--out", "-o", help="The corpus folder to make, or an s3 or gs URL.")
    ],
    text_column: _TextColumn = None,
    lang_column: _LangColumn = None,
    language: _Language = "en",
    min_language_score: _MinLanguageScore = None,
    lang_score_column: _LangScoreColumn = None,
    without: _Without = None,
    labels: _Labels = "deepmoji",
    vocabulary_size: _VocabularySize = None,
    vocabulary: _Vocabulary = None,
    exclude: _Exclude = None,
    near_duplicates: _NearDuplicates = False,
    cap_author: _CapAuthor = None,
    author_column: _AuthorColumn = None,
    delete_ids: _DeleteIds = None,
    id_column: _IdColumn = None,
    max_tokens: Annotated[int, typer.Option(help="Words stored of a post.")] = 64,
    per_emoji: _PerEmoji = 120,
    natural: _Natural = 8000,
    seed: Annotated[int, typer.Option(help="Decides splits and order.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; by default all cores.")] = None,
    runner: Runner = RunnerName.LOCAL,
    address: Address = None,
    strict: _Strict = False,
    overwrite: _Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Build a corpus. Killed and run again, it goes on where it was.

    Example: [bold]deepmoji corpus build posts/*.parquet --out corpus[/bold]
    """
    settings = CorpusSettings(
        text_column=text_column,
        lang_column=lang_column,
        language=language,
        min_language_score=min_language_score,
        lang_score_column=lang_score_column,
        without=tuple(without or ()),
        labels=labels,
        vocabulary_size=vocabulary_size,
        vocabulary=vocabulary,
        exclude=tuple(exclude or ()),
        near_duplicates=near_duplicates,
        cap_author=cap_author,
        author_column=author_column,
        delete_ids=delete_ids,
        id_column=id_column,
        max_tokens=max_tokens,
        per_emoji=per_emoji,
        natural=natural,
        seed=seed,
        strict=strict,
    )
    cluster = chosen_cluster(runner, address, workers)
    done = (Path(out) / REPORT).exists() and not overwrite
    progress = _progress()
    with progress if progress.console.is_terminal else nullcontext():
        report = build_corpus(
            posts,
            out,
            settings=settings,
            workers=workers,
            cluster=cluster,
            overwrite=overwrite,
            progress=_Bar(progress),
        )
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        _summary(report, out, done=done)


app.add_typer(census.app)


@app.command("report")
def report_command(
    corpus: Annotated[Path, typer.Argument(help="A corpus folder.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what a build kept, dropped and made.

    Example: [bold]deepmoji corpus report corpus[/bold]
    """
    if not (corpus / REPORT).exists():
        raise InputError(
            f"{corpus} holds no finished corpus; make one with: deepmoji corpus build POSTS "
            f"--out {corpus}"
        )
    report = read_json(corpus / REPORT)
    check_report(report, corpus / REPORT)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return
    console = Console()
    for table in tables(report):
        shown = Table(title=table.title, title_justify="left")
        for number, name in enumerate(table.header):
            shown.add_column(name, justify="right" if table.numbers and number else "left")
        for row in table.rows:
            shown.add_row(*map(escape, row))
        console.print(shown)
    for title, texts in samples(report):
        console.print(f"[bold]{escape(title)}[/bold]")
        for text in texts:
            console.print(f"  {escape(text)}", highlight=False)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _summary(report: Mapping[str, Any], out: str, *, done: bool) -> None:
    pairs, run = report["pairs"], report["run"]
    if done:
        typer.echo(f"{out} is finished already, nothing to do.")
    typer.echo(
        f"{report['posts']:,} posts, {report['kept']:,} kept: {pairs['train']:,} pairs to train, "
        f"{pairs['validation']:,} to validate, {pairs['test']:,} to test "
        f"({run['seconds']:,.0f} s, {run['peak_memory_gb']} GB)."
    )
    deleted = report["rules"].get("deleted", {})
    if deleted.get("applied"):
        count = deleted["dropped"]
        # A list that deletes nothing is written otherwise than the posts' ids, more often than not.
        asked = "" if count else " Are the ids written there as in the posts?"
        typer.echo(f"Deleted by the list of ids: {count:,} posts.{asked}", err=not count)
    unreadable = report["unreadable"]
    if unreadable["rows"] or unreadable["files"]:
        typer.echo(
            f"Unreadable: {len(unreadable['files'])} files, {unreadable['rows']:,} rows.", err=True
        )
    if found := leaks(report):
        typer.echo(f"The leak check found {found:,} leaks; see the report.", err=True)
    if "://" not in out:
        typer.echo(f"More: deepmoji corpus report {out}")
