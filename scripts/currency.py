"""Whether what a result file holds was measured with the model that ships."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from deepmoji.benchmark.job import Base


def is_current(content: Mapping[str, Any]) -> bool:
    """Tell whether nothing in a result file comes from another model than ships.

    Files name the model as ``base``; those that name none are of no model, or of its speed alone.
    """
    return content.get("base") in (None, _shipped())


@cache
def _shipped() -> str:
    return Base.of(None).digest
