"""Run pretraining experiments; one row a run in benchmarks/results/pretraining.json.

python -m runs.experiment NAME... --corpus runs/default/corpus --work runs/work

NAME.toml in runs/experiments/ holds the settings. Rows whose settings have not changed are kept,
runs that were stopped go on. Emoji accuracies are those of the validation split of --corpus,
whatever the experiment was trained on; `transfer` is the validation score of `last` on the
paper's data sets. Test splits are not touched.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

import deepmoji
from benchmarks.record import RESULTS, SHARED, machine
from deepmoji.benchmark.tasks import load_tasks
from deepmoji.bundle import Bundle
from deepmoji.cli.progress import ProgressLine
from deepmoji.config import ModelConfig
from deepmoji.corpus import build
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.corpus.shards import CorpusFolder
from deepmoji.evaluation.metrics import Priors, emoji_accuracies
from deepmoji.files import atomic_path
from deepmoji.training.network import Network
from deepmoji.training.plain import PlainNetwork
from deepmoji.training.pretrain import Hardware, pretrain
from deepmoji.training.pretrain import train as run_steps
from deepmoji.training.run import Run, digest
from deepmoji.training.trainer import new_network
from runs import minilm, rare_words, vectors
from runs.place import Place, config_of, is_made_from
from runs.settings import Experiment, read

RESULT = RESULTS / "pretraining.json"


def corpus_of(experiment: Experiment, place: Place) -> Path:
    """Build an experiment's corpus, unless it is the reference."""
    changes = dict(experiment.corpus)
    if not changes:
        return place.corpus
    if "without" in changes:
        changes["without"] = tuple(changes["without"])
    if "labels" in changes and changes["labels"].startswith("list:"):  # emojis, separated by spaces
        path = place.work / "corpora" / f"{experiment.name}.labels"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(changes["labels"][5:].split()), encoding="utf-8")
        changes["labels"] = str(path)
    if "vocabulary_size" not in changes:
        changes["vocabulary"] = str(place.corpus)
    settings = CorpusSettings(exclude=(str(place.corpus),), **changes)
    out = place.work / "corpora" / experiment.name
    build([str(place.posts)], out, settings=settings)
    return out


def vectors_of(experiment: Experiment, corpus: Path, place: Place) -> Path:
    """Make the word vectors that an experiment starts from, unless they are there."""
    source = experiment.start["vectors"]
    dim = ModelConfig(**experiment.model).embedding_size
    if isinstance(source, int):
        of, options = str(source), ["--epochs", str(source)]
    else:
        model = place.int8(source)
        of, options = f"{source}-{digest(model)[:8]}", ["--model", str(model)]
    path = place.work / "vectors" / f"{corpus.name}-{dim}-{of}.vec"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        vectors.main([str(corpus), str(path), "--dim", str(dim), *options])
    return path


def encodings_of(experiment: Experiment, corpus: Path, place: Place) -> Path:
    """Ask MiniLM for the encodings that an experiment learns besides, unless they are there."""
    texts = experiment.start["encodings"]
    path = place.work / "encodings" / f"{corpus.name}-{texts}.npy"
    if not path.exists():
        minilm.main([str(corpus), str(path), "--texts", str(texts)])
    return path


def pulled_of(experiment: Experiment, place: Place) -> Path:
    """Pull the rare words of the model that an experiment starts from, unless that is done."""
    init, strength = experiment.start["init"], experiment.start["pull"]
    model = place.start(init)
    corpus = place.corpus if init == "shipped" else corpus_of(read(init), place)
    path = place.work / "pulled" / f"{init}-{digest(model)[:8]}-{strength}"
    if not path.exists():
        rare_words.main([str(model), str(corpus), str(path), "--pull", str(strength)])
    return path


def train_plain(experiment: Experiment, seed: int, place: Place) -> dict[str, Any]:
    """Train the network without attention and skip connections; return its row.

    It has no bundle form: its figures are those of the run's own evaluation.
    """
    corpus = CorpusFolder.open(place.corpus).with_words(experiment.pretrain.get("words", 0))
    sizes = dict(experiment.model) | {
        "vocabulary_size": len(corpus.vocabulary),
        "classes": len(corpus.labels),
    }
    run = PlainRun(
        corpus=place.corpus,
        folder=place.work / "models" / f"{experiment.name}-{seed}-{experiment.digest}.training",
        model=ModelConfig(**sizes),
        config=config_of(experiment, seed),
    )
    run_steps(run, Hardware(device="cpu", processes=place.processes), ProgressLine())
    state = run.checkpoint().load_state()
    best = max(state.history, key=lambda each: -each["natural_loss"])
    measures = {name: round(best[name], 4) for name in best if name.startswith(("nat", "bal"))}
    texts = int(best["step"]) * run.config.batch_size
    return {
        "texts": texts,
        "seconds": round(state.seconds),
        "processes": place.processes,
    } | measures


class PlainRun(Run):
    """A run of the plain network, which starts and is trained as the other one is."""

    def network(self) -> Network:
        return new_network(self.model, self.config, kind=PlainNetwork)


def train(experiment: Experiment, seed: int, place: Place) -> tuple[Path, dict[str, Any]]:
    """Pretrain a model, or go on; return it, and what it cost."""
    corpus = corpus_of(experiment, place)
    start: dict[str, Any] = {}
    if "init" in experiment.start:
        start["init"] = place.start(experiment.start["init"])
    if "teacher" in experiment.start:
        start["teacher"] = [place.int8(name) for name in experiment.teachers]
    if "vectors" in experiment.start:
        start["vectors"] = vectors_of(experiment, corpus, place)
    if "pull" in experiment.start:
        start["init"] = pulled_of(experiment, place)
    if "encodings" in experiment.start:
        start["encodings"] = encodings_of(experiment, corpus, place)
    config = config_of(experiment, seed)
    run = Run(
        corpus=corpus,
        folder=place.work,
        model=ModelConfig(**experiment.model),
        config=config,
        teachers=tuple(start.get("teacher", ())),
        **{name: each for name, each in start.items() if name != "teacher"},
    )
    out = place.model(experiment, seed, run)
    is_made = (out / "training.json").exists()
    if is_made and not is_made_from(Bundle.open(out), run):
        raise SystemExit(
            f"{out} was made from another corpus or other files; delete it and {out}.training"
        )
    if not is_made:
        pretrain(
            corpus,
            out,
            model=run.model,
            config=config,
            hardware=Hardware(device="cpu", processes=place.processes),
            report=ProgressLine(),
            **start,
        )
    record = Bundle.open(out).training
    cost = {
        "texts": record["steps"] * config.batch_size,
        "seconds": record["seconds"],
        "processes": record["hardware"]["processes"],
    }
    return out, cost


def emoji_scores(model: Path, place: Place) -> dict[str, float]:
    """Measure a model on the reference's validation split, among the reference's emojis."""
    corpus = CorpusFolder.open(place.corpus)
    split, predictor = corpus.read_split("validation"), deepmoji.load(model)
    if not set(corpus.labels) <= set(predictor.labels):
        return {}  # it has learnt fewer emojis than are asked for
    if split.texts is None or split.balanced is None or split.natural is None:
        raise SystemExit(f"{place.corpus} has no validation split; build it again")
    columns = [predictor.labels.index(label) for label in corpus.labels]
    scores = np.log(np.maximum(predictor.scores(split.texts)[:, columns], 1e-12))
    seen = np.asarray(predictor.bundle.training["prior"])[columns]
    counts = corpus.count_train()
    return emoji_accuracies(
        scores,
        split.labels,
        balanced=split.balanced,
        natural=split.natural,
        priors=Priors(seen=seen / seen.sum(), natural=counts / counts.sum()),
    )


def transfer_scores(model: Path) -> dict[str, float]:
    """Tune a last layer for each of the paper's sets; return the validation scores."""
    scores: dict[str, float] = {}
    for task in load_tasks("paper", SHARED / "benchmarks"):
        tuned = deepmoji.finetune(
            task.train,
            task.validation,
            base=model,
            method="last",
            classes=task.problem.classes,
            multi_label=task.problem.kind == "multi",
            device="cpu",
        )
        scores[task.name] = tuned.report["measures"]["validation"][task.measure]
    return scores


def row_of(experiment: Experiment, seed: int, place: Place) -> dict[str, Any]:
    """Run an experiment with a seed and measure it."""
    named = {"experiment": experiment.name, "seed": seed}
    if experiment.start.get("network") == "plain":
        row = train_plain(experiment, seed, place)
        return named | row | {"settings": experiment.settings()}
    model, cost = train(experiment, seed, place)
    begun = time.monotonic()
    emojis, transfer = emoji_scores(model, place), transfer_scores(model)
    print(f"{experiment.name}, seed {seed}: measured in {time.monotonic() - begun:.0f} s")
    return {
        **named,
        **cost,
        **{name: round(value, 4) for name, value in emojis.items()},
        "transfer": {name: round(value, 4) for name, value in transfer.items()},
        "transfer_mean": round(float(np.mean(list(transfer.values()))), 4),
        "settings": experiment.settings(),
    }


def read_rows() -> list[dict[str, Any]]:
    """Return the rows of all runs so far."""
    return json.loads(RESULT.read_text(encoding="utf-8"))["rows"] if RESULT.exists() else []


def write_rows(rows: list[dict[str, Any]]) -> None:
    rows = sorted(rows, key=lambda row: (row["experiment"], row["seed"]))
    content = {"command": "python -m runs.experiment NAME...", "machine": machine(), "rows": rows}
    with atomic_path(RESULT) as temporary:
        text = json.dumps(content, ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runs.experiment")
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--posts", type=Path, default=SHARED / "corpus")
    parser.add_argument("--corpus", type=Path, default=Path("runs/default/corpus"))
    parser.add_argument("--work", type=Path, default=Path("runs/work"))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    place = Place(
        posts=options.posts.resolve(),
        corpus=options.corpus.resolve(),
        work=options.work.resolve(),
        processes=options.processes,
    )
    for name in options.names:
        experiment = read(name)
        for seed in experiment.seeds:
            rows, key = read_rows(), (name, seed)
            current = [row for row in rows if (row["experiment"], row["seed"]) == key]
            if current and current[0]["settings"] == experiment.settings():
                print(f"{name}, seed {seed}: done before")
                continue
            row = row_of(experiment, seed, place)
            others = [row for row in read_rows() if (row["experiment"], row["seed"]) != key]
            write_rows([*others, row])
            print(json.dumps({name: row[name] for name in row if name != "settings"}))


if __name__ == "__main__":
    main()
