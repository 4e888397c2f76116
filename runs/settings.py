"""An experiment as a file: what changes against another one, what was expected, what came out."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepmoji.bundle import Bundle
from deepmoji.config import ModelConfig, PretrainConfig

FOLDER = Path(__file__).resolve().parent / "experiments"
_TABLES = ("model", "pretrain", "corpus", "start")
_OF_CORPUS = {"vocabulary_size", "classes"}  # sizes that a run takes from its corpus
_FIELDS = {"lever", "change", "prediction", "outcome", "like", "seeds", *_TABLES}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One setting of one lever.

    Attributes:
        name: of its file, without `.toml`.
        lever: what is pulled; experiments of one lever stand together.
        change: what is different from ``like``, in words.
        prediction: written before the run.
        outcome: written after it; "" until then.
        like: the experiment it is compared with; "" for the first.
        seeds: one run each.
        model: fields of ``ModelConfig``.
        pretrain: fields of ``PretrainConfig``, without the seed.
        corpus: fields of ``CorpusSettings``; none: the reference corpus.
        start: ``init`` or ``teacher`` (an experiment, or ``shipped``; several teachers as a list),
            ``vectors`` (epochs of skip-gram, or the model whose vectors are shortened),
            ``encodings`` (of so many texts, MiniLM's), ``pull`` (how much rare words follow MiniLM,
            in occurrences), ``network = "plain"`` (no attention, no skip connections).
    """

    name: str
    lever: str
    change: str
    prediction: str
    outcome: str
    like: str
    seeds: tuple[int, ...]
    model: Mapping[str, Any]
    pretrain: Mapping[str, Any]
    corpus: Mapping[str, Any]
    start: Mapping[str, Any]

    @property
    def teachers(self) -> list[str]:
        """The models whose answers it learns from, none to several."""
        named = self.start.get("teacher", [])
        return [named] if isinstance(named, str) else list(named)

    def settings(self) -> dict[str, Any]:
        """Return what decides the result, as plain values."""
        return {name: dict(getattr(self, name)) for name in _TABLES}

    @property
    def digest(self) -> str:
        """A short name for the settings."""
        text = json.dumps(self.settings(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def is_made_with(bundle: Bundle, model: ModelConfig, config: PretrainConfig) -> bool:
    """Tell whether a model has these sizes, and its record these settings.

    Settings that came after it had no other value than they have by default.
    """
    sizes, wanted = (
        {name: each for name, each in every.to_dict().items() if name not in _OF_CORPUS}
        for every in (bundle.config, model)
    )
    settings = PretrainConfig().to_dict() | dict(bundle.training.get("settings", {}))
    return sizes == wanted and settings == config.to_dict()


def names() -> list[str]:
    """Return the names of all experiments."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> Experiment:
    """Read an experiment, with the settings of the one that it is like.

    Raises:
        SystemExit: if there is none of that name, or its file has an unknown field or asks for what
            does not go together.
    """
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise SystemExit(f"no experiment {name!r}; there are {', '.join(names())}")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    if unknown := sorted(content.keys() - _FIELDS):
        raise SystemExit(f"{path.name}: unknown field {unknown[0]}; known: {sorted(_FIELDS)}")
    like = read(content["like"]) if content.get("like") else None
    tables = {
        table: {**(dict(getattr(like, table)) if like else {}), **content.get(table, {})}
        for table in _TABLES
    }
    start = tables["start"]
    if "pull" in start and "init" not in start:
        raise SystemExit(f"{path.name}: pull needs init, the model whose words are pulled")
    if "network" in start and len(start) > 1:
        raise SystemExit(f"{path.name}: the plain network takes nothing else to start from")
    return Experiment(
        name=name,
        lever=content["lever"],
        **{field: " ".join(content[field].split()) for field in ("change", "prediction")},
        outcome=" ".join(content.get("outcome", "").split()),
        like=content.get("like", ""),
        seeds=tuple(content.get("seeds", (0,))),
        **tables,
    )
