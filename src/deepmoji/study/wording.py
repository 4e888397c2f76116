"""What systems are called where people read of them, and the order that they stand in."""

from collections.abc import Iterable, Mapping

NAMES: Mapping[str, str] = {
    "chance": "chance",
    "constant": "always the commoner sign",
    "vader": "VADER",
    "tfidf": "TF-IDF",
    "fasttext": "fastText",
    "minilm": "MiniLM",
    "human": "one human",
}
BASELINES = ("chance", "constant", "vader", "tfidf", "fasttext", "minilm")


def name_of(system: str) -> str:
    """Return what a system is called; a method of ours is this model, tuned by it."""
    return NAMES.get(system, f"deepmoji, {system}")


def in_order(systems: Iterable[str]) -> list[str]:
    """Return chance and baselines, then one human, then our methods."""
    order = [*BASELINES, "human"]
    return sorted(systems, key=lambda each: (order.index(each) if each in order else 99, each))


def published_for(system: str) -> str:
    """Return which published figure stands beside a system's; none of the baselines' others."""
    return system if system in NAMES else "deepmoji"
