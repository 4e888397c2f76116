"""Which emojis posts hold, and the label set that this proposes, before anything is built."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepmoji.corpus.builder import Build, Progress, Silent
from deepmoji.corpus.labelset import most_frequent
from deepmoji.corpus.posts import find_posts
from deepmoji.corpus.settings import CorpusSettings
from deepmoji.errors import InputError
from deepmoji.machine import available_cores


@dataclass(frozen=True, kw_only=True)
class Census:
    """What was counted.

    Attributes:
        posts: readable posts in.
        passed: posts that passed the filters, with an emoji or without.
        counts: posts that passed, by emoji: each emoji once a post, a flag or a sequence held
            together by joiners as one, without skin tone and gender.
        dropped: posts by the first filter that they failed.
    """

    posts: int
    passed: int
    counts: Mapping[str, int]
    dropped: Mapping[str, int]

    def propose(self, count: int, least: int = 1) -> tuple[str, ...]:
        """Return the most frequent emojis, up to ``count``, that ``least`` posts hold each.

        Raises:
            InputError: if there is none.
        """
        enough = {emoji: number for emoji, number in self.counts.items() if number >= least}
        if not enough:
            raise InputError(
                f"no emoji stands in {least:,} of the {self.passed:,} posts that pass the filters"
            )
        return most_frequent(enough, min(count, len(enough)))

    def to_dict(self) -> dict[str, Any]:
        """Return the census as plain JSON values, the most frequent emojis first."""
        ordered = most_frequent(self.counts, len(self.counts))
        return {
            "posts": self.posts,
            "passed": self.passed,
            "dropped": dict(sorted(self.dropped.items())),
            "emojis": {emoji: self.counts[emoji] for emoji in ordered},
        }


def take_census(
    posts: Sequence[str | Path],
    *,
    settings: CorpusSettings,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Census:
    """Count the emojis of posts that pass the filters; nothing is kept of them.

    Raises:
        InputError: if something given cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="deepmoji-") as folder:
        build = Build(
            posts=find_posts(posts),
            out=Path(folder),
            settings=replace(settings, labels="top:1"),  # what is counted does not depend on it
            workers=workers or available_cores(),
            cluster=None,
            progress=progress or Silent(),
        )
        tally = build.count_emojis()
    return Census(posts=tally.posts, passed=tally.kept, counts=tally.emojis, dropped=tally.dropped)
