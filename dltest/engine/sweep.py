"""Later clean-up: what an outage did not let a run remove is removed when the lake lets us."""

from collections.abc import Iterable
from datetime import timedelta

from dltest.engine.house import House
from dltest.engine.machine import reopened
from dltest.model import RunPhase

# A process that drives a run looks at it every few seconds; one that did not for so long is dead.
ABANDONED_AFTER = timedelta(minutes=10)


def reopen_unclean(house: House) -> list[str]:
    """Send every run that is not clean, and that nobody drives, to its clean-up; gives their ids.

    Those are ended runs whose ledger is not settled, and runs whose own process was killed; these
    end as cancelled.

    Whoever calls then advances them; until it does, and if it dies, nothing is lost: the ledger
    still says what is left.
    """
    now = house.now()
    unclean = dict.fromkeys(run_id for run_id, _ in house.runs.unsettled(house.lake.name))
    reopen(unclean, house)
    abandoned = house.runs.abandoned(house.lake.name, now - ABANDONED_AFTER)
    for run_id in abandoned:
        house.runs.cancel(run_id)
        _give_time_to_clean(run_id, house)
    return [*unclean, *abandoned]


def reopen(run_ids: Iterable[str], house: House) -> None:
    """Send these to their clean-up again, those of them that have ended."""
    for run_id in run_ids:
        with house.runs.claim(run_id, ended=True) as claim:
            if claim is not None:
                claim.save(reopened(claim.run, house.now(), house.rules))


def _give_time_to_clean(run_id: str, house: House) -> None:
    """A run that was cleaning up when its process died has its time for that over again."""
    with house.runs.claim(run_id) as claim:
        if claim is not None and claim.run.phase is RunPhase.CLEANING:
            claim.save(reopened(claim.run, house.now(), house.rules))
