"""The engine without services: one process drives its own runs to their end.

The same `advance` as the workers', on a few threads; a heap of wake-ups stands in for Celery.
"""

import heapq
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from dltest.engine.driver import advance
from dltest.engine.house import House
from dltest.engine.turns import Turns

THREADS = 8
HELD_FOR = timedelta(milliseconds=500)


class LocalDriver:
    """Drives runs until all have ended, those that break something apart from the others.

    At most `per_rse` are open at once on one RSE. `on_change(run_id)` is called after each advance.
    """

    def __init__(
        self, house: House, on_change: Callable[[str], None], *, per_rse: int | None = None
    ) -> None:
        self._house = house
        self._on_change = on_change
        self._per_rse = per_rse
        self._heap: list[tuple[datetime, str]] = []
        self._turns = Turns(())
        self._busy = 0
        self._errors: list[BaseException] = []
        self._changed = threading.Condition()

    def drive(self, run_ids: Iterable[str]) -> None:
        """Return when every run has ended.

        Raises:
            StoreError: the rows are out of reach.
        """
        runs = filter(None, (self._house.runs.run(run_id) for run_id in run_ids))
        self._turns = Turns(runs, self._per_rse)
        self._join(self._turns.beginning())
        with ThreadPoolExecutor(THREADS, thread_name_prefix="advance") as pool:
            while (run_id := self._next()) is not None:
                pool.submit(self._advance, run_id)
        if self._errors:
            raise self._errors[0]

    def wake(self, run_ids: Iterable[str]) -> None:
        """Look at these at once: they were cancelled."""
        now = self._house.now()
        with self._changed:
            hurried = set(run_ids)
            self._heap = [(now if i in hurried else at, i) for at, i in self._heap]
            heapq.heapify(self._heap)
            self._changed.notify_all()

    def _next(self) -> str | None:
        """The next run that is due, waiting for it; None when all have ended."""
        with self._changed:
            while True:
                if self._errors or (not self._heap and not self._busy):
                    return None
                pause = self._pause()
                if pause is not None and pause <= 0 and self._busy < THREADS:
                    self._busy += 1
                    return heapq.heappop(self._heap)[1]
                self._changed.wait(pause if pause and pause > 0 else None)

    def _pause(self) -> float | None:
        if not self._heap:
            return None
        return (self._heap[0][0] - self._house.now()).total_seconds()

    def _advance(self, run_id: str) -> None:
        again: datetime | None = None
        try:
            again = advance(run_id, self._house) or self._if_held(run_id)
            self._on_change(run_id)
        except BaseException as error:  # handed to `drive`, which raises it  # noqa: BLE001
            self._errors.append(error)
        finally:
            with self._changed:
                self._busy -= 1
                if again is not None:
                    heapq.heappush(self._heap, (again, run_id))
                elif not self._errors:
                    self._join(self._turns.ended(run_id))
                self._changed.notify_all()

    def _join(self, run_ids: Iterable[str]) -> None:
        now = self._house.now()
        for run_id in run_ids:
            heapq.heappush(self._heap, (now, run_id))

    def _if_held(self, run_id: str) -> datetime | None:
        """When to come back to a run that has not ended: its row was held, as by who cancels it."""
        run = self._house.runs.run(run_id)
        return None if run is None or run.is_ended else self._house.now() + HELD_FOR
