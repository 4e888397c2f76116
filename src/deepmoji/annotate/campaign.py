"""A campaign: made, opened, looked at, and what comes out of it."""

import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from deepmoji.annotate import crowd, export, progress, raters
from deepmoji.annotate.crowd import Columns, TakenIn
from deepmoji.annotate.desk import Desk, new_item
from deepmoji.annotate.export import Exported
from deepmoji.annotate.files import suffix_of, write_table
from deepmoji.annotate.migrations import upgrade
from deepmoji.annotate.progress import Status
from deepmoji.annotate.raters import Invitation
from deepmoji.annotate.scales import Scale
from deepmoji.annotate.schema import ONLY, CampaignRow
from deepmoji.annotate.settings import Settings, check_address
from deepmoji.annotate.store import FILE, Store
from deepmoji.annotate.texts import Texts, read_texts, storable
from deepmoji.annotate.tokens import hashed, new_token
from deepmoji.errors import InputError


class Campaign:
    """Texts, raters and their answers in one database.

    Made by :meth:`create` or :meth:`open`; a context manager that closes the database.

    Attributes:
        owner_link: the owner's page, known only when the campaign was just made or the link was
            renewed; None otherwise, because no link is stored.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.owner_link: str | None = None
        self._clock = clock
        with store.told(), store.read() as session:
            self._row = session.get_one(CampaignRow, ONLY)
        self.scale = Scale.from_json(self._row.scale)

    @classmethod
    def create(
        cls,
        place: str | Path,
        texts: str | Path | Sequence[str] | Texts | None,
        settings: Settings | None = None,
    ) -> "Campaign":
        """Make a campaign.

        Args:
            place: a folder that is not there yet or empty, or the URL of an empty database.
            texts: see :func:`texts.read_texts`; None, where raters only bring posts of their own.
            settings: how texts are rated; by default on nine points, by three raters each.

        Raises:
            InputError: if the texts cannot be used, or there is a campaign already.
            MissingDependency: if a library or the database's driver is not installed.
        """
        settings = settings or Settings()
        if texts is None and not settings.contribute:
            raise InputError("there are no texts to rate; give some, or let raters bring their own")
        given = texts if isinstance(texts, Texts | None) else read_texts(texts)
        store = Store(place)
        token = new_token()
        made: list[Path] = []
        with ExitStack() as undo:
            undo.callback(_remove, made)
            undo.callback(store.close)  # before its files go
            if store.folder is not None:
                _reserve(store.folder, made)
            with store.connection() as connection:
                if inspect(connection).has_table(CampaignRow.__tablename__):
                    made.clear()  # whoever was faster has the campaign in these files
                    raise InputError(f"{store.shown} holds a campaign already; name an empty one")
                upgrade(connection, store.shown)
                with Session(connection) as session:
                    _fill(session, settings, given, hashed(token))
            campaign = cls(store)
            undo.pop_all()
        campaign.owner_link = f"{campaign.url}/o/{token}/"
        return campaign

    @classmethod
    def open(cls, place: str | Path, *, clock: Callable[[], float] = time.time) -> "Campaign":
        """Open a campaign; one of an older version is brought up to date.

        Args:
            place: the folder or URL it was made with.
            clock: returns seconds since 1970.

        Raises:
            InputError: if there is none, or a newer version made it.
            MissingDependency: if a library or the database's driver is not installed.
        """
        store = Store(place)
        if store.folder is not None and not (store.folder / FILE).is_file():
            raise InputError(
                f"{place} holds no campaign; make one with: "
                f"deepmoji annotate new {shlex.quote(str(place))} TEXTS"
            )
        with ExitStack() as undo:
            undo.callback(store.close)
            with store.connection() as connection:
                if not inspect(connection).has_table(CampaignRow.__tablename__):
                    raise InputError(f"{store.shown} holds no campaign")
                upgrade(connection, store.shown)
            campaign = cls(store, clock)
            undo.pop_all()
        return campaign

    def __enter__(self) -> "Campaign":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    @property
    def title(self) -> str:
        """What heads the pages."""
        return self._row.title

    @property
    def contributes(self) -> bool:
        """Whether raters bring posts of their own."""
        return self._row.contribute

    @property
    def url(self) -> str:
        """What links begin with."""
        return self._row.url

    def desk(self) -> Desk:
        """Return what raters use."""
        return Desk(self.store, self._clock)

    def invite(self, count: int, *, url: str | None = None) -> list[Invitation]:
        """Add raters, and return the personal link of each; it is shown here only.

        Args:
            count: how many.
            url: what the links begin with, where it is not the campaign's address.

        Raises:
            InputError: if the number or the address cannot be.
        """
        address = self.url if url is None else check_address(url)
        with self.store.write() as session:
            return raters.invite(session, count, address, self._now())

    def revoke(self, who: str, *, delete_answers: bool = False) -> str:
        """End a rater's link, and return the rater's name.

        Args:
            who: the rater's name or link.
            delete_answers: whether to delete all that they gave too.

        Raises:
            InputError: if there is no such rater.
        """
        with self.store.write() as session:
            rater = raters.named(session, who)
            raters.revoke(session, rater, self._now())
            if delete_answers:
                raters.forget(session, rater)
        if delete_answers:
            self.store.forget()
        return rater.name

    def renew_owner(self, *, url: str | None = None) -> str:
        """Make a new link to the owner's page, and end the old one."""
        token = new_token()
        with self.store.write() as session:
            session.get_one(CampaignRow, ONLY).owner = hashed(token)
        self.owner_link = f"{self.url if url is None else check_address(url)}/o/{token}/"
        return self.owner_link

    def status(self) -> Status:
        """How far the campaign is, and how far its raters agree."""
        with self.store.read() as session:
            return progress.status(session, self._row, self._now())

    def table(self, form: str, *, min_raters: int = 1, keep_neutral: bool = False) -> Exported:
        """Return one of the tables that :func:`export.export` makes."""
        with self.store.read() as session:
            return export.export(
                session, self.scale, form, min_raters=min_raters, keep_neutral=keep_neutral
            )

    def export(
        self,
        path: str | Path,
        form: str = "majority",
        *,
        min_raters: int = 1,
        keep_neutral: bool = False,
    ) -> Exported:
        """Write one of the tables that :func:`export.export` makes, and return it.

        Args:
            path: ends in ``.csv``, ``.tsv``, ``.jsonl`` or ``.parquet``.
            form: ``ratings``, ``majority``, ``mean`` or ``study``.
            min_raters: texts with fewer answers are left out.
            keep_neutral: keep near-neutral means.

        Raises:
            InputError: if the path or the form cannot be.
            MissingDependency: for Parquet, without pyarrow.
        """
        suffix_of(Path(path))
        made = self.table(form, min_raters=min_raters, keep_neutral=keep_neutral)
        write_table(Path(path), made.columns, made.rows)
        return made

    def crowd_out(self, path: str | Path) -> int:
        """Write the texts that need raters yet for a crowd platform, and return how many."""
        suffix_of(Path(path))
        with self.store.read() as session:
            rows = crowd.outgoing(session, self._row)
        write_table(Path(path), ("item", "text", "needed"), rows)
        return len(rows)

    def crowd_in(self, path: str | Path, columns: Columns | None = None) -> TakenIn:
        """Take in a crowd platform's answers; see :func:`crowd.incoming`."""
        with self.store.write() as session:
            return crowd.incoming(session, self._row, Path(path), columns or Columns(), self._now())

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _reserve(folder: Path, made: list[Path]) -> None:
    """Make a folder and an empty database in it, and note what was not there before.

    Of many that do so at once, the one that makes the file goes on.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; name a folder that is not")
    # What people write about themselves is nobody else's: SQLite's log is as private as its file.
    try:
        folder.mkdir(0o700, parents=True)
    except FileExistsError:
        pass  # an empty one; who may look into it is for its owner to say
    else:
        made.append(folder)
    try:
        (folder / FILE).touch(0o600, exist_ok=False)
    except FileExistsError as error:
        raise InputError(
            f"{folder} holds a campaign already; name a folder that is not there"
        ) from error
    made += [folder / f"{FILE}{end}" for end in ("", "-journal", "-shm", "-wal")]


def _remove(made: Sequence[Path]) -> None:
    for path in reversed(made):
        with suppress(OSError):  # a folder in which somebody else put something stays
            path.rmdir() if path.is_dir() else path.unlink()


def _fill(session: Session, settings: Settings, texts: Texts | None, owner: str) -> None:
    now = round(time.time() * 1000)
    session.add(
        CampaignRow(
            id=ONLY,
            title=storable(settings.title.strip()),
            instructions=storable(settings.instructions.strip()),
            consent=storable(settings.agreement),
            scale=Scale.parse(settings.scale, multi=settings.multi).to_json(),
            raters_per_item=settings.raters_per_item,
            release_minutes=settings.release_minutes,
            contribute=settings.contribute,
            url=check_address(settings.url),
            owner=owner,
            salt=secrets.token_hex(32),
            created=now,
        )
    )
    if texts is not None:
        session.add_all(
            new_item(key, text, None, now)
            for key, text in zip(texts.keys, texts.texts, strict=True)
        )
    session.flush()
