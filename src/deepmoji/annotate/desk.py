"""A rater's desk: what one rater can do, each thing in one transaction."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from deepmoji.annotate import pool, raters
from deepmoji.annotate.pool import Shown
from deepmoji.annotate.scales import Answer, Scale
from deepmoji.annotate.schema import ONLY, CampaignRow, Item, Rater, Rating
from deepmoji.annotate.store import Store
from deepmoji.annotate.texts import storable
from deepmoji.errors import InputError

MOST_POSTS = 500  # of one rater
LONGEST_POST = 2_000  # characters
PAGE = 50  # answers at a time


@dataclass(frozen=True)
class Count:
    """How far a rater is: texts answered, and texts that are open to them."""

    answered: int
    left: int


@dataclass(frozen=True)
class Turn:
    """What a rater sees next: an item, the one before it, and how far they are."""

    item: Shown | None
    before: int | None
    count: Count


@dataclass(frozen=True)
class Answered:
    """A page of a rater's answers, newest first, and how many pages there are."""

    items: tuple[Shown, ...]
    page: int
    pages: int


class Revoked(RuntimeError):  # noqa: N818 - says what is so
    """The rater's link ended after they were found by it; nothing was stored."""


class Desk:
    """What raters do. Each method takes the rater's id, as :meth:`find` gave it.

    Each raises :class:`Revoked` for one whose link ended meanwhile: what was revoked, perhaps with
    all answers deleted, gets nothing more from a request that was on its way.

    Args:
        store: the campaign's database.
        clock: returns seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        with store.read() as session:
            self.campaign = session.get_one(CampaignRow, ONLY)
        self.scale = Scale.from_json(self.campaign.scale)

    def find(self, token: str) -> Rater | None:
        """Return whose link holds this token, None if nobody's does."""
        with self._store.read() as session:
            return raters.find(session, token)

    def is_owner(self, hashed: str) -> bool:
        """Whether a token's hash is the owner's, now."""
        with self._store.read() as session:
            owner = session.scalar(select(CampaignRow.owner)) or ""
        return secrets.compare_digest(hashed, owner)

    def may_rate(self, rater: Rater) -> bool:
        """Whether a rater has agreed to what the campaign asks consent for."""
        return not self.campaign.consent or rater.consented is not None

    def consent(self, rater: int) -> None:
        """Note that a rater agreed."""
        with self._store.write() as session:
            self._rater(session, rater).consented = self._now()

    def next(self, rater: int) -> Turn:
        """Give a rater their next item."""
        with self._store.write() as session:
            row = self._rater(session, rater)
            item = pool.assign(session, self.campaign, row, self._now())
        # How far they are takes a look at all items: not while others wait to write.
        with self._store.read() as session:
            return self._turn(session, row, item)

    def again(self, rater: int, item: int) -> Turn | None:
        """Show a rater an item that is or was in their hands; None if it is none of those."""
        with self._store.read() as session:
            row = self._rater(session, rater)
            shown = pool.held(session, row, item)
            return None if shown is None else self._turn(session, row, shown)

    def answer(self, rater: int, item: int, given: Answer) -> bool | None:
        """Store an answer; when this returns True it is on disk. See :func:`pool.answer`.

        Raises:
            InputError: if the answer is not on the scale.
        """
        checked = None if given is None else self.scale.check(given)
        with self._store.write() as session:
            row = self._rater(session, rater)
            return pool.answer(session, self.campaign, row, item, checked, self._now())

    def count(self, rater: int) -> Count:
        """How far a rater is."""
        with self._store.read() as session:
            return self._count(session, self._rater(session, rater))

    def answers(self, rater: int, page: int = 1) -> Answered:
        """A page of what a rater answered."""
        with self._store.read() as session:
            row = self._rater(session, rater)
            pages = max(1, -(-self._answered(session, row) // PAGE))
            page = min(max(page, 1), pages)
            query = select(Rating, Item).join(Item, Item.id == Rating.item_id)
            query = query.where(Rating.rater_id == rater, Rating.answered.is_not(None))
            query = query.order_by(Rating.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
            items = tuple(pool.as_shown(item, rating) for rating, item in session.execute(query))
            return Answered(items, page, pages)

    def bring(self, rater: int, posts: Sequence[str]) -> int:
        """Add posts of a rater's own, and return how many.

        Raises:
            InputError: if one is too long, or there are too many.
        """
        cleaned = [storable(post.strip()) for post in posts if post.strip()]
        for post in cleaned:
            if len(post) > LONGEST_POST:
                raise InputError(
                    f"a post has {len(post):,} characters, at most {LONGEST_POST:,} are taken"
                )
        with self._store.write() as session:
            self._rater(session, rater)
            there = session.scalar(select(func.count(Item.id)).where(Item.author_id == rater)) or 0
            if there + len(cleaned) > MOST_POSTS:
                raise InputError(
                    f"at most {MOST_POSTS} posts are taken of one person; {there} are there already"
                )
            for post in cleaned:
                session.add(new_item(f"own-{secrets.token_hex(8)}", post, rater, self._now()))
        return len(cleaned)

    def posts(self, rater: int) -> list[Shown]:
        """The posts that a rater brought, newest first."""
        query = (
            select(Item, Rating)
            .outerjoin(Rating, (Rating.item_id == Item.id) & (Rating.rater_id == rater))
            .where(Item.author_id == rater)
            .order_by(Item.id.desc())
        )
        with self._store.read() as session:
            return [
                Shown(
                    item.id, item.text, True, rating and rating.answered, rating and rating.answer
                )
                for item, rating in session.execute(query)
            ]

    def take_back(self, rater: int, item: int) -> None:
        """Delete a post that a rater brought, and what they said about it."""
        with self._store.write() as session:
            self._rater(session, rater)
            session.execute(delete(Item).where(Item.id == item, Item.author_id == rater))
        self._store.forget()

    def forget(self, rater: int) -> None:
        """Delete all that a rater gave."""
        with self._store.write() as session:
            raters.forget(session, self._rater(session, rater))
        self._store.forget()

    def _turn(self, session: Session, rater: Rater, item: Shown | None) -> Turn:
        before = pool.before(session, rater, item.id if item else None)
        return Turn(item, before, self._count(session, rater))

    def _count(self, session: Session, rater: Rater) -> Count:
        left = pool.left(session, self.campaign, rater, self._now())
        return Count(self._answered(session, rater), left)

    def _answered(self, session: Session, rater: Rater) -> int:
        query = select(func.count(Rating.id))
        query = query.where(Rating.rater_id == rater.id, Rating.answered.is_not(None))
        return session.scalar(query) or 0

    def _rater(self, session: Session, rater: int) -> Rater:
        row = session.get_one(Rater, rater)
        if row.revoked is not None:
            raise Revoked
        return row

    def _now(self) -> int:
        return round(self._clock() * 1000)


def new_item(key: str, text: str, author: int | None, now: int) -> Item:
    """Return an item that is not stored yet, at a random place."""
    return Item(
        key=key,
        text=text,
        place=secrets.randbelow(pool.MODULUS),
        answers=0,
        author_id=author,
        created=now,
    )
