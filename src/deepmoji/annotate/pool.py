"""Who rates what: each item goes to so many raters, at random, never twice to one.

Everything here runs inside one writing transaction (:meth:`Store.write`): these come one after
another, so two raters who ask at once cannot both be given an item's last place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from deepmoji.annotate.scales import Answer, to_stored
from deepmoji.annotate.schema import CampaignRow, Item, Rater, Rating

# Items have random places below this prime, and each rater reads them in the order of
# (place * factor + shift) % MODULUS: random for each rater, the same whenever they come back, and
# different between raters, without a table of raters by items. Products stay below 2^62.
MODULUS = 2**31 - 1


@dataclass(frozen=True)
class Shown:
    """An item in a rater's hands."""

    id: int
    text: str
    own: bool
    answered: int | None
    answer: str | None


def assign(session: Session, campaign: CampaignRow, rater: Rater, now: int) -> Shown | None:
    """Put an item into a rater's hands: the one already there, else the next; None if none is left.

    Posts of their own come first. An item that lay unanswered for too long is kept if its place was
    not given to somebody else.
    """
    waiting = select(Rating, Item).join(Item, Item.id == Rating.item_id)
    waiting = waiting.where(Rating.rater_id == rater.id, Rating.answered.is_(None))
    for rating, item in session.execute(waiting.order_by(Rating.id)):
        if item.author_id is not None or _has_room(session, campaign, item.id, rater.id, now):
            rating.assigned = now
            return as_shown(item, rating)
        session.delete(rating)
    own = select(Item.id).where(Item.author_id == rater.id, ~_rated_by(rater.id))
    order = (Item.place * rater.factor + rater.shift) % MODULUS
    number = session.scalar(own.order_by(Item.id).limit(1)) or session.scalar(
        _open(campaign, rater, now).order_by(order, Item.id).limit(1)
    )
    if number is None:
        return None
    item = session.get_one(Item, number)
    rating = Rating(item_id=item.id, rater_id=rater.id, assigned=now, answered=None, answer=None)
    session.add(rating)
    return as_shown(item, rating)


def held(session: Session, rater: Rater, item: int) -> Shown | None:
    """Return an item that a rater has answered or holds, None if it is not theirs to see."""
    query = select(Rating, Item).join(Item, Item.id == Rating.item_id)
    row = session.execute(query.where(Rating.rater_id == rater.id, Item.id == item)).first()
    return None if row is None else as_shown(row[1], row[0])


def before(session: Session, rater: Rater, item: int | None) -> int | None:
    """Return the item that a rater was given before this one, or last of all; None at the first."""
    query = select(Rating.item_id).where(Rating.rater_id == rater.id, Rating.answered.is_not(None))
    this = select(Rating.id).where(Rating.rater_id == rater.id, Rating.item_id == item)
    place = session.scalar(this) if item is not None else None
    if place is not None:
        query = query.where(Rating.id < place)
    return session.scalar(query.order_by(Rating.id.desc()).limit(1))


def answer(
    session: Session, campaign: CampaignRow, rater: Rater, item: int, given: Answer, now: int
) -> bool | None:
    """Store what a rater answered.

    Returns:
        Whether it is stored: not, if the item lay for too long and its place went to another.
        None if the item was never given to this rater.
    """
    query = select(Rating, Item.author_id).join(Item, Item.id == Rating.item_id)
    row = session.execute(query.where(Rating.rater_id == rater.id, Item.id == item)).first()
    if row is None:
        return None
    rating, author = row
    if (
        rating.answered is None
        and author is None
        and not _has_room(session, campaign, item, rater.id, now)
    ):
        session.delete(rating)
        return False
    if rating.answered is None:
        count(session, [item], 1)
    rating.answer = to_stored(given)
    rating.answered = now
    return True


def count(session: Session, items: Sequence[int] | Select[int], change: int) -> None:
    """Note that items have so many answers more."""
    session.execute(
        update(Item)
        .where(Item.id.in_(items))
        .values(answers=Item.answers + change)
        .execution_options(synchronize_session=False)
    )


def left(session: Session, campaign: CampaignRow, rater: Rater, now: int) -> int:
    """Count the items that are open to a rater, the one in their hands included."""
    free = _open(campaign, rater, now).subquery()
    open_items = session.scalar(select(func.count()).select_from(free)) or 0
    own = select(func.count(Item.id)).where(Item.author_id == rater.id, ~_rated_by(rater.id))
    holds = select(func.count(Rating.id)).where(
        Rating.rater_id == rater.id, Rating.answered.is_(None)
    )
    return open_items + (session.scalar(own) or 0) + (session.scalar(holds) or 0)


def in_hand(campaign: CampaignRow, now: int) -> ColumnElement[bool]:
    """Which ratings are in the hands of somebody who may yet answer."""
    since = now - campaign.release_minutes * 60_000
    return and_(Rating.answered.is_(None), Rating.assigned > since)


def _has_room(session: Session, campaign: CampaignRow, item: int, rater: int, now: int) -> bool:
    others = select(func.count(Rating.id)).where(
        Rating.item_id == item,
        Rating.rater_id != rater,
        or_(Rating.answered.is_not(None), in_hand(campaign, now)),
    )
    return (session.scalar(others) or 0) < campaign.raters_per_item


def _open(campaign: CampaignRow, rater: Rater, now: int) -> Select[int]:
    """Select the items of the campaign that a rater may be given."""
    held = (
        select(Rating.item_id, func.count().label("raters"))
        .where(in_hand(campaign, now))
        .group_by(Rating.item_id)
        .subquery()
    )
    mine = select(Rating.item_id).where(Rating.rater_id == rater.id)
    return (
        select(Item.id)
        .outerjoin(held, held.c.item_id == Item.id)
        .where(
            Item.author_id.is_(None),
            Item.answers < campaign.raters_per_item,
            Item.answers + func.coalesce(held.c.raters, 0) < campaign.raters_per_item,
            Item.id.not_in(mine),
        )
    )


def _rated_by(rater: int) -> ColumnElement[bool]:
    return select(Rating.id).where(Rating.item_id == Item.id, Rating.rater_id == rater).exists()


def as_shown(item: Item, rating: Rating) -> Shown:
    """Return an item as its rater sees it."""
    return Shown(
        id=item.id,
        text=item.text,
        own=item.author_id is not None,
        answered=rating.answered,
        answer=rating.answer,
    )
