"""The systems that can be compared, by the names that the command line knows."""

from collections.abc import Mapping

from deepmoji.benchmark.system import System

SYSTEMS: Mapping[str, System] = {}  # cheapest first
