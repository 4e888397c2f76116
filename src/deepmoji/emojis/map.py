"""The structure of emojis in a model's answers (Felbo et al., 2017): correlations and a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage
from scipy.spatial.distance import squareform

from deepmoji.emojis.naming import place_of
from deepmoji.errors import InputError

Floats = NDArray[np.float64]

GROUPS = 14
DIGITS = 4
_STEPS = 1000  # of stress majorisation; it has come to rest long before
_STILL = 1e-9  # relative gain of a step


@dataclass(frozen=True, kw_only=True)
class EmojiMap:
    """How alike a model uses its labels, and the tree that follows.

    Attributes:
        labels: C of them, as the model orders them.
        texts: how many texts were answered.
        correlations: between the probabilities of labels over the texts, [C, C].
        mean: probability of each label, [C].
    """

    labels: tuple[str, ...]
    texts: int
    correlations: Floats
    mean: Floats

    @classmethod
    def of(cls, scores: NDArray[Any], labels: Sequence[str]) -> "EmojiMap":
        """Measure it on a model's probabilities of many texts.

        Args:
            scores: of n texts, [n, C].
            labels: C of them.

        Raises:
            InputError: if there are fewer than three texts or labels, or a label has the same
                probability for every text.
        """
        table = np.asarray(scores, np.float64)
        if table.ndim != 2 or table.shape[1] != len(labels):
            raise InputError(
                f"scores of shape {list(table.shape)} for {len(labels)} labels; they have to be "
                "[texts, labels]"
            )
        if min(table.shape) < 3:
            raise InputError(
                f"{table.shape[0]} texts and {table.shape[1]} labels are too few for a map; it "
                "takes three of each, and thousands of texts are better"
            )
        flat = table.std(axis=0) == 0
        if flat.any():
            raise InputError(
                f"the label {labels[int(flat.argmax())]} has the same probability for all "
                f"{len(table)} texts; give other texts, or more"
            )
        # To the digits that are written, so that a map read from its file is the same.
        correlations = np.round(np.corrcoef(table.T), DIGITS)
        return cls(
            labels=tuple(labels),
            texts=len(table),
            correlations=correlations,
            mean=np.round(table.mean(axis=0), 6),
        )

    @property
    def distances(self) -> Floats:
        """1 - correlation, 0 to 2, [C, C]."""
        distances = 1 - self.correlations
        np.fill_diagonal(distances, 0.0)
        return distances

    @property
    def tree(self) -> Floats:
        """Average linkage in SciPy's form, [C - 1, 4]; the order of leaves puts like by like."""
        condensed = squareform(self.distances, checks=False)
        return np.asarray(linkage(condensed, "average", optimal_ordering=True))

    def groups(self, count: int = GROUPS) -> list[tuple[str, ...]]:
        """Cut the tree into groups, in the order of its leaves.

        Args:
            count: how many there are at the most.

        Raises:
            InputError: if it is not from 1 to the number of labels.
        """
        check_groups(count, self.labels)
        tree = self.tree
        member_of = fcluster(tree, count, "maxclust")
        found: dict[int, list[str]] = {}
        for leaf in leaves_list(tree):
            found.setdefault(int(member_of[leaf]), []).append(self.labels[leaf])
        return [tuple(each) for each in found.values()]

    def nearest(self, label: str, count: int = 5) -> list[tuple[str, float]]:
        """Return the labels that are used most like one, with their correlations.

        Raises:
            InputError: if it is no label.
        """
        place = self.place(label)
        order = [k for k in np.argsort(-self.correlations[place], kind="stable") if k != place]
        return [(self.labels[k], float(self.correlations[place, k])) for k in order[:count]]

    def place(self, label: str) -> int:
        """Return which label it is, with or without a variation selector.

        Raises:
            InputError: if it is no label.
        """
        return place_of(label, self.labels)

    def plane(self) -> tuple[Floats, float]:
        """Place the labels in two dimensions, alike ones near each other.

        Classical scaling, then stress majorisation (SMACOF; De Leeuw, 1977) from there: no chance
        is at work, so that there is no seed.

        Returns:
            coordinates [C, 2]; and what of the distances is lost, Kruskal's stress-1. Nothing is
            where there are none: all labels are at one point.
        """
        distances = self.distances
        points = _classical(distances)
        stress = _stress(points, distances)
        for _ in range(_STEPS):
            moved = _majorised(points, distances)
            reached = _stress(moved, distances)
            if stress - reached <= _STILL * stress:
                break
            points, stress = moved, reached
        total = float((distances**2).sum())
        return points, float(np.sqrt(stress / total)) if total else 0.0

    def to_dict(self, groups: int = GROUPS) -> dict[str, Any]:
        """Return the map as plain values; :meth:`from_dict` reads them."""
        points, stress = self.plane()
        return {
            "texts": self.texts,
            "groups": [list(each) for each in self.groups(groups)],
            "leaves": [self.labels[leaf] for leaf in leaves_list(self.tree)],
            "nearest": {
                label: [[other, round(alike, 3)] for other, alike in self.nearest(label)]
                for label in self.labels
            },
            "plane": {
                label: [round(float(x), 4), round(float(y), 4)]
                for label, (x, y) in zip(self.labels, points, strict=True)
            },
            "plane_stress": round(stress, 4),
            "labels": list(self.labels),
            "mean": self.mean.tolist(),
            "correlations": self.correlations.tolist(),
        }

    @classmethod
    def from_dict(cls, content: object) -> "EmojiMap":
        """Read what :meth:`to_dict` wrote.

        Raises:
            InputError: if it is something else.
        """
        values = cast("Mapping[str, Any]", content) if isinstance(content, dict) else {}
        try:
            labels = tuple(map(str, values["labels"]))
            correlations = np.asarray(values["correlations"], np.float64)
            mean = np.asarray(values["mean"], np.float64)
            texts = int(values["texts"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"this is no map that deepmoji emojis map wrote: {error}") from error
        if correlations.shape != (len(labels),) * 2 or mean.shape != (len(labels),):
            raise InputError(
                f"this is no map that deepmoji emojis map wrote: {len(labels)} labels, but "
                f"correlations of shape {list(correlations.shape)}"
            )
        return cls(labels=labels, texts=texts, correlations=correlations, mean=mean)


def check_groups(count: int, labels: Sequence[str]) -> None:
    """Refuse a number of groups that labels cannot make.

    Raises:
        InputError: if it is not from 1 to the number of labels.
    """
    if not 1 <= count <= len(labels):
        raise InputError(f"groups can be 1 to {len(labels)}, not {count}")


def _classical(distances: Floats) -> Floats:
    count = len(distances)
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    points = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0))
    # The sign of an axis is arbitrary; the first label goes to the right and to the top.
    return points * np.where(points[0] < 0, -1, 1)


def _between(points: Floats) -> Floats:
    return np.linalg.norm(points[:, np.newaxis] - points[np.newaxis], axis=2)


def _stress(points: Floats, distances: Floats) -> float:
    return float(((_between(points) - distances) ** 2).sum())


def _majorised(points: Floats, distances: Floats) -> Floats:
    apart = _between(points)
    ratio = -distances / np.maximum(apart, 1e-12)
    np.fill_diagonal(ratio, 0)
    np.fill_diagonal(ratio, -ratio.sum(axis=1))
    return ratio @ points / len(points)
