"""Raters: invited by a link of their own, found by it, revoked, and forgotten when they ask."""

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from deepmoji.annotate.pool import MODULUS, count
from deepmoji.annotate.schema import Item, Rater, Rating
from deepmoji.annotate.tokens import hashed, new_token, pseudonym, token_of
from deepmoji.errors import InputError

MOST_INVITED = 10_000  # at a time


@dataclass(frozen=True)
class Invitation:
    """A rater's random name and personal link, which is shown once and stored nowhere."""

    name: str
    link: str


def new_rater(session: Session, now: int, *, token: str | None, worker: str | None) -> Rater:
    """Add a rater, with an order of the items of their own.

    Args:
        session: that writes.
        now: in milliseconds.
        token: what the link holds, for those who come by one.
        worker: what is stored of a crowd worker's id.
    """
    rater = Rater(
        name=pseudonym(),
        token=None if token is None else hashed(token),
        worker=worker,
        factor=1 + secrets.randbelow(MODULUS - 1),
        shift=secrets.randbelow(MODULUS),
        created=now,
        consented=None,
        revoked=None,
    )
    session.add(rater)
    session.flush()
    return rater


def invite(session: Session, number: int, url: str, now: int) -> list[Invitation]:
    """Add raters and return their links.

    Raises:
        InputError: if there are too many at a time, or none.
    """
    if not 1 <= number <= MOST_INVITED:
        raise InputError(f"{number} raters cannot be invited; 1 to {MOST_INVITED:,} at a time")
    invitations: list[Invitation] = []
    for _ in range(number):
        token = new_token()
        rater = new_rater(session, now, token=token, worker=None)
        invitations.append(Invitation(rater.name, f"{url}/r/{token}/"))
    return invitations


def find(session: Session, token: str) -> Rater | None:
    """Return whose token this is; nobody's, if it was revoked."""
    rater = session.scalar(select(Rater).where(Rater.token == hashed(token)))
    return None if rater is None or rater.revoked is not None else rater


def named(session: Session, who: str) -> Rater:
    """Return a rater by name or link, revoked or not.

    Raises:
        InputError: if there is none.
    """
    token = hashed(token_of(who))
    rater = session.scalar(select(Rater).where(or_(Rater.name == who, Rater.token == token)))
    if rater is None:
        shown = who if who.startswith("r-") else "that link"
        raise InputError(f"there is no rater {shown}; `deepmoji annotate status` lists the names")
    return rater


def revoke(session: Session, rater: Rater, now: int) -> None:
    """End a rater's link; what they answered stays, what they hold goes to others."""
    rater.revoked = rater.revoked or now
    session.execute(delete(Rating).where(Rating.rater_id == rater.id, Rating.answered.is_(None)))


def forget(session: Session, rater: Rater) -> None:
    """Delete all that a rater gave: answers, posts and their answers, the consent."""
    answered = select(Rating.item_id).where(
        Rating.rater_id == rater.id, Rating.answered.is_not(None)
    )
    count(session, answered, -1)
    session.execute(delete(Rating).where(Rating.rater_id == rater.id))
    session.execute(delete(Item).where(Item.author_id == rater.id))
    rater.consented = None
