"""Where experiments leave their models, and whether one that lies there is the one meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepmoji.bundle import SHIPPED, Bundle
from deepmoji.config import ModelConfig, PretrainConfig
from deepmoji.training.export import export
from deepmoji.training.run import Run, digest
from runs.settings import Experiment, is_made_with, read

NEVER = 10**6  # steps: measured once, at the end


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where experiments find their data and leave their models."""

    posts: Path
    corpus: Path  # the reference: its vocabulary, and the splits that everything is measured on
    work: Path
    processes: int

    def model(self, experiment: Experiment, seed: int, run: Run | None = None) -> Path:
        """Return where the model of an experiment lies, or will.

        Args:
            experiment: what it is made with. One that other settings made stays where it is.
            seed: of its run.
            run: the run that would make it, so that one made from other files is told from it.
        """
        usual = self.work / "models" / f"{experiment.name}-{seed}"
        own = usual.with_name(f"{usual.name}-{experiment.digest}")
        if own.exists():
            return own
        if not (usual / "training.json").exists():
            return usual
        bundle, sizes = Bundle.open(usual), ModelConfig(**experiment.model)
        is_its = is_made_with(bundle, sizes, config_of(experiment, seed))
        return usual if is_its and (run is None or is_made_from(bundle, run)) else own

    def start(self, name: str) -> Path:
        """Return the model that others start from or learn from."""
        if name == "shipped":
            return SHIPPED
        experiment = read(name)
        return self.model(experiment, experiment.seeds[0])

    def int8(self, name: str) -> Path:
        """Return the form in which that model ships, or would."""
        model = self.start(name)
        if name == "shipped":
            return model
        path = self.work / "int8" / f"{name}-{digest(model)[:8]}"
        if not path.exists():
            export(model, path)
        return path


def config_of(experiment: Experiment, seed: int) -> PretrainConfig:
    """Return an experiment's settings; by default it is measured once, at its end."""
    usual = {"evaluate_every": NEVER, "checkpoint_every": 500}
    return PretrainConfig(seed=seed, **(usual | dict(experiment.pretrain)))


def is_made_from(bundle: Bundle, run: Run) -> bool:
    """Tell whether a model learnt from the corpus and the files that a run is given."""
    pairs = run.open_corpus().report["pairs"]
    return bundle.training.get("corpus") == pairs and _sources(bundle.training) == _sources(
        run.given()
    )


def _sources(record: Mapping[str, Any]) -> list[Any]:
    """Return the digests of the files that a run was given."""
    # A record of what learnt from one model alone may say so in another way.
    teachers: list[Any] = [record["teacher"]] if "teacher" in record else record.get("teachers", [])
    models: list[Any] = [record.get("started_from", {}), *teachers]
    files: list[Any] = [record.get(name, {}) for name in ("vectors", "encodings")]
    return [
        *(each.get("weights_sha256") for each in models),
        *(each.get("sha256") for each in files),
    ]
