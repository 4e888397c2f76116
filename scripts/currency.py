"""Whether what a result file holds was measured with the models that ship."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from deepmoji.benchmark.job import Base
from deepmoji.bundle import MODELS, SHIPPED


def is_current(content: Mapping[str, Any]) -> bool:
    """Tell whether nothing in a result file comes from another model than ships.

    Files name the default model by its digest, as ``model_sha256`` or, where transfer starts from
    it, ``base``; those that compare models name each among their ``models``. Those that name none
    are of no model, or of its speed alone.
    """
    named = content.get("model_sha256", content.get("base"))
    return named in (None, _digest(SHIPPED.name)) and all(
        each["model_sha256"] == _digest(name) for name, each in content.get("models", {}).items()
    )


@cache
def _digest(name: str) -> str | None:
    return Base.of(MODELS / name).digest if (MODELS / name).is_dir() else None
