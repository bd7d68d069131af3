"""The store: one object that is opened by a URL and knows every table."""

from typing import Self

from dltest.model import Steadiness
from dltest.store.admissions import Admissions
from dltest.store.database import Database
from dltest.store.downtimes import Downtimes
from dltest.store.durations import Durations
from dltest.store.judgements import Judgements
from dltest.store.lakes import Lakes
from dltest.store.ledgers import Ledgers
from dltest.store.marks import Marks
from dltest.store.migrate import migrate
from dltest.store.moves import Moves
from dltest.store.runs import Runs
from dltest.store.schedules import Schedules
from dltest.store.views import Views


class Store(
    Lakes,
    Schedules,
    Downtimes,
    Admissions,
    Runs,
    Judgements,
    Ledgers,
    Moves,
    Marks,
    Durations,
    Views,
):
    """dltest's memory on PostgreSQL or SQLite. Safe to share between threads.

    All times are aware UTC. Every method raises `StoreError` alone, and is one transaction.
    """

    def __init__(self, database: Database, steadiness: Steadiness) -> None:
        Runs.__init__(self, database, steadiness)
        Judgements.__init__(self, database, steadiness)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        statement_seconds: int | None = None,
        steadiness: Steadiness = Steadiness(),  # noqa: B008 - frozen
    ) -> "Store":
        """The store at a SQLAlchemy URL; nothing is asked of the database yet.

        `statement_seconds` ends slow queries, on PostgreSQL. `steadiness` says how runs that end
        change their case's status.
        """
        return cls(Database(url, statement_seconds=statement_seconds), steadiness)

    @property
    def where(self) -> str:
        """The URL without its password."""
        return self._database.where

    def migrate(self) -> None:
        """Make or renew the tables. Idempotent, also when many processes start at once."""
        migrate(self._database)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
