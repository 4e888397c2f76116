"""What comes out of a campaign: every rating, or one label for each text."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from deepmoji.annotate.scales import Answer, Scale, from_stored
from deepmoji.annotate.schema import Item, Rater, Rating
from deepmoji.errors import InputError

Form = Literal["ratings", "majority", "mean", "study"]
FORMS: tuple[Form, ...] = get_args(Form)

_STUDIED = 2  # ratings that a study takes: one is the human, the others are the truth
NEUTRAL = (4.5, 5.5)  # means between these are near neutral, and dropped in the paper


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A table that came out of a campaign.

    Attributes:
        columns: their names in order.
        rows: a value for each column.
        unlabelled: texts with too few answers for a label: none, or all of them don't know.
        tied: texts left out because two labels were given as often.
        neutral: texts left out because their mean is near neutral.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    unlabelled: int = 0
    tied: int = 0
    neutral: int = 0


@dataclass(frozen=True, kw_only=True)
class Rated:
    """A text and what its raters answered: (name, answer, milliseconds since 1970)."""

    key: str
    text: str
    own: bool
    ratings: tuple[tuple[str, Answer, int], ...]

    @property
    def answers(self) -> list[tuple[str, ...]]:
        """The answers that are not don't know."""
        return [answer for _, answer, _ in self.ratings if answer is not None]


def export(
    session: Session, scale: Scale, form: str, *, min_raters: int = 1, keep_neutral: bool = False
) -> Exported:
    """Make one of the tables.

    - ``ratings``: a row for each answer: item, text, rater, answer (empty for don't know), time
      (UTC), own (whether the rater wrote the text).
    - ``majority``: text, label, item, raters, share. The label that most raters gave; texts where
      two were given as often are left out. Of several labels a text, all that more than half gave.
    - ``mean``, for nine points: text, label, item, raters, mean. ``negative`` below 4.5,
      ``positive`` above 5.5; what is between is left out, or ``neutral``.
    - ``study``, for nine points: text, ratings (a list), as ``deepmoji study`` reads them: of texts
      with two ratings or more.

    Args:
        session: that reads.
        scale: of the campaign.
        form: which table.
        min_raters: texts with fewer answers are left out; not for ``ratings``.
        keep_neutral: label near-neutral means ``neutral``, where they would be left out; for
            ``mean`` alone.

    Raises:
        InputError: if the form is not known, or not made for the scale or for what is asked.
    """
    if form not in FORMS:
        raise InputError(f"the form {form!r} has to be one of {', '.join(FORMS)}")
    if form in ("mean", "study") and scale.kind != "nine":
        raise InputError(f"{form} is for the nine points; take majority or ratings")
    if keep_neutral and form != "mean":
        raise InputError(f"--keep-neutral is for the form mean, not for {form}")
    if min_raters > 1 and form == "ratings":
        raise InputError("--min-raters is not for the form ratings, which has every answer")
    rated = _rated(session)
    if form == "ratings":
        return _ratings(rated, scale)
    least = max(_STUDIED if form == "study" else 1, min_raters)
    enough = [each for each in rated if len(each.answers) >= least]
    made = _MAKERS[form](enough, scale, keep_neutral)
    return Exported(
        columns=made.columns,
        rows=made.rows,
        unlabelled=len(rated) - len(enough),
        tied=made.tied,
        neutral=made.neutral,
    )


def _rated(session: Session) -> list[Rated]:
    query = (
        select(Rating.item_id, Rater.name, Rating.answer, Rating.answered)
        .join(Rater, Rater.id == Rating.rater_id)
        .where(Rating.answered.is_not(None))
        .order_by(Rating.item_id, Rating.id)
    )
    ratings: dict[int, list[tuple[str, Answer, int]]] = {}
    for item, name, stored, time in session.execute(query):
        ratings.setdefault(item, []).append((name, from_stored(stored or "null"), time or 0))
    return [
        Rated(
            key=item.key,
            text=item.text,
            own=item.author_id is not None,
            ratings=tuple(ratings.get(item.id, ())),
        )
        for item in session.scalars(select(Item).order_by(Item.id))
    ]


def _ratings(rated: Sequence[Rated], scale: Scale) -> Exported:
    rows = tuple(
        {
            "item": each.key,
            "text": each.text,
            "rater": name,
            "answer": _label(answer, scale),
            "time": iso(time),
            "own": int(each.own),
        }
        for each in rated
        for name, answer, time in each.ratings
    )
    return Exported(columns=("item", "text", "rater", "answer", "time", "own"), rows=rows)


def iso(milliseconds: int) -> str:
    """Return a time as ISO 8601 has it, in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _label(answer: Answer, scale: Scale) -> str | list[str] | None:
    if answer is None:
        return None
    return list(answer) if scale.multi else answer[0]


def _majority(rated: Sequence[Rated], scale: Scale, _keep: bool) -> Exported:
    rows: list[dict[str, Any]] = []
    for each in rated:
        counts = Counter(value for answer in each.answers for value in answer)
        voters = len(each.answers)
        if scale.multi:
            won = tuple(value for value in scale.values if counts[value] * 2 > voters)
            share = min((counts[value] / voters for value in won), default=None)
        else:
            most = max(counts.values())
            won = tuple(value for value in scale.values if counts[value] == most)
            share = most / voters
            if len(won) > 1:
                continue
        rows.append(_row(each, _label(won, scale), "share", share))
    return Exported(columns=(*_LABELLED, "share"), rows=tuple(rows), tied=len(rated) - len(rows))


def _mean(rated: Sequence[Rated], _scale: Scale, keep_neutral: bool) -> Exported:
    low, high = NEUTRAL
    rows: list[dict[str, Any]] = []
    for each in rated:
        mean = sum(int(answer[0]) for answer in each.answers) / len(each.answers)
        label = "negative" if mean < low else "positive" if mean > high else "neutral"
        if label != "neutral" or keep_neutral:
            rows.append(_row(each, label, "mean", mean))
    return Exported(columns=(*_LABELLED, "mean"), rows=tuple(rows), neutral=len(rated) - len(rows))


def _study(rated: Sequence[Rated], _scale: Scale, _keep: bool) -> Exported:
    rows = tuple(
        {"text": each.text, "ratings": [int(answer[0]) for answer in each.answers]}
        for each in rated
    )
    return Exported(columns=("text", "ratings"), rows=rows)


_LABELLED = ("text", "label", "item", "raters")


def _row(each: Rated, label: object, name: str, value: float | None) -> dict[str, Any]:
    rounded = None if value is None else round(value, 4)
    return {
        "text": each.text,
        "label": label,
        "item": each.key,
        "raters": len(each.answers),
        name: rounded,
    }


_MAKERS: dict[str, Callable[[Sequence[Rated], Scale, bool], Exported]] = {
    "majority": _majority,
    "mean": _mean,
    "study": _study,
}
