"""`deepmoji convert-benchmark`: the benchmark sets of 2017 as tables that fine-tuning reads."""

from pathlib import Path
from typing import Annotated

import typer

from deepmoji.cli.common import as_text

app = typer.Typer(rich_markup_mode="rich")


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - keeps typer from folding the group
    pass


@app.command("convert-benchmark")
def convert_benchmark(
    raw: Annotated[
        Path,
        typer.Argument(
            help="A benchmark's raw.pickle. It is read, not run: plain values only.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The Parquet file to make: text, label, split.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Convert a benchmark set of DeepMoji or torchMoji for `deepmoji finetune`.

    Example: [bold]deepmoji convert-benchmark raw.pickle --out data.parquet[/bold]
    """
    from deepmoji.classic.benchmarks import convert_benchmark as convert

    counts = convert(raw, out)
    if as_json:
        typer.echo(as_text({"out": str(out), **counts}))
        return
    typer.echo(
        f"{out}: {counts['train']:,} training, {counts['validation']:,} validation and "
        f"{counts['test']:,} test texts"
    )
    if counts["left_out"]:
        typer.echo(f"{counts['left_out']:,} texts that are in no split were left out.")
    typer.echo(f"Try: deepmoji finetune {out} --method last --out my-model")
