"""`deepmoji pretrain`: from a corpus to a model."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from deepmoji.cli.common import require_training
from deepmoji.cli.progress import ProgressLine
from deepmoji.config import Gates, ModelConfig, PretrainConfig

app = typer.Typer(rich_markup_mode="rich")

Device = Literal["auto", "cpu", "cuda", "mps"]
Arithmetic = Literal["auto", "bf16-mixed", "32-true"]
_DEFAULT = PretrainConfig()
_SIZES = ModelConfig()


def _option(text: str) -> Any:
    return typer.Option(help=text, rich_help_panel="Training")


@app.command()
def pretrain(
    corpus: Annotated[Path, typer.Argument(help="A corpus folder.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The model bundle to make.")],
    init: Annotated[
        Path | None,
        typer.Option(help="A model whose weights to start from, of the same sizes and gates."),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(help="Word vectors to start from, word2vec's text format, also .gz."),
    ] = None,
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            help="A model, of any sizes, whose answers to learn from besides the labels; of "
            "several (--teacher A --teacher B) their mean."
        ),
    ] = None,
    encodings: Annotated[
        Path | None,
        typer.Option(help="What another model makes of each pair, to learn besides: .npy."),
    ] = None,
    units: Annotated[int, typer.Option(help="LSTM units of each direction.", min=1)] = _SIZES.units,
    embedding_size: Annotated[
        int, typer.Option(help="Numbers a word.", min=1)
    ] = _SIZES.embedding_size,
    gates: Annotated[
        Gates, typer.Option(help="hard_sigmoid is what the original has.")
    ] = "sigmoid",
    epochs: Annotated[float, _option("Passes over the pairs.")] = _DEFAULT.epochs,
    batch_size: Annotated[int, _option("Pairs a step, over all processes.")] = _DEFAULT.batch_size,
    learning_rate: Annotated[float, _option("Adam's, at its peak.")] = _DEFAULT.learning_rate,
    warmup: Annotated[int, _option("Steps in which it rises.")] = _DEFAULT.warmup,
    decay: Annotated[float, _option("Share of the steps in which it falls.")] = _DEFAULT.decay,
    clip_norm: Annotated[float, _option("Largest norm of a gradient.")] = _DEFAULT.clip_norm,
    embedding_l2: Annotated[float, _option("Penalty on the embedding.")] = _DEFAULT.embedding_l2,
    weight_decay: Annotated[
        float, _option("AdamW's, of the matrices of LSTMs and last layer.")
    ] = _DEFAULT.weight_decay,
    embedding_range: Annotated[
        float, _option("The embedding starts uniform in +- this.")
    ] = _DEFAULT.embedding_range,
    embedding_dropout: Annotated[
        float, _option("Share of embedding channels dropped.")
    ] = _DEFAULT.embedding_dropout,
    word_dropout: Annotated[
        float, _option("Share of words read as unknown.")
    ] = _DEFAULT.word_dropout,
    final_dropout: Annotated[
        float, _option("Share dropped before the last layer.")
    ] = _DEFAULT.final_dropout,
    label_smoothing: Annotated[float, _option("Of the targets.")] = _DEFAULT.label_smoothing,
    average: Annotated[
        float,
        _option("Keep a moving average of the weights, of this decay (0.999, say); 0: none."),
    ] = _DEFAULT.average,
    teacher_weight: Annotated[
        float, _option("Of the teacher's answers; the labels have the rest.")
    ] = _DEFAULT.teacher_weight,
    temperature: Annotated[
        float, _option("At which student and teacher are compared.")
    ] = _DEFAULT.temperature,
    encodings_weight: Annotated[
        float, _option("Of --encodings; the labels have 1.")
    ] = _DEFAULT.encodings_weight,
    balance: Annotated[
        float, _option("0 draws emojis as they occur, 1 each as often.")
    ] = _DEFAULT.balance,
    pairs: Annotated[
        int, _option("So many pairs alone, chosen by the seed; 0: all.")
    ] = _DEFAULT.pairs,
    words: Annotated[
        int, _option("The first tokens of the vocabulary, the most frequent; 0: all.")
    ] = _DEFAULT.words,
    soft_labels: Annotated[
        bool,
        typer.Option(
            "--soft-labels",
            help="A text once with all its emojis, not once for each.",
            rich_help_panel="Training",
        ),
    ] = _DEFAULT.soft_labels,
    max_tokens: Annotated[int, _option("Training texts are cut there.")] = _DEFAULT.max_tokens,
    streams: Annotated[int, _option("Parts of 65,536 pairs or more.")] = _DEFAULT.streams,
    evaluate_every: Annotated[int, _option("Steps.")] = _DEFAULT.evaluate_every,
    checkpoint_every: Annotated[int, _option("Steps.")] = _DEFAULT.checkpoint_every,
    checkpoints: Annotated[int, _option("The last ones, that are kept.")] = _DEFAULT.checkpoints,
    patience: Annotated[
        int, _option("Evaluations without a better one before it stops.")
    ] = _DEFAULT.patience,
    seed: Annotated[int, _option("Decides weights, order and dropout.")] = _DEFAULT.seed,
    device: Annotated[Device, typer.Option(help="Where to train.")] = "auto",
    processes: Annotated[
        int, typer.Option(help="Data-parallel processes; 0: one a core, or one a GPU.")
    ] = 0,
    precision: Annotated[
        Arithmetic,
        typer.Option(help="Of the arithmetic, auto: the faster one; weights are always fp32."),
    ] = "auto",
    time_limit: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help="Stop in time, with a checkpoint; the same command goes on.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Train a model to predict the emojis of posts. Stopped and run again, it goes on.

    Example: [bold]deepmoji pretrain corpus --out my-model --epochs 2[/bold]
    """
    config = PretrainConfig(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        warmup=warmup,
        decay=decay,
        clip_norm=clip_norm,
        embedding_l2=embedding_l2,
        weight_decay=weight_decay,
        embedding_range=embedding_range,
        embedding_dropout=embedding_dropout,
        word_dropout=word_dropout,
        final_dropout=final_dropout,
        label_smoothing=label_smoothing,
        average=average,
        teacher_weight=teacher_weight,
        temperature=temperature,
        encodings_weight=encodings_weight,
        balance=balance,
        pairs=pairs,
        words=words,
        soft_labels=soft_labels,
        max_tokens=max_tokens,
        streams=streams,
        evaluate_every=evaluate_every,
        checkpoint_every=checkpoint_every,
        checkpoints=checkpoints,
        patience=patience,
        seed=seed,
    )
    sizes = ModelConfig(units=units, embedding_size=embedding_size, gates=gates)
    require_training()
    from deepmoji.training.pretrain import Hardware
    from deepmoji.training.pretrain import pretrain as run

    hardware = Hardware(device=device, processes=processes, precision=precision)
    line = ProgressLine()
    model = run(
        corpus,
        out,
        model=sizes,
        config=config,
        hardware=hardware,
        report=line,
        init=init,
        vectors=vectors,
        teacher=teacher,
        encodings=encodings,
        time_limit=time_limit,
    )
    if os.environ.get("RANK", "0") != "0":
        return
    if model is None:
        typer.echo(
            f"The time limit is up before the end, {out} is not written: the same command goes on"
        )
    else:
        typer.echo(f"{out} is a model now. Try: deepmoji predict --model {out} 'so tired'")
