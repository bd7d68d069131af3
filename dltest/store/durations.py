"""How long runs took before, for who wants to know how long they will take."""

from collections.abc import Iterable
from statistics import median

from sqlalchemy import select

from dltest.model import RunPhase, Verdict
from dltest.store import tables
from dltest.store.database import Database

LATEST = 100


class Durations:
    """The part of the store that tells usual times."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usual_seconds(self, lake: str, scenarios: Iterable[str]) -> dict[str, float]:
        """Median over the latest passed runs of each scenario that has any, clean-up included."""
        found = {scenario: self._latest(lake, scenario) for scenario in scenarios}
        return {scenario: median(seconds) for scenario, seconds in found.items() if seconds}

    def _latest(self, lake: str, scenario: str) -> list[float]:
        run = tables.run
        query = (
            select(run.c.started_at, run.c.finished_at)
            .where(
                run.c.lake == lake,
                run.c.scenario == scenario,
                run.c.verdict == Verdict.PASSED,
                run.c.phase == RunPhase.ENDED,
                run.c.started_at.is_not(None),
            )
            .order_by(run.c.planned_at.desc())
            .limit(LATEST)
        )
        with self._database.reading("read how long runs took") as connection:
            rows = connection.execute(query).all()
        return [(row.finished_at - row.started_at).total_seconds() for row in rows]
