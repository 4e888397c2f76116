"""Where a campaign is kept: an SQLite file in a folder, or any database by its URL."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from deepmoji.annotate.schema import ONLY, CampaignRow
from deepmoji.errors import InputError, MissingDependency

FILE = "campaign.sqlite"
_PATIENCE = 30  # seconds to wait for another's transaction


class Store:
    """A campaign's database.

    Writing transactions come one after another, so what one has counted holds until it ends: in
    SQLite they begin with the lock (``BEGIN IMMEDIATE``), elsewhere they lock the campaign's row.
    When a writing block has ended, what it wrote is on disk: SQLite runs with ``synchronous=FULL``.

    Args:
        place: a folder, or the URL of a database as SQLAlchemy reads it.

    Raises:
        InputError: if the URL cannot be read.
        MissingDependency: if the database's driver is not installed.
    """

    def __init__(self, place: str | Path) -> None:
        self.place = str(place)
        self.folder = None if "://" in self.place else Path(place)
        self.url = _url(self.place)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(deepmoji_writes=True)

    @property
    def shown(self) -> str:
        """The place as messages show it, without a password."""
        return self.place if self.folder else self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Generator[Session]:
        """Open a transaction that only reads."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Generator[Session]:
        """Open a transaction that writes; no other one does so meanwhile."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            session.execute(select(CampaignRow.id).where(CampaignRow.id == ONLY).with_for_update())
            yield session

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """Open a writing transaction for what changes the tables themselves.

        Raises:
            InputError: for what the database refuses.
        """
        with self.told(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def told(self) -> Generator[None]:
        """Tell what the database refuses to people at a terminal; the site answers it itself.

        Raises:
            InputError: for every error of the database.
        """
        try:
            yield
        except SQLAlchemyError as error:
            raise InputError(f"cannot use the database {self.shown}: {_reason(error)}") from error

    def forget(self) -> None:
        """Take what was deleted out of SQLite's log too: it would stand there for a while yet."""
        if self.is_sqlite:
            with self.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _url(place: str) -> URL:
    if "://" not in place:
        return URL.create("sqlite", database=str(Path(place) / FILE))
    try:
        return make_url(place)
    except ArgumentError as error:
        raise InputError(
            f"{place.partition('://')[0]}://… is no database URL; one is like "
            "postgresql://user:password@host/database"
        ) from error


def _engine(url: URL) -> Engine:
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        if url.database in {None, "", ":memory:"}:
            raise InputError("a campaign in memory would be lost; name a folder or a file")
        arguments["connect_args"] = {"timeout": _PATIENCE}
    try:
        # Errors would show the parameters of statements: texts and answers, in a log.
        return create_engine(
            url, hide_parameters=True, pool_size=8, max_overflow=-1, pool_pre_ping=True, **arguments
        )
    except NoSuchModuleError as error:
        raise InputError(
            f"SQLAlchemy knows no database {url.drivername!r}; known are sqlite, postgresql"
        ) from error
    except ArgumentError as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{reason}; a file is sqlite:///path/to/file.sqlite") from error
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"{url.drivername}:// needs the driver {error.name!r}, which is not installed; "
            f"run: pip install {_DRIVERS.get(error.name or '', error.name)}"
        ) from error


_DRIVERS = {
    "psycopg": "'deepmoji[postgresql]'",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what a rater deletes is overwritten
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("deepmoji_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _reason(error: SQLAlchemyError) -> str:
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split())
