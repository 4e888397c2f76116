"""Crowd platforms: texts out as CSV, answers with worker ids back in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from deepmoji.annotate.export import iso
from deepmoji.annotate.files import harmless
from deepmoji.annotate.pool import count
from deepmoji.annotate.raters import new_rater
from deepmoji.annotate.scales import Answer, Scale, to_stored
from deepmoji.annotate.schema import CampaignRow, Item, Rater, Rating
from deepmoji.annotate.texts import storable
from deepmoji.annotate.tokens import worker_key
from deepmoji.errors import InputError
from deepmoji.evaluation.tables import Table, open_table

# Names that platforms give the columns: our own first, then Mechanical Turk's.
ITEM = ("item", "Input.item")
WORKER = ("worker", "WorkerId", "worker_id", "_worker_id")
ANSWER = ("answer", "Answer.answer", "Answer.answer.label")
STATUS = ("AssignmentStatus",)
DONT_KNOW = frozenset({"", "don't know", "dont_know", "null"})


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a platform's file; None: the first that is there of the usual names.

    Attributes:
        item: the ids that went out.
        worker: who answered.
        answer: what they answered; several labels as ``a|b`` or as a JSON list.
        time: when, as ISO 8601; without it, the moment of the import is noted.
    """

    item: str | None = None
    worker: str | None = None
    answer: str | None = None
    time: str | None = None


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    """What came of a platform's file.

    Attributes:
        answers: new ones.
        changed: answers of the same worker to the same text that differ from an earlier import.
        workers: who had not been seen before.
        beyond: texts that have more raters now than the campaign asked for.
        rejected: rows left out because the platform says that they were rejected.
        revoked: rows left out because their rater was revoked here.
    """

    answers: int
    changed: int
    workers: int
    beyond: int
    rejected: int
    revoked: int


@dataclass(frozen=True)
class _Row:
    item: int
    worker: str
    answer: Answer
    time: int


def outgoing(session: Session, campaign: CampaignRow) -> list[dict[str, Any]]:
    """Return the texts that need raters yet: item, text, and how many answers they need."""
    query = (
        select(Item.key, Item.text, campaign.raters_per_item - Item.answers)
        .where(Item.author_id.is_(None), Item.answers < campaign.raters_per_item)
        .order_by(Item.id)
    )
    return [
        {"item": key, "text": text, "needed": needed}
        for key, text, needed in session.execute(query)
    ]


def incoming(
    session: Session, campaign: CampaignRow, path: Path, columns: Columns, now: int
) -> TakenIn:
    """Take answers in, all or, after an error, none. The same file twice changes nothing.

    What a revoked rater answered is left out: it may have been deleted because they asked for it.

    Args:
        session: that writes.
        campaign: the one they are for.
        path: a table as the platform gives it.
        columns: which hold what.
        now: in milliseconds since 1970.

    Raises:
        InputError: if a row cannot be used: it says which and why.
    """
    scale = Scale.from_json(campaign.scale)
    rows, rejected = _read(open_table(path), _items(session), scale, columns, now)
    workers, new = _workers(session, campaign, rows, now)
    answers = changed = revoked = 0
    touched: set[int] = set()
    for row in rows:
        item, rater = row.item, workers[row.worker]
        if rater.revoked is not None:
            revoked += 1
            continue
        touched.add(item)
        query = select(Rating).where(Rating.item_id == item, Rating.rater_id == rater.id)
        rating = session.scalar(query)
        stored = to_stored(row.answer)
        if rating is None:
            answers += 1
            count(session, [item], 1)
            session.add(
                Rating(
                    item_id=item,
                    rater_id=rater.id,
                    assigned=row.time,
                    answered=row.time,
                    answer=stored,
                )
            )
        elif rating.answer != stored:
            changed += 1
            rating.answer, rating.answered = stored, row.time
        session.flush()
    over = select(Item.id).where(Item.answers > campaign.raters_per_item)
    beyond = len(touched & set(session.scalars(over)))
    return TakenIn(
        answers=answers,
        changed=changed,
        workers=new,
        beyond=beyond,
        rejected=rejected,
        revoked=revoked,
    )


def _items(session: Session) -> dict[str, int]:
    """Return the items by their ids, as they are and as :func:`outgoing` wrote them in CSV."""
    query = select(Item.key, Item.id).where(Item.author_id.is_(None))
    items = dict(session.execute(query).all())
    return {harmless(key): item for key, item in items.items()} | items


def _workers(
    session: Session, campaign: CampaignRow, rows: Sequence[_Row], now: int
) -> tuple[dict[str, Rater], int]:
    found: dict[str, Rater] = {}
    new = 0
    for worker in dict.fromkeys(row.worker for row in rows):
        key = worker_key(campaign.salt, worker)
        rater = session.scalar(select(Rater).where(Rater.worker == key))
        if rater is None:
            new += 1
            rater = new_rater(session, now, token=None, worker=key)
        found[worker] = rater
    return found, new


def _read(
    table: Table, items: Mapping[str, int], scale: Scale, columns: Columns, now: int
) -> tuple[list[_Row], int]:
    keys = _column(table, columns.item, ITEM, "--item-column")
    workers = _column(table, columns.worker, WORKER, "--worker-column")
    answers = _column(table, columns.answer, ANSWER, "--answer-column")
    times = _column(table, columns.time, (), "--time-column") if columns.time else None
    states = next((table.column(table.names.index(n)) for n in STATUS if n in table.names), None)
    rows: list[_Row] = []
    seen: set[tuple[int, str]] = set()
    rejected = 0
    for number in range(table.rows):
        if states is not None and str(states[number]).lower() == "rejected":
            rejected += 1
            continue
        key, worker = (_name(values[number]) for values in (keys, workers))
        if not key or not worker:
            raise InputError(f"{table.place(number)}: the item or the worker is missing")
        if (item := items.get(key)) is None:
            raise InputError(f"{table.place(number)}: there is no item {key!r} in the campaign")
        if (item, worker) in seen:
            raise InputError(f"{table.place(number)}: this worker answered this item above already")
        seen.add((item, worker))
        try:
            answer = _answer(answers[number], scale)
            time = now if times is None else _milliseconds(str(times[number]))
        except InputError as error:
            raise InputError(f"{table.place(number)}: {error}") from error
        rows.append(_Row(item, worker, answer, time))
    return rows, rejected


def _name(value: object) -> str:
    # In JSON lines and Parquet an id can be a number, and 0 is one.
    return storable("" if value is None else str(value).strip())


def _column(table: Table, named: str | None, usual: Sequence[str], option: str) -> list[Any]:
    name = named or next((each for each in usual if each in table.names), None)
    if name is None or name not in table.names:
        wanted = repr(name) if name else f"by one of the names {', '.join(usual)}"
        raise InputError(
            f"{table.path} has no column {wanted}; name it with {option}, of: "
            f"{', '.join(table.names)}"
        )
    return table.column(table.names.index(name))


def _answer(value: object, scale: Scale) -> Answer:
    if isinstance(value, str) and value.lstrip().startswith("["):  # no label begins so
        value = _list(value)
    if isinstance(value, list):
        return scale.check([str(each).strip() for each in cast("list[object]", value)])
    text = "" if value is None else str(value).strip()
    if text.lower() in DONT_KNOW:
        return None
    if scale.kind == "nine":
        text = text.removesuffix(".0")  # what becomes of whole numbers beside missing ones
    return scale.check([part.strip() for part in text.split("|")] if scale.multi else [text])


def _list(cell: str) -> object:
    try:
        return json.loads(cell)
    except ValueError as error:
        raise InputError(f"{cell[:40]!r} is not a JSON list of labels") from error


def _milliseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(
            f"the time {text[:40]!r} is not ISO 8601, like 2026-01-31T12:00Z"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = round(moment.timestamp() * 1000)
    try:
        iso(milliseconds)  # as it is shown and exported from now on
    except (OSError, OverflowError, ValueError) as error:
        raise InputError(
            f"the time {text[:40]!r} is in none of the years from 1 to 9999 in UTC; "
            "give one like 2026-01-31T12:00Z"
        ) from error
    return milliseconds
