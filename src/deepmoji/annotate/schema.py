"""The tables of a campaign's database. A change here needs a revision in migrations/versions."""

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ONLY = 1  # the id of the one campaign that a database holds

# Constraints have names of their own, so that a later revision can change them everywhere.
_NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """What all tables have in common. Times are whole milliseconds since 1970, UTC."""

    metadata = MetaData(naming_convention=_NAMES)


class CampaignRow(Base):
    """The campaign: its settings and the hash of its owner's token."""

    __tablename__ = "campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    instructions: Mapped[str] = mapped_column(Text)
    consent: Mapped[str] = mapped_column(Text)
    scale: Mapped[str] = mapped_column(Text)
    raters_per_item: Mapped[int]
    release_minutes: Mapped[int]
    contribute: Mapped[bool]
    url: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(String(64))
    salt: Mapped[str] = mapped_column(String(64))
    created: Mapped[int] = mapped_column(BigInteger)


class Rater(Base):
    """A rater: by a personal link (``token``), or of a crowd platform (``worker``)."""

    __tablename__ = "rater"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str | None] = mapped_column(String(64), unique=True)
    worker: Mapped[str | None] = mapped_column(String(64), unique=True)
    factor: Mapped[int] = mapped_column(BigInteger)  # of the rater's own order of the items
    shift: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(BigInteger)
    consented: Mapped[int | None] = mapped_column(BigInteger)
    revoked: Mapped[int | None] = mapped_column(BigInteger)


class Item(Base):
    """A text: the owner's, or (with an author) a post that a rater brought."""

    __tablename__ = "item"
    __table_args__ = (
        Index(None, "author_id", "answers", "place"),  # all that the choice of an item looks at
        # No id is used twice: a form of a deleted post must not fit another's.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255), unique=True)
    text: Mapped[str] = mapped_column(Text)
    place: Mapped[int] = mapped_column(BigInteger)  # random: what raters' own orders begin with
    answers: Mapped[int]  # how many raters have answered it
    author_id: Mapped[int | None] = mapped_column(ForeignKey("rater.id", ondelete="CASCADE"))
    created: Mapped[int] = mapped_column(BigInteger)


class Rating(Base):
    """An item in a rater's hands, and what the rater answered."""

    __tablename__ = "rating"
    __table_args__ = (
        UniqueConstraint("item_id", "rater_id"),
        Index(None, "rater_id", "answered"),
        Index(None, "answered", "assigned"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("rater.id", ondelete="CASCADE"))
    assigned: Mapped[int] = mapped_column(BigInteger)
    answered: Mapped[int | None] = mapped_column(BigInteger)
    answer: Mapped[str | None] = mapped_column(Text)  # JSON: a list, or null for don't know
