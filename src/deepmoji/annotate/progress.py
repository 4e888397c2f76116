"""How far a campaign is, as its owner sees it."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deepmoji.annotate.agreement import alpha
from deepmoji.annotate.pool import in_hand
from deepmoji.annotate.scales import Scale, from_stored
from deepmoji.annotate.schema import CampaignRow, Item, Rater, Rating


@dataclass(frozen=True, kw_only=True)
class RaterStatus:
    """One rater: random name, what they gave, and whether their link still works.

    Attributes:
        name: the random name.
        crowd: whether they came by a crowd platform's file.
        answered: texts that they answered, their own posts included.
        posts: that they brought.
        last: when they answered last, in milliseconds since 1970; None if never.
        revoked: whether their link was revoked.
    """

    name: str
    crowd: bool
    answered: int
    posts: int
    last: int | None
    revoked: bool


@dataclass(frozen=True, kw_only=True)
class Status:
    """How far a campaign is.

    Attributes:
        title: of the campaign.
        scale: ``nine``, ``labels`` or ``emojis``.
        raters_per_item: how many raters each text goes to.
        items: texts of the campaign, without raters' own posts.
        complete: texts that have all their raters.
        answers: given to those texts, don't know included.
        wanted: how many answers complete the campaign.
        in_hand: texts that somebody has before them now.
        unknown: how many of all answers are don't know.
        posts: that raters brought.
        posts_answered: how many of them are rated.
        alpha: Krippendorff's, None where it is not defined (see :func:`agreement.alpha`).
        given: how often each value was given, posts included.
        raters: in the order in which they were added.
    """

    title: str
    scale: str
    raters_per_item: int
    items: int
    complete: int
    answers: int
    wanted: int
    in_hand: int
    unknown: int
    posts: int
    posts_answered: int
    alpha: float | None
    given: dict[str, int]
    raters: tuple[RaterStatus, ...]


def status(session: Session, campaign: CampaignRow, now: int) -> Status:
    """Look at a campaign as it is at a moment, in milliseconds since 1970."""
    scale = Scale.from_json(campaign.scale)
    query = select(Rating.item_id, Item.author_id, Rating.answer)
    query = query.join(Item, Item.id == Rating.item_id).where(Rating.answered.is_not(None))
    ratings = [
        (item, author is not None, from_stored(stored or "null"))
        for item, author, stored in session.execute(query)
    ]
    texts = [(item, answer) for item, own, answer in ratings if not own]
    raters_of = Counter(item for item, _ in texts)
    given = Counter(value for _, _, answer in ratings for value in answer or ())
    held = select(func.count(Rating.id)).where(in_hand(campaign, now))
    items = _count(session, own=False)
    return Status(
        title=campaign.title,
        scale=scale.kind,
        raters_per_item=campaign.raters_per_item,
        items=items,
        complete=sum(count >= campaign.raters_per_item for count in raters_of.values()),
        answers=len(texts),
        wanted=items * campaign.raters_per_item,
        in_hand=session.scalar(held) or 0,
        unknown=sum(answer is None for _, _, answer in ratings),
        posts=_count(session, own=True),
        posts_answered=len(ratings) - len(texts),
        alpha=alpha(scale, texts),
        given={value: given[value] for value in scale.values},
        raters=_raters(session),
    )


def _count(session: Session, *, own: bool) -> int:
    which = Item.author_id.is_not(None) if own else Item.author_id.is_(None)
    return session.scalar(select(func.count(Item.id)).where(which)) or 0


def _raters(session: Session) -> tuple[RaterStatus, ...]:
    answers = select(Rating.rater_id, func.count(Rating.answered), func.max(Rating.answered))
    answered = {
        rater: (count, last)
        for rater, count, last in session.execute(answers.group_by(Rating.rater_id))
    }
    brought = select(Item.author_id, func.count(Item.id)).where(Item.author_id.is_not(None))
    posts = dict(session.execute(brought.group_by(Item.author_id)).all())
    return tuple(
        RaterStatus(
            name=rater.name,
            crowd=rater.worker is not None,
            answered=answered.get(rater.id, (0, None))[0],
            posts=posts.get(rater.id, 0),
            last=answered.get(rater.id, (0, None))[1],
            revoked=rater.revoked is not None,
        )
        for rater in session.scalars(select(Rater).order_by(Rater.id))
    )
