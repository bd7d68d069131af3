"""Downtimes as people declared them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from dltest.model import Downtime, Window
from dltest.store import tables
from dltest.store.columns import storable
from dltest.store.database import Database


class Downtimes:
    """The part of the store that knows downtimes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_downtime(self, downtime: Downtime) -> None:
        window = downtime.window
        values = {
            **downtime.model_dump(exclude={"window", "by"}),
            "created_by": downtime.by,
            "window": storable(window.model_dump(mode="json")) if window else None,
        }
        with self._database.writing("write the downtime") as connection:
            connection.execute(tables.downtime.insert(), values)

    def downtimes(self, lake: str) -> list[Downtime]:
        """Oldest first."""
        table = tables.downtime
        query = select(table).where(table.c.lake == lake).order_by(table.c.created_at, table.c.id)
        with self._database.reading("list downtimes") as connection:
            return [_downtime(row) for row in connection.execute(query)]

    def remove_downtime(self, lake: str, downtime_id: str) -> bool:
        """False when there is none of that id."""
        table = tables.downtime
        asked = delete(table).where(table.c.lake == lake, table.c.id == downtime_id)
        with self._database.writing("remove the downtime") as connection:
            return connection.execute(asked).rowcount == 1


def prune_downtimes(connection: Connection, before: datetime) -> None:
    """Those that are over, and were before then."""
    connection.execute(delete(tables.downtime).where(tables.downtime.c.until_at < before))


def _downtime(row: Row[Any]) -> Downtime:
    return Downtime(
        id=row.id,
        lake=row.lake,
        rses=row.rses,
        from_at=row.from_at,
        until_at=row.until_at,
        window=Window.model_validate(row.window) if row.window else None,
        by=row.created_by,
        why=row.why,
        created_at=row.created_at,
    )
