"""What was last seen of each lake, so that an outage can be planned for."""

from sqlalchemy import select

from dltest.model import Lake
from dltest.store import tables
from dltest.store.columns import storable
from dltest.store.database import Database


class Lakes:
    """The part of the store that knows lakes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember_lake(self, lake: Lake) -> None:
        """Keep this as the last sight of the lake, unless a newer one is kept."""
        table = tables.lake
        sight = {"inventory": storable(lake.model_dump(mode="json")), "seen_at": lake.seen_at}
        insert = self._database.insert(table).values(name=lake.name, **sight)
        with self._database.writing("remember the lake") as connection:
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["name"], set_=sight, where=table.c.seen_at <= lake.seen_at
                )
            )

    def recall_lake(self, name: str) -> Lake | None:
        """The last sight, marked stale."""
        query = select(tables.lake.c.inventory).where(tables.lake.c.name == name)
        with self._database.reading("recall the lake") as connection:
            inventory = connection.execute(query).scalar_one_or_none()
        if inventory is None:
            return None
        return Lake.model_validate(inventory).model_copy(update={"stale": True})
