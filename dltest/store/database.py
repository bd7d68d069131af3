"""The connection to PostgreSQL or SQLite: how it is made, used in transactions, and migrated.

Every error of SQLAlchemy or a driver leaves here as `StoreError`, without its cause: the causes
hold URLs and parameters, and a traceback may end up as evidence.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.schema import Table

from dltest.errors import StoreError

CONNECT_SECONDS = 5
BUSY_SECONDS = 60

# A claim holds a connection while the engine takes one step, and the step writes its ledger
# through a second one: twice the threads of a worker, with room.
POOL_SIZE = 8
POOL_OVERFLOW = 24

# A connection that rested for so long may have died meanwhile, and is asked before it is used.
IDLE_SECONDS = 2
LAST_USE = "dltest_last_use"

# A worker whose machine is gone must not hold its runs for the two hours of TCP's default.
SERVER_SETTINGS = {
    "application_name": "dltest",
    "TimeZone": "UTC",
    "lock_timeout": "20s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


class Database:
    """An engine for reading, the same for writing, and nothing of what is stored."""

    def __init__(self, url: str, *, statement_seconds: int | None = None) -> None:
        self.url = _checked(url)
        try:
            self.engine = _engine(self.url, statement_seconds)
        except ModuleNotFoundError as error:
            raise StoreError(
                f"there is no driver for {self.url.drivername} ({error.name}): "
                "install dltest[postgres]"
            ) from None
        # BEGIN IMMEDIATE waits for SQLite's one writer; a read that turns into a write would
        # fail at once instead. PostgreSQL has one kind of BEGIN.
        self._writing = self.engine.execution_options(dltest_begin="BEGIN IMMEDIATE")

    @property
    def is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @property
    def where(self) -> str:
        """The URL as it may be shown."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self, what: str) -> Iterator[Connection]:
        with self.translated(what), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """One transaction: committed at the end of the block, rolled back by an exception."""
        with self.translated(what), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise StoreError(f"cannot {what}: {self._words_of(error)}") from None

    def insert(self, table: Table) -> "postgresql.Insert | sqlite.Insert":
        """An INSERT that knows ON CONFLICT, which both databases spell alike."""
        return postgresql.insert(table) if self.is_postgresql else sqlite.insert(table)

    def close(self) -> None:
        self.engine.dispose()

    def _words_of(self, error: SQLAlchemyError) -> str:
        words = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        first = next((line for line in words.splitlines() if line.strip()), type(error).__name__)
        if self.url.password:
            first = first.replace(str(self.url.password), "***")
        return f"{first.strip()} ({self.where})"


def _checked(url: str) -> URL:
    try:
        made = make_url(url)
    except (SQLAlchemyError, ValueError):
        # `from None`: the cause would repeat the URL with its password.
        raise StoreError(
            "the database URL does not parse; write postgresql://user:password@host:port/name "
            "or sqlite:///path"
        ) from None
    if made.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return made.set(drivername="postgresql+psycopg")
    if made.drivername == "sqlite" and made.database not in {None, "", ":memory:"}:
        return made
    raise StoreError(f"database {made.drivername} is not supported: use postgresql or sqlite")


def _engine(url: URL, statement_seconds: int | None) -> Engine:
    if url.drivername == "sqlite":
        return _sqlite(url)
    settings = dict(SERVER_SETTINGS)
    if statement_seconds:
        settings["statement_timeout"] = f"{statement_seconds}s"
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", partial(_ping_if_idle, engine.dialect))
    return engine


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[LAST_USE] = time.monotonic()


def _ping_if_idle(
    dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _: object
) -> None:
    """A ping takes as long as a statement, so what was in use a moment ago is taken as it is."""
    if time.monotonic() - record.info.get(LAST_USE, math.inf) < IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error:
        raise DisconnectionError from None


def _sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"cannot make the store's folder {path.parent}: {error}") from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(driver_connection: object, _record: object) -> None:
    # The driver's own BEGIN comes too late (at the first write); `_begin_sqlite` sends ours.
    driver_connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = driver_connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(str(options.get("dltest_begin", "BEGIN")))
