"""Plays a run on a simulated lake to its end, in no time."""

from datetime import timedelta
from itertools import count

from dltest.engine import House, advance
from dltest.lake.simulated import SimulatedLake
from dltest.model import Campaign, Case, Driver, Run
from dltest.store import Store

_numbers = count(1)


class CrashError(BaseException):
    """As if the process had been killed here."""


def stored(store: Store, case: Case, lake: SimulatedLake) -> Run:
    number, now = next(_numbers), lake.clock.now()
    run = Run(
        id=f"run{number}", campaign_id=f"c{number}", lake="simulated", case=case, planned_at=now
    )
    campaign = Campaign(
        id=f"c{number}", lake="simulated", driver=Driver.SERVICE, title="t", created_at=now
    )
    store.create_campaign(campaign, [run])
    return run


def ended(store: Store, house: House, lake: SimulatedLake, run: Run) -> Run:
    for _ in range(2_000):
        try:
            again = advance(run.id, house)
        except CrashError:
            continue
        seen = store.run(run.id)
        assert seen is not None
        if seen.is_ended:
            return seen
        if again is not None:
            lake.clock.move(max(again - lake.clock.now(), timedelta(milliseconds=1)))
    raise AssertionError(f"the run never ended: {store.run(run.id)}")
