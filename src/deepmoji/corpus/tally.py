"""What a stage counted."""

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

SAMPLES = 5
NAMED_PROBLEMS = 20


@dataclass
class Tally:
    """Counts of posts by what became of them; tallies add up, in any order to the same.

    Attributes:
        posts: readable posts in.
        kept: posts that passed every rule.
        dropped: posts by the first rule that they failed.
        samples: for each rule (hash, text) of a few dropped posts, those with the smallest hashes.
        emojis: posts by emoji, where emojis are counted.
        unreadable: number of unreadable rows.
        problems: the first few of them, as (file, row, what is wrong).
        broken: files that cannot be read, or not to their end, as (file, why).
    """

    posts: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter[str])
    samples: dict[str, list[tuple[int, str]]] = field(default_factory=dict[str, Any])
    emojis: Counter[str] = field(default_factory=Counter[str])
    unreadable: int = 0
    problems: list[tuple[str, int, str]] = field(default_factory=list[Any])
    broken: list[tuple[str, str]] = field(default_factory=list[Any])

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        self.posts += other.posts
        self.kept += other.kept
        self.dropped.update(other.dropped)
        for rule, samples in other.samples.items():
            self.add_samples(rule, samples)
        self.emojis.update(other.emojis)
        self.unreadable += other.unreadable
        self.add_problems(other.problems)
        self.broken = sorted([*self.broken, *other.broken])

    def add_samples(self, rule: str, samples: Iterable[tuple[int, str]]) -> None:
        """Keep the samples of a rule with the smallest hashes, each text once."""
        both = {*samples, *self.samples.get(rule, [])}
        self.samples[rule] = heapq.nsmallest(SAMPLES, both)

    def add_problems(self, problems: Iterable[tuple[str, int, str]]) -> None:
        """Keep the first unreadable rows; their number is counted elsewhere."""
        self.problems = heapq.nsmallest(NAMED_PROBLEMS, [*self.problems, *problems])

    def to_dict(self) -> dict[str, Any]:
        """Return the tally as plain JSON values."""
        return {
            "posts": self.posts,
            "kept": self.kept,
            "dropped": dict(sorted(self.dropped.items())),
            "samples": self.samples,
            "emojis": dict(sorted(self.emojis.items())),
            "unreadable": self.unreadable,
            "problems": self.problems,
            "broken": self.broken,
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Tally":
        """Return the tally that :meth:`to_dict` gave."""
        return cls(
            posts=content["posts"],
            kept=content["kept"],
            dropped=Counter(content["dropped"]),
            samples={
                rule: [(number, text) for number, text in samples]
                for rule, samples in content["samples"].items()
            },
            emojis=Counter(content["emojis"]),
            unreadable=content["unreadable"],
            problems=[(name, row, what) for name, row, what in content["problems"]],
            broken=[(name, why) for name, why in content["broken"]],
        )
