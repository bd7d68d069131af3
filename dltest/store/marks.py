"""When the service last did what it does from time to time."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, func, select, update

from dltest.store import tables
from dltest.store.database import Database

TICK = "tick"


class Marks:
    """The part of the store that knows the service's own rhythm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark_tick(self, now: datetime | None = None) -> None:
        """Note that the scheduler woke."""
        self.take_turn(TICK, now or datetime.now(UTC), timedelta(0))

    def last_tick(self) -> datetime | None:
        """When the scheduler woke last, for whichever lake."""
        with self._database.reading("read the last tick") as connection:
            return connection.execute(last_tick_query()).scalar_one()

    def take_turn(self, name: str, now: datetime, every: timedelta) -> bool:
        """Whether it is time again, and nobody else took this turn; notes that it was taken."""
        table = tables.beat_mark
        insert = self._database.insert(table).values(name=name, marked_at=now)
        turn = insert.on_conflict_do_update(
            index_elements=["name"],
            set_={"marked_at": now},
            where=table.c.marked_at <= now - every,
        ).returning(table.c.name)
        with self._database.writing(f"take the turn of {name}") as connection:
            return connection.execute(turn).first() is not None

    def book_turn(self, name: str, at: datetime) -> None:
        """Put the next turn off, or forward, until then: for whoever has the turn."""
        table = tables.beat_mark
        with self._database.writing(f"book the turn of {name}") as connection:
            connection.execute(update(table).where(table.c.name == name).values(marked_at=at))


def last_tick_query() -> Select[datetime | None]:
    table = tables.beat_mark
    return select(func.max(table.c.marked_at)).where(table.c.name.startswith(TICK))
